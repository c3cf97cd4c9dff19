import { parseAddress } from "../../config/address";
import type { IpAddress } from "../../config/address";
import { addressBytes } from "../address-bytes";
import type { Link } from "../layer2/kernel-state";
import { BROADCAST_MAC, encodeFrame, parseMac } from "./ethernet";
import type { Mac } from "./ethernet";
import { encodeIcmpv6 } from "./ndp";
import { readSighting } from "./sighting";

const ETHERTYPE_ARP = 0x0806;
const ETHERTYPE_IPV6 = 0x86dd;
const NEIGHBOR_SOLICITATION = 135;
const SOURCE_LINK_LAYER_ADDRESS = 1;

/** Who asks: the interface's hardware address and an address to ask from, of the same family. */
export type Asker = {
  readonly mac: Mac;
  readonly source: IpAddress;
  /** The hardware address that the question goes to; without it, it goes to all. */
  readonly to?: Mac;
};

/**
 * "Who has this address?" An ordinary ARP request, since the kernel's proxying does not answer one without a
 * sender (net/ipv4/arp.c arp_process, RFC 5227 probe), or a neighbor solicitation (RFC 4861 section 4.3) to
 * the address's solicited-node group.
 */
export function queryFrame(address: IpAddress, asker: Asker): Buffer {
  return address.family === "ipv4" ? arpRequest(address, asker) : solicitation(address, asker);
}

/** The question as this node asks it on a link; undefined where it has no address of the family to ask from. */
export function queryOn(link: Link, address: IpAddress): Buffer | undefined {
  const mac = parseMac(link.mac);
  const text = address.family === "ipv4" ? link.ipv4 : link.linkLocal;
  const source = text === undefined ? undefined : parseAddress(text);
  return mac && source && queryFrame(address, { mac, source });
}

function arpRequest(address: IpAddress, { mac, source, to: destination }: Asker): Buffer {
  const head = Buffer.from([0, 1, 8, 0, 6, 4, 0, 1]);
  const target = Buffer.alloc(6);
  const payload = Buffer.concat([head, mac, addressBytes(source), target, addressBytes(address)]);
  const header = { destination: destination ?? BROADCAST_MAC, source: mac, type: ETHERTYPE_ARP };
  return encodeFrame(header, payload);
}

function solicitation(address: IpAddress, { mac, source, to }: Asker): Buffer {
  const target = addressBytes(address);
  const tail = target.subarray(13);
  const group = Buffer.concat([Buffer.from("ff0200000000000000000001ff", "hex"), tail]);
  const head = Buffer.from([NEIGHBOR_SOLICITATION, 0, 0, 0, 0, 0, 0, 0]);
  const option = Buffer.from([SOURCE_LINK_LAYER_ADDRESS, 1, ...mac]);
  const message = Buffer.concat([head, target, option]);
  const packet = encodeIcmpv6(addressBytes(source), group, message);
  const destination = to ?? Uint8Array.of(0x33, 0x33, 0xff, ...tail);
  return encodeFrame({ destination, source: mac, type: ETHERTYPE_IPV6 }, packet);
}

/**
 * The address that a frame answers for: an ARP reply's sender, or a neighbor advertisement's target. Undefined for
 * every other frame and for one that breaks the rules.
 */
export function answeredAddress(frame: Uint8Array): string | undefined {
  const sighting = readSighting(frame);
  const isAnswer = sighting?.what === "reply" || sighting?.what === "advertisement";
  return isAnswer ? sighting.address : undefined;
}
