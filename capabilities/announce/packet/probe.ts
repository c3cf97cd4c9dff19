import { addressBytes } from "../address-bytes";
import type { IpAddress } from "../../config/address";
import { BROADCAST_MAC, encodeFrame } from "./ethernet";
import type { Mac } from "./ethernet";
import { encodeIcmpv6 } from "./ndp";

const ETHERTYPE_ARP = 0x0806;
const ETHERTYPE_IPV6 = 0x86dd;
const NEIGHBOR_SOLICITATION = 135;
const NOBODY = Buffer.alloc(16);

/**
 * "Has anybody this address? I am about to use it." An ARP probe (RFC 5227 section 1.1: the sender's address is
 * zero, so that no cache learns anything), or the neighbor solicitation of duplicate address detection (RFC 4862
 * section 5.4.2: from the unspecified address, without options).
 */
export function probeFrame(address: IpAddress, mac: Mac): Buffer {
  const target = addressBytes(address);
  if (address.family === "ipv4") {
    const head = Buffer.from([0, 1, 8, 0, 6, 4, 0, 1]);
    const payload = Buffer.concat([head, mac, Buffer.alloc(10), target]);
    return encodeFrame({ destination: BROADCAST_MAC, source: mac, type: ETHERTYPE_ARP }, payload);
  }
  const tail = target.subarray(13);
  const group = Buffer.concat([Buffer.from("ff0200000000000000000001ff", "hex"), tail]);
  const message = Buffer.concat([
    Buffer.from([NEIGHBOR_SOLICITATION, 0, 0, 0, 0, 0, 0, 0]),
    target,
  ]);
  const destination = Uint8Array.of(0x33, 0x33, 0xff, ...tail);
  const packet = encodeIcmpv6(NOBODY, group, message);
  return encodeFrame({ destination, source: mac, type: ETHERTYPE_IPV6 }, packet);
}
