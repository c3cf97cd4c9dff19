import { formatAddress } from "../../config/address";
import type { IpAddress } from "../../config/address";
import { addressBytes, addressFromBytes } from "../address-bytes";
import { BROADCAST_MAC, encodeFrame } from "./ethernet";
import type { Mac } from "./ethernet";
import { encodeIcmpv6 } from "./ndp";

const ETHERTYPE_ARP = 0x0806;
const ETHERTYPE_IPV6 = 0x86dd;
const ETHERNET_BYTES = 14;
const IPV6_BYTES = 40;
const ICMPV6 = 58;
const NEIGHBOR_SOLICITATION = 135;
const NEIGHBOR_ADVERTISEMENT = 136;
const SOURCE_LINK_LAYER_ADDRESS = 1;
const HOP_LIMIT = 255;
/** An ARP reply for IPv4 over Ethernet: hardware type, protocol, lengths, operation (RFC 826). */
const ARP_REPLY = Buffer.from([0, 1, 8, 0, 6, 4, 0, 2]);

/** Who asks: the interface's hardware address and an address of this node on it, of the same family. */
export type Asker = { readonly mac: Mac; readonly source: IpAddress };

/**
 * "Who has this address?" An ordinary ARP request, since the kernel's proxying does not answer one without a
 * sender (net/ipv4/arp.c arp_process, RFC 5227 probe), or a neighbor solicitation (RFC 4861 section 4.3) to
 * the address's solicited-node group.
 */
export function queryFrame(address: IpAddress, { mac, source }: Asker): Buffer {
  return address.family === "ipv4"
    ? arpRequest(address, { mac, source })
    : solicitation(address, { mac, source });
}

function arpRequest(address: IpAddress, { mac, source }: Asker): Buffer {
  const head = Buffer.from([0, 1, 8, 0, 6, 4, 0, 1]);
  const target = Buffer.alloc(6);
  const payload = Buffer.concat([head, mac, addressBytes(source), target, addressBytes(address)]);
  return encodeFrame({ destination: BROADCAST_MAC, source: mac, type: ETHERTYPE_ARP }, payload);
}

function solicitation(address: IpAddress, { mac, source }: Asker): Buffer {
  const target = addressBytes(address);
  const tail = target.subarray(13);
  const group = Buffer.concat([Buffer.from("ff0200000000000000000001ff", "hex"), tail]);
  const head = Buffer.from([NEIGHBOR_SOLICITATION, 0, 0, 0, 0, 0, 0, 0]);
  const option = Buffer.from([SOURCE_LINK_LAYER_ADDRESS, 1, ...mac]);
  const message = Buffer.concat([head, target, option]);
  const packet = encodeIcmpv6(addressBytes(source), group, message);
  const destination = Uint8Array.of(0x33, 0x33, 0xff, ...tail);
  return encodeFrame({ destination, source: mac, type: ETHERTYPE_IPV6 }, packet);
}

/**
 * The address that a frame says its sender has: of an ARP reply or a neighbor advertisement. Undefined for
 * every other frame and for one that breaks the rules of RFC 826 or RFC 4861 section 7.1.2.
 */
export function answeredAddress(frame: Uint8Array): string | undefined {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  if (bytes.length < ETHERNET_BYTES + 28) return undefined;
  const type = bytes.readUInt16BE(12);
  const payload = bytes.subarray(ETHERNET_BYTES);
  const target =
    type === ETHERTYPE_ARP
      ? arpSender(payload)
      : type === ETHERTYPE_IPV6
        ? advertised(payload)
        : undefined;
  const address = target && addressFromBytes(target);
  return address && formatAddress(address);
}

function arpSender(payload: Buffer): Buffer | undefined {
  return payload.subarray(0, 8).equals(ARP_REPLY) ? payload.subarray(14, 18) : undefined;
}

function advertised(packet: Buffer): Buffer | undefined {
  if (packet.length < IPV6_BYTES + 24 || packet.readUInt8(6) !== ICMPV6) return undefined;
  const isAdvertisement =
    packet.readUInt8(40) === NEIGHBOR_ADVERTISEMENT && packet.readUInt8(41) === 0;
  if (packet.readUInt8(7) !== HOP_LIMIT || !isAdvertisement) return undefined;
  return packet.subarray(48, 64);
}
