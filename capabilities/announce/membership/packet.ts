import { createHmac, timingSafeEqual } from "node:crypto";
import { formatAddress, parseAddress } from "../../config/address";
import { addressBytes, addressFromBytes } from "../address-bytes";
import type { Claim, Key, Phase } from "./membership";

/**
 * One heartbeat. `bootId` differs from boot to boot of the sender's process; `sequence` grows with every
 * packet of one boot. `asks` and `answers` are nonces, 0 for none: who hears a boot for the first time asks,
 * and believes in the boot when a packet of it answers, so that recorded packets prove nothing.
 */
export type Heartbeat = {
  readonly node: string;
  readonly phase: Phase;
  readonly bootId: bigint;
  readonly sequence: bigint;
  readonly asks: bigint;
  readonly answers: bigint;
  readonly page: ClaimPage;
};

/** A part of the list of all that the sender answers for; the list's number changes with the list. */
export type ClaimPage = {
  readonly list: number;
  /** This page's place, 0 to `pages` - 1. */
  readonly index: number;
  readonly pages: number;
  readonly claims: readonly Claim[];
};

/** Why a packet has no effect. */
export type Rejection = "malformed" | "unauthentic";

const MAGIC = 0x414e4348; // "ANCH"
const VERSION = 2;
const HEADER_BYTES = 51;
const MAC_BYTES = 16;
const MAX_NAME_BYTES = 253;
const MAX_PAGES = 1024;
const PHASES: readonly Phase[] = ["starting", "active", "leaving"];
/** A node's name is a DNS subdomain (RFC 1123), so ASCII and at most 253 bytes. */
const NAME = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;
/** The claims of one page, so that a packet with the longest name fits every Ethernet's MTU, bytes. */
const PAGE_BYTES = 900;

/** Longest packet that `openHeartbeat` accepts, in bytes. */
export const MAX_HEARTBEAT_BYTES = HEADER_BYTES + MAX_NAME_BYTES + PAGE_BYTES + MAC_BYTES;

/** Splits what a node answers for into pages that fit a packet each; at least one. */
export function pagesOf(list: number, claims: readonly Claim[]): readonly ClaimPage[] {
  const pages: Claim[][] = [[]];
  let bytes = 0;
  for (const claim of claims) {
    const size = claim.address.includes(":") ? 21 : 9;
    if (bytes + size > PAGE_BYTES) {
      pages.push([]);
      bytes = 0;
    }
    pages.at(-1)?.push(claim);
    bytes += size;
  }
  return pages.map((page, index) => ({ list, index, pages: pages.length, claims: page }));
}

/**
 * Layout, big endian: magic(4) version(1) phase(1) keyId(4) bootId(8) sequence(8) asks(8) answers(8) list(4)
 * index(2) pages(2) nameLength(1) name, claims (each: length(1) of the address, address, epoch(4)), and the
 * first 16 bytes of HMAC-SHA256 (RFC 2104) of all before. Throws on a name that no Node object can have.
 */
export function sealHeartbeat(heartbeat: Heartbeat, key: Key): Buffer {
  const { node, phase, page } = heartbeat;
  if (!NAME.test(node) || node.length > MAX_NAME_BYTES) {
    throw new Error(`node name "${node}" is no DNS subdomain: set --node-name to the Node's name`);
  }
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(MAGIC, 0);
  header.writeUInt8(VERSION, 4);
  header.writeUInt8(PHASES.indexOf(phase), 5);
  header.writeUInt32BE(key.id, 6);
  header.writeBigUInt64BE(heartbeat.bootId, 10);
  header.writeBigUInt64BE(heartbeat.sequence, 18);
  header.writeBigUInt64BE(heartbeat.asks, 26);
  header.writeBigUInt64BE(heartbeat.answers, 34);
  header.writeUInt32BE(page.list, 42);
  header.writeUInt16BE(page.index, 46);
  header.writeUInt16BE(page.pages, 48);
  header.writeUInt8(node.length, 50);
  const body = Buffer.concat([
    header,
    Buffer.from(node, "latin1"),
    ...page.claims.map(encodeClaim),
  ]);
  return Buffer.concat([body, authenticator(body, key)]);
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
  const id = packet.readUInt32BE(6);
  const isAuthentic = keys.some(
    key => key.id === id && timingSafeEqual(authenticator(body, key), mac),
  );
  return isAuthentic ? (decodeBody(body) ?? "malformed") : "unauthentic";
}

function decodeBody(body: Buffer): Heartbeat | undefined {
  const phase = PHASES[body.readUInt8(5)];
  const end = HEADER_BYTES + body.readUInt8(50);
  const node = body.toString("latin1", HEADER_BYTES, end);
  const claims = decodeClaims(body.subarray(end));
  const page = decodePage(body);
  const isNamed = end <= body.length && NAME.test(node);
  if (phase === undefined || !isNamed || !claims || !page) return undefined;
  return {
    node,
    phase,
    bootId: body.readBigUInt64BE(10),
    sequence: body.readBigUInt64BE(18),
    asks: body.readBigUInt64BE(26),
    answers: body.readBigUInt64BE(34),
    page: { ...page, claims },
  };
}

function decodePage(body: Buffer): Omit<ClaimPage, "claims"> | undefined {
  const [list, index, pages] = [
    body.readUInt32BE(42),
    body.readUInt16BE(46),
    body.readUInt16BE(48),
  ];
  return index < pages && pages <= MAX_PAGES ? { list, index, pages } : undefined;
}

function encodeClaim({ address, epoch }: Claim): Buffer {
  const parsed = parseAddress(address);
  if (!parsed) throw new Error(`"${address}" is not an IP address`);
  const bytes = addressBytes(parsed);
  const tail = Buffer.alloc(4);
  tail.writeUInt32BE(epoch);
  return Buffer.concat([Buffer.of(bytes.length), bytes, tail]);
}

function decodeClaims(bytes: Buffer): readonly Claim[] | undefined {
  const claims: Claim[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = bytes.readUInt8(at);
    const end = at + 1 + length;
    const address = addressFromBytes(bytes.subarray(at + 1, end));
    if (!address || end + 4 > bytes.length || (length !== 4 && length !== 16)) return undefined;
    claims.push({ address: formatAddress(address), epoch: bytes.readUInt32BE(end) });
    at = end + 4;
  }
  return claims;
}

function authenticator(body: Buffer, { secret }: Key): Buffer {
  return createHmac("sha256", secret).update(body).digest().subarray(0, MAC_BYTES);
}
