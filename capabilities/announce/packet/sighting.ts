import { formatAddress } from "../../config/address";
import { addressFromBytes } from "../address-bytes";
import { formatMac } from "./ethernet";
import { icmpv6Checksum } from "./ndp";

/**
 * What a frame says of an address: `request`, `reply` and `advertisement` that its sender has it, `probe` that its
 * sender is about to take it if nobody objects (RFC 5227 section 1.1, RFC 4862 section 5.4).
 */
export type Sighting = {
  readonly what: "request" | "reply" | "advertisement" | "probe";
  /** Canonical text. */
  readonly address: string;
  /** The hardware address that neighbours would learn, in text. */
  readonly mac: string;
  /** The address that it is said to: of an ARP reply its target, of an advertisement the packet's destination. */
  readonly to?: string;
};

const ETHERNET_BYTES = 14;
const ETHERTYPE_ARP = 0x0806;
const ETHERTYPE_IPV6 = 0x86dd;
/** Hardware type Ethernet, protocol IPv4, lengths 6 and 4 (RFC 826). */
const ARP_HEAD = Buffer.from([0, 1, 8, 0, 6, 4, 0]);
const ARP_BYTES = 28;
const IPV6_BYTES = 40;
const ICMPV6 = 58;
const HOP_LIMIT = 255;
const SOLICITATION = 135;
const ADVERTISEMENT = 136;
const SOURCE_LINK_LAYER_ADDRESS = 1;
const TARGET_LINK_LAYER_ADDRESS = 2;
/** ICMPv6 header and target. */
const NEIGHBOR_BYTES = 24;

/**
 * Reads an Ethernet frame as it was heard. Undefined for one that says of no address who has it, and for one that
 * breaks the rules of RFC 826 or RFC 4861 section 7.1: such a frame has no effect.
 */
export function readSighting(frame: Uint8Array): Sighting | undefined {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  if (bytes.length < ETHERNET_BYTES + ARP_BYTES) return undefined;
  const type = bytes.readUInt16BE(12);
  const payload = bytes.subarray(ETHERNET_BYTES);
  if (type === ETHERTYPE_ARP) return readArp(payload);
  return type === ETHERTYPE_IPV6 ? readNdp(payload, bytes.subarray(6, 12)) : undefined;
}

function readArp(payload: Buffer): Sighting | undefined {
  if (!payload.subarray(0, 7).equals(ARP_HEAD)) return undefined;
  const operation = payload.readUInt8(7);
  if (operation !== 1 && operation !== 2) return undefined;
  const mac = payload.subarray(8, 14);
  const sender = payload.subarray(14, 18);
  if (!isHost(mac)) return undefined;
  const target = payload.subarray(24, 28);
  if (isZero(sender)) return operation === 1 ? sighting("probe", target, mac) : undefined;
  return operation === 1
    ? sighting("request", sender, mac)
    : withReceiver(sighting("reply", sender, mac), target);
}

function readNdp(packet: Buffer, from: Buffer): Sighting | undefined {
  const message = neighborMessage(packet);
  const options = message && readOptions(message.subarray(NEIGHBOR_BYTES));
  if (!options) return undefined;
  const target = message.subarray(8, NEIGHBOR_BYTES);
  const source = packet.subarray(8, 24);
  if (message.readUInt8(0) === ADVERTISEMENT) {
    const mac = options.get(TARGET_LINK_LAYER_ADDRESS) ?? from;
    return withReceiver(told("advertisement", target, mac), packet.subarray(24, 40));
  }
  const sender = options.get(SOURCE_LINK_LAYER_ADDRESS);
  if (!isZero(source)) return told("request", source, sender ?? from);
  // RFC 4861 section 7.1.1: without a source there is no option.
  return sender ? undefined : told("probe", target, from);
}

/** The ICMPv6 message of a neighbor advertisement or solicitation that is in order. */
function neighborMessage(packet: Buffer): Buffer | undefined {
  if (packet.length < IPV6_BYTES + NEIGHBOR_BYTES) return undefined;
  const [version, next, limit] = [packet.readUInt8(0) >> 4, packet.readUInt8(6), packet[7]];
  if (version !== 6 || next !== ICMPV6 || limit !== HOP_LIMIT) return undefined;
  const length = packet.readUInt16BE(4);
  const message = packet.subarray(IPV6_BYTES, IPV6_BYTES + length);
  if (message.length !== length || length < NEIGHBOR_BYTES) return undefined;
  if (!isNeighborMessage(message)) return undefined;
  // Over a message that holds its own sum, the sum is 0.
  const sum = icmpv6Checksum(packet.subarray(8, 24), packet.subarray(24, 40), message);
  return sum === 0 ? message : undefined;
}

/** Of a known type, with code 0, about one host's address. */
function isNeighborMessage(message: Buffer): boolean {
  const isMulticast = message.readUInt8(8) === 0xff;
  const isKnown = [SOLICITATION, ADVERTISEMENT].includes(message.readUInt8(0));
  return isKnown && message.readUInt8(1) === 0 && !isMulticast;
}

/** The link-layer addresses by option type; undefined if an option is cut or has no length. */
function readOptions(bytes: Buffer): ReadonlyMap<number, Buffer> | undefined {
  const found = new Map<number, Buffer>();
  let rest = bytes;
  while (rest.length > 0) {
    const length = rest.length < 2 ? 0 : rest.readUInt8(1) * 8;
    if (length === 0 || length > rest.length) return undefined;
    if (length === 8) found.set(rest.readUInt8(0), rest.subarray(2, 8));
    rest = rest.subarray(length);
  }
  return found;
}

function withReceiver(said: Sighting | undefined, bytes: Buffer): Sighting | undefined {
  const receiver = said && addressFromBytes(bytes);
  return said && receiver ? { ...said, to: formatAddress(receiver) } : said;
}

function told(what: Sighting["what"], address: Buffer, mac: Buffer): Sighting | undefined {
  return isHost(mac) ? sighting(what, address, mac) : undefined;
}

function sighting(what: Sighting["what"], bytes: Buffer, mac: Buffer): Sighting | undefined {
  const address = addressFromBytes(bytes);
  return address && { what, address: formatAddress(address), mac: formatMac(mac) };
}

/** A hardware address that one host can have: not zero, not a group's. */
function isHost(mac: Buffer): boolean {
  return !isZero(mac) && (mac.readUInt8(0) & 1) === 0;
}

function isZero(bytes: Buffer): boolean {
  return bytes.every(byte => byte === 0);
}
