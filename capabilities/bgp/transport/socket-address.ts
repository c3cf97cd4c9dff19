import { endianness } from "node:os";
import { addressBytes, formatAddress } from "../wire/address";
import type { Family } from "../wire/address";

/** Of linux/socket.h. */
export const AF_INET = 2;
export const AF_INET6 = 10;

const isLittle = endianness() === "LE";

/** Writes numbers in the order of this machine, as structures of the kernel have them. */
export function hostU16(bytes: Uint8Array, at: number, value: number): void {
  new DataView(bytes.buffer, bytes.byteOffset).setUint16(at, value, isLittle);
}

export function hostU32(bytes: Uint8Array, at: number, value: number): void {
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, value, isLittle);
}

/** Where a packet goes or comes from. */
export type SocketAddress = {
  readonly family: Family;
  /** Without a zone. */
  readonly address: string;
  readonly port: number;
  /** Number of the interface, of a link-local address; 0 for any. */
  readonly scope: number;
};

/** struct sockaddr_in or sockaddr_in6. */
export function encodeSocketAddress({ address, port, scope }: SocketAddress): Uint8Array {
  const octets = addressBytes(address);
  const isV6 = octets.length === 16;
  const bytes = new Uint8Array(isV6 ? 28 : 16);
  hostU16(bytes, 0, isV6 ? AF_INET6 : AF_INET);
  new DataView(bytes.buffer).setUint16(2, port);
  bytes.set(octets, isV6 ? 8 : 4);
  if (isV6) hostU32(bytes, 24, scope);
  return bytes;
}

/** The reverse, for IPv6. */
export function decodeIpv6SocketAddress(bytes: Uint8Array): SocketAddress {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return {
    family: "ipv6",
    address: formatAddress(bytes.slice(8, 24)),
    port: view.getUint16(2),
    scope: view.getUint32(24, isLittle),
  };
}

/** `fe80::1%eth0` is an address and a zone. */
export function splitZone(text: string): readonly [address: string, zone: string | undefined] {
  const [address = "", zone] = text.split("%");
  return [address, zone];
}

/** Without the zone, and IPv4 as such where a socket of IPv6 shows it mapped. */
export function plainAddress(text: string): string {
  return splitZone(text)[0].replace(/^::ffff:(?=\d+\.)/i, "");
}
