import type { Family, IpAddress } from "../../../config/address";
import { formatAddress } from "../../../config/address";
import { addressFromBytes } from "../../address-bytes";
import type { Mac } from "../../packet/ethernet";
import { icmpv6Checksum } from "../../packet/ndp";

/** "Who has this address?", asked on the wire. */
export type Question = {
  readonly family: Family;
  /** The address that is asked for, canonical text. */
  readonly target: string;
  /** Who asks: the address, undefined for a host that wants to know whether it may use the target itself. */
  readonly asker: IpAddress | undefined;
  /** Where to send the answer. */
  readonly askerMac: Mac;
};

const ETHERNET_BYTES = 14;
const ARP_BYTES = 28;
const IPV6_BYTES = 40;
const SOLICITATION_BYTES = 24;
const ETHERTYPE_ARP = 0x0806;
const ETHERTYPE_IPV6 = 0x86dd;
const ICMPV6 = 58;
const NEIGHBOR_SOLICITATION = 135;
const HOP_LIMIT = 255;
const SOURCE_LINK_LAYER_ADDRESS = 1;
/** An ARP request for IPv4 over Ethernet: hardware type, protocol, lengths, operation (RFC 826). */
const ARP_REQUEST = Buffer.from([0, 1, 8, 0, 6, 4, 0, 1]);

/**
 * Reads a frame from its Ethernet header on; undefined for one that is no question or breaks the rules: RFC 826,
 * and RFC 4861 section 7.1.1. An ARP announcement (RFC 5227 section 3) is no question.
 */
export function readQuestion(frame: Uint8Array): Question | undefined {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  if (bytes.length < ETHERNET_BYTES + ARP_BYTES || isGroup(bytes.subarray(6, 12))) return undefined;
  const payload = bytes.subarray(ETHERNET_BYTES);
  switch (bytes.readUInt16BE(12)) {
    case ETHERTYPE_ARP:
      return readArp(payload);
    case ETHERTYPE_IPV6:
      return readSolicitation(payload, bytes.subarray(6, 12));
    default:
      return undefined;
  }
}

function readArp(payload: Buffer): Question | undefined {
  if (!payload.subarray(0, 8).equals(ARP_REQUEST)) return undefined;
  const askerMac = payload.subarray(8, 14);
  const sender = payload.subarray(14, 18);
  const target = payload.subarray(24, 28);
  if (isGroup(askerMac) || sender.equals(target)) return undefined;
  return questionOf("ipv4", { askerMac, sender, target });
}

function readSolicitation(packet: Buffer, etherSource: Buffer): Question | undefined {
  if (packet.length < IPV6_BYTES + SOLICITATION_BYTES || !isFromLink(packet)) return undefined;
  const length = packet.readUInt16BE(4);
  const message = packet.subarray(IPV6_BYTES, IPV6_BYTES + length);
  if (message.length !== length || !isSolicitation(message)) return undefined;
  const options = readOptions(message.subarray(SOLICITATION_BYTES));
  const sender = packet.subarray(8, 24);
  const destination = packet.subarray(24, 40);
  const target = message.subarray(8, 24);
  if (!options || !isAskable({ sender, destination, target }, options.mac)) return undefined;
  // A message that is right adds up, with its checksum in place, to nothing.
  if (icmpv6Checksum(sender, destination, message) !== 0) return undefined;
  return questionOf("ipv6", { askerMac: options.mac ?? etherSource, sender, target });
}

type Addresses = { readonly sender: Buffer; readonly destination: Buffer; readonly target: Buffer };

/**
 * No group asks, and none is asked for. A host without an address asks without its hardware address, and the
 * target's solicited-node group.
 */
function isAskable({ sender, destination, target }: Addresses, mac: Buffer | undefined): boolean {
  if (target[0] === 0xff || sender[0] === 0xff) return false;
  return !isZero(sender) || (!mac && isSolicitedNode(destination, target));
}

/** An IPv6 packet with an ICMPv6 message that no router forwarded. */
function isFromLink(packet: Buffer): boolean {
  return (
    packet.readUInt8(0) >>> 4 === 6 &&
    packet.readUInt8(6) === ICMPV6 &&
    packet.readUInt8(7) === HOP_LIMIT
  );
}

function isSolicitation(message: Buffer): boolean {
  return (
    message.length >= SOLICITATION_BYTES &&
    message.readUInt8(0) === NEIGHBOR_SOLICITATION &&
    message.readUInt8(1) === 0
  );
}

type Parts = { readonly askerMac: Buffer; readonly sender: Buffer; readonly target: Buffer };

function questionOf(family: Family, { askerMac, sender, target }: Parts): Question | undefined {
  const address = addressFromBytes(target);
  return (
    address && {
      family,
      target: formatAddress(address),
      asker: isZero(sender) ? undefined : addressFromBytes(sender),
      askerMac: Uint8Array.from(askerMac),
    }
  );
}

/** The options of a solicitation; undefined if one has no length, or more than there is. */
function readOptions(bytes: Buffer): { readonly mac?: Buffer } | undefined {
  let mac: Buffer | undefined;
  for (let at = 0; at < bytes.length; ) {
    const length = (bytes[at + 1] ?? 0) * 8;
    if (length === 0 || at + length > bytes.length) return undefined;
    if (bytes[at] === SOURCE_LINK_LAYER_ADDRESS) mac ??= bytes.subarray(at + 2, at + 8);
    at += length;
  }
  if (mac && isGroup(mac)) return undefined;
  return mac ? { mac } : {};
}

function isSolicitedNode(destination: Buffer, target: Buffer): boolean {
  const prefix = Buffer.from("ff0200000000000000000001ff", "hex");
  return (
    destination.subarray(0, 13).equals(prefix) &&
    destination.subarray(13).equals(target.subarray(13))
  );
}

function isZero(bytes: Buffer): boolean {
  return bytes.every(byte => byte === 0);
}

function isGroup(mac: Buffer): boolean {
  return ((mac[0] ?? 0) & 1) === 1;
}
