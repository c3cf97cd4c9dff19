import { timingSafeEqual } from "node:crypto";
import { hmacSha256 } from "./hmac";
import { MAX_PAGES, PAGE_BYTES, areClaims } from "./claim-page";
import type { ClaimPage } from "./claim-page";
import type { Key, Phase } from "./membership";

/**
 * One heartbeat. `bootId` differs from boot to boot of the sender's process; `sequence` grows with every
 * packet of one boot. `asks` and `answers` are nonces, 0 for none: who hears a boot for the first time asks,
 * and believes in the boot when a packet of it answers, so that recorded packets prove nothing.
 */
export type Heartbeat = Wish & {
  readonly node: string;
  readonly phase: Phase;
  readonly bootId: bigint;
  readonly sequence: bigint;
  readonly asks: bigint;
  readonly answers: bigint;
  /** Time between two heartbeats of the sender, ms, 1 to 65535. */
  readonly intervalMs: number;
  /** The sender's interfaces that can announce now: up, with carrier. */
  readonly interfaces: readonly string[];
  readonly page: ClaimPage;
};

/** How the packet came, and what its sender wants of the one that it is for. */
export type Wish = {
  /** It went to the multicast group, that is, to whoever hears it. */
  readonly isToGroup: boolean;
  /** "I do not hear you by the group: send to me alone for a while." */
  readonly isDeaf: boolean;
  /** "Send me a heartbeat now, to me alone." */
  readonly wantsWord: boolean;
  /** "Send me all that you answer for, now, to me alone." */
  readonly wantsAll: boolean;
};

/** Why a packet has no effect. */
export type Rejection = "malformed" | "unauthentic";

const MAGIC = 0x414e4348; // "ANCH"
const VERSION = 3;
const HEADER_BYTES = 55;
const MAC_BYTES = 16;
const MAX_NAME_BYTES = 253;
const MAX_INTERFACE_BYTES = 255;
const PHASES: readonly Phase[] = ["starting", "active", "leaving"];
const FLAGS = ["isToGroup", "isDeaf", "wantsWord", "wantsAll"] as const;
/** A node's name is a DNS subdomain (RFC 1123), so ASCII and at most 253 bytes. */
const NAME = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;
/** IFNAMSIZ (linux/if.h) is 16 with the final 0; a name has no slash. */
const INTERFACE = /^[!-.0-~]{1,15}$/;

/** Longest packet that `openHeartbeat` accepts, in bytes. */
export const MAX_HEARTBEAT_BYTES =
  HEADER_BYTES + MAX_NAME_BYTES + MAX_INTERFACE_BYTES + PAGE_BYTES + MAC_BYTES;

/** Of a node's interfaces those that a heartbeat can name; many more than a node announces on. */
export function nameableInterfaces(names: readonly string[]): readonly string[] {
  const fit: string[] = [];
  for (const name of names) {
    const isNew = INTERFACE.test(name) && !fit.includes(name);
    if (isNew && [...fit, name].join("/").length <= MAX_INTERFACE_BYTES) fit.push(name);
  }
  return fit;
}

/**
 * Layout, big endian: magic(4) version(1) phase(1) flags(1) keyId(4) bootId(8) sequence(8) asks(8) answers(8)
 * interval(2) list(4) index(2) pages(2) nameLength(1) interfacesLength(1) name, interfaces (joined by "/"),
 * claims (each: length(1) of the address, address, epoch(4)), and the first 16 bytes of HMAC-SHA256 (RFC 2104)
 * of all before. Throws on a name that no Node object can have.
 */
export function sealHeartbeat(heartbeat: Heartbeat, key: Key): Buffer {
  const { node, phase, page } = heartbeat;
  if (!NAME.test(node) || node.length > MAX_NAME_BYTES) {
    throw new Error(`node name "${node}" is no DNS subdomain: set --node-name to the Node's name`);
  }
  const interfaces = heartbeat.interfaces.join("/");
  const bodyBytes = HEADER_BYTES + node.length + interfaces.length + page.bytes.length;
  const packet = Buffer.alloc(bodyBytes + MAC_BYTES);
  packet.writeUInt32BE(MAGIC, 0);
  packet.writeUInt8(VERSION, 4);
  packet.writeUInt8(PHASES.indexOf(phase), 5);
  packet.writeUInt8(flagsOf(heartbeat), 6);
  packet.writeUInt32BE(key.id, 7);
  packet.writeBigUInt64BE(heartbeat.bootId, 11);
  packet.writeBigUInt64BE(heartbeat.sequence, 19);
  packet.writeBigUInt64BE(heartbeat.asks, 27);
  packet.writeBigUInt64BE(heartbeat.answers, 35);
  packet.writeUInt16BE(heartbeat.intervalMs, 43);
  packet.writeUInt32BE(page.list, 45);
  packet.writeUInt16BE(page.index, 49);
  packet.writeUInt16BE(page.pages, 51);
  packet.writeUInt8(node.length, 53);
  packet.writeUInt8(interfaces.length, 54);
  packet.write(node + interfaces, HEADER_BYTES, "latin1");
  packet.set(page.bytes, bodyBytes - page.bytes.length);
  packet.set(authenticator(packet.subarray(0, bodyBytes), key), bodyBytes);
  return packet;
}

/**
 * Reads a packet from the network. The authenticator is checked before anything else is looked at; what
 * `sealHeartbeat` cannot have made under one of the keys is refused.
 */
export function openHeartbeat(packet: Buffer, keys: readonly Key[]): Heartbeat | Rejection {
  const isSized = packet.length > HEADER_BYTES + MAC_BYTES && packet.length <= MAX_HEARTBEAT_BYTES;
  if (!isSized || packet.readUInt32BE(0) !== MAGIC || packet.readUInt8(4) !== VERSION) {
    return "malformed";
  }
  const body = packet.subarray(0, -MAC_BYTES);
  const mac = packet.subarray(-MAC_BYTES);
  const id = packet.readUInt32BE(7);
  const isAuthentic = keys.some(
    key => key.id === id && timingSafeEqual(authenticator(body, key), mac),
  );
  return isAuthentic ? (decodeBody(body) ?? "malformed") : "unauthentic";
}

function decodeBody(body: Buffer): Heartbeat | undefined {
  const phase = PHASES[body.readUInt8(5)];
  const flags = body.readUInt8(6);
  const nameEnd = HEADER_BYTES + body.readUInt8(53);
  const end = nameEnd + body.readUInt8(54);
  if (phase === undefined || flags >= 1 << FLAGS.length || end > body.length) return undefined;
  const node = body.toString("latin1", HEADER_BYTES, nameEnd);
  const interfaces = end === nameEnd ? [] : body.toString("latin1", nameEnd, end).split("/");
  const page = decodePage(body, end);
  const intervalMs = body.readUInt16BE(43);
  const isNamed = NAME.test(node) && interfaces.every(name => INTERFACE.test(name));
  if (!isNamed || !page || intervalMs === 0) return undefined;
  return {
    node,
    phase,
    bootId: body.readBigUInt64BE(11),
    sequence: body.readBigUInt64BE(19),
    asks: body.readBigUInt64BE(27),
    answers: body.readBigUInt64BE(35),
    intervalMs,
    interfaces,
    page,
    isToGroup: (flags & 1) !== 0,
    isDeaf: (flags & 2) !== 0,
    wantsWord: (flags & 4) !== 0,
    wantsAll: (flags & 8) !== 0,
  };
}

function decodePage(body: Buffer, start: number): ClaimPage | undefined {
  const list = body.readUInt32BE(45);
  const index = body.readUInt16BE(49);
  const pages = body.readUInt16BE(51);
  const bytes = body.subarray(start);
  const isPage = index < pages && pages <= MAX_PAGES && bytes.length <= PAGE_BYTES;
  return isPage && areClaims(bytes) ? { list, index, pages, bytes } : undefined;
}

function flagsOf(heartbeat: Heartbeat): number {
  return FLAGS.reduce((flags, name, bit) => flags | (heartbeat[name] ? 1 << bit : 0), 0);
}

function authenticator(body: Buffer, { secret }: Key): Buffer {
  return hmacSha256(secret, body).subarray(0, MAC_BYTES);
}
