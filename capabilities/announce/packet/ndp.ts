import { internetChecksum } from "../../bgp/wire/checksum";
import { addressBytes } from "../address-bytes";
import type { IpAddress } from "../../config/address";
import { encodeFrame } from "./ethernet";
import type { Mac } from "./ethernet";

const ETHERTYPE_IPV6 = 0x86dd;
const ICMPV6 = 58;
const NEIGHBOR_ADVERTISEMENT = 136;
/** Routers and hosts discard a neighbor message whose hop limit is less: it was forwarded (RFC 4861 7.1.2). */
const HOP_LIMIT = 255;
/** Override: replace what the neighbor knows. Neither Solicited nor Router. */
const FLAGS_OVERRIDE = 0x20;
const TARGET_LINK_LAYER_ADDRESS = 2;
const ALL_NODES_MAC: Mac = Uint8Array.of(0x33, 0x33, 0, 0, 0, 1);
const ALL_NODES = Buffer.from("ff020000000000000000000000000001", "hex");
const ALL_ROUTERS_MAC: Mac = Uint8Array.of(0x33, 0x33, 0, 0, 0, 2);
const ALL_ROUTERS = Buffer.from("ff020000000000000000000000000002", "hex");

/**
 * Unsolicited neighbor advertisement to all nodes (RFC 4861 section 7.2.6): neighbors that know the address
 * under another hardware address take this one.
 *
 * @param source address that the packet comes from: the interface's link-local one
 */
export function unsolicitedAdvertisement(address: IpAddress, mac: Mac, source: IpAddress): Buffer {
  const to = { group: ALL_NODES, destination: ALL_NODES_MAC, flags: FLAGS_OVERRIDE };
  return advertisement(address, { mac, source, ...to });
}

/**
 * The same to all routers, without Override (RFC 9131 section 4.2): a router that does not know the address yet takes it
 * up, so that the first packets from outside need not wait for it to ask.
 */
export function advertisementToRouters(address: IpAddress, mac: Mac, source: IpAddress): Buffer {
  const to = { group: ALL_ROUTERS, destination: ALL_ROUTERS_MAC, flags: 0 };
  return advertisement(address, { mac, source, ...to });
}

type Told = {
  readonly mac: Mac;
  readonly source: IpAddress;
  readonly group: Buffer;
  readonly destination: Mac;
  readonly flags: number;
};

function advertisement(
  address: IpAddress,
  { mac, source, group, destination, flags }: Told,
): Buffer {
  const message = Buffer.concat([
    Buffer.from([NEIGHBOR_ADVERTISEMENT, 0, 0, 0, flags, 0, 0, 0]),
    addressBytes(address),
    Buffer.from([TARGET_LINK_LAYER_ADDRESS, 1]),
    mac,
  ]);
  const packet = encodeIcmpv6(addressBytes(source), group, message);
  return encodeFrame({ destination, source: mac, type: ETHERTYPE_IPV6 }, packet);
}

/** An IPv6 packet with an ICMPv6 message whose checksum is still 0. */
export function encodeIcmpv6(source: Buffer, destination: Buffer, message: Buffer): Buffer {
  const summed = Buffer.from(message);
  summed.writeUInt16BE(icmpv6Checksum(source, destination, message), 2);
  const header = Buffer.alloc(8);
  header.writeUInt8(0x60, 0);
  header.writeUInt16BE(message.length, 4);
  header.writeUInt8(ICMPV6, 6);
  header.writeUInt8(HOP_LIMIT, 7);
  return Buffer.concat([header, source, destination, summed]);
}

/** Checksum of an ICMPv6 message over the pseudo header (RFC 4443 section 2.3, RFC 8200 section 8.1). */
export function icmpv6Checksum(source: Buffer, destination: Buffer, message: Buffer): number {
  const tail = Buffer.alloc(8);
  tail.writeUInt32BE(message.length, 0);
  tail.writeUInt8(ICMPV6, 7);
  return internetChecksum(Buffer.concat([source, destination, tail, message]));
}
