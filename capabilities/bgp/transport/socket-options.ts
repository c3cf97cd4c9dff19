/** Options of TCP connections as numbers and structures of Linux (include/uapi/linux). Pure. */
import { addressBytes } from "../wire/address";
import type { Family } from "../wire/address";
import type { SocketOption } from "./libc";
import { AF_INET, AF_INET6, hostU16 } from "./socket-address";
import type { SocketOptions } from "./transport";

export const SOL_SOCKET = 1;
export const IPPROTO_IP = 0;
export const IPPROTO_TCP = 6;
export const IPPROTO_IPV6 = 41;

const SO_REUSEADDR = 2;
const SO_BINDTODEVICE = 25;
const TCP_MD5SIG = 14;
const TCP_USER_TIMEOUT = 18;
const TCP_MD5SIG_EXT = 32;
const IPV6_V6ONLY = 26;

/** Names that the two families have for the same thing. */
const names = {
  ipv4: { level: IPPROTO_IP, ttl: 2, minTtl: 21, trafficClass: 1 },
  ipv6: { level: IPPROTO_IPV6, ttl: 16, minTtl: 73, trafficClass: 67 },
} as const;

/** Internetwork control (CS6), as routing protocols are marked. */
const CONTROL_CLASS = 0xc0;

/** All options of a connection but its password. */
export function optionsOf(
  family: Family,
  { ttl, minTtl, device, userTimeoutMs }: SocketOptions,
): readonly SocketOption[] {
  const { level, ...name } = names[family];
  const some = (
    what: string,
    number: number,
    value: number | undefined,
    at: number = level,
  ): readonly SocketOption[] =>
    value === undefined ? [] : [{ what, level: at, name: number, value }];
  return [
    { what: "a traffic class", level, name: name.trafficClass, value: CONTROL_CLASS },
    ...some(`a TTL of ${ttl ?? 0}`, name.ttl, ttl),
    ...some("TTL security", name.minTtl, minTtl),
    ...some("a user timeout", TCP_USER_TIMEOUT, userTimeoutMs, IPPROTO_TCP),
    ...deviceOption(device),
  ];
}

function deviceOption(device: string | undefined): readonly SocketOption[] {
  return device === undefined
    ? []
    : [
        {
          what: `the device ${device}`,
          level: SOL_SOCKET,
          name: SO_BINDTODEVICE,
          value: new TextEncoder().encode(device),
        },
      ];
}

/**
 * Options of a socket that listens. Its TTL goes into the answer to a SYN, which peers with TTL
 * security drop otherwise.
 */
export function listeningOptions(
  family: Family,
  device: string | undefined,
): readonly SocketOption[] {
  return [
    { what: "its address again", level: SOL_SOCKET, name: SO_REUSEADDR, value: 1 },
    ...(family === "ipv6"
      ? [
          { what: "IPv4 beside IPv6", level: IPPROTO_IPV6, name: IPV6_V6ONLY, value: 0 },
          ...optionsOf("ipv6", { ttl: 255 }),
        ]
      : []),
    ...optionsOf("ipv4", { ttl: 255 }),
    ...deviceOption(device),
  ];
}

/** struct tcp_md5sig of linux/tcp.h: a sockaddr_storage, flags, lengths, an interface and the key. */
const MD5SIG_BYTES = 216;
/** The flags, and the length of the prefix behind them. */
const FLAGS_AT = 128;
const KEY_LENGTH_AT = 130;
const KEY_AT = 136;
const FLAG_PREFIX = 1;
const MAX_KEY = 80;

/**
 * The option that signs what goes to a peer or a prefix of them (RFC 2385).
 *
 * @param password - 1–80 octets; undefined takes the key away
 * @param on - family of the socket: one of IPv6 has keys of IPv4 peers by their mapped addresses
 * @throws RangeError if the password does not fit
 */
export function md5Option(prefix: string, password: string | undefined, on?: Family): SocketOption {
  const [host = "", bits] = prefix.split("/");
  const octets = addressBytes(host);
  const value = new Uint8Array(MD5SIG_BYTES);
  writeAddress(value, octets, octets.length === 16 || on === "ipv6");
  writeKey(value, password);
  const isRange = bits !== undefined && Number(bits) < 8 * octets.length;
  if (isRange) value.set([FLAG_PREFIX, Number(bits)], FLAGS_AT);
  const name = isRange ? TCP_MD5SIG_EXT : TCP_MD5SIG;
  return { what: `MD5 signatures for ${prefix}`, level: IPPROTO_TCP, name, value };
}

/** sockaddr_in has the address behind the port, sockaddr_in6 behind port and flow. */
function writeAddress(value: Uint8Array, octets: Uint8Array, isV6: boolean): void {
  hostU16(value, 0, isV6 ? AF_INET6 : AF_INET);
  if (isV6 && octets.length === 4) value.fill(0xff, 18, 20);
  value.set(octets, isV6 ? 24 - octets.length : 4);
}

function writeKey(value: Uint8Array, password: string | undefined): void {
  const key = new TextEncoder().encode(password ?? "");
  if (password !== undefined && (key.length === 0 || key.length > MAX_KEY)) {
    throw new RangeError(`a password of ${key.length} octets: TCP signatures take 1 to ${MAX_KEY}`);
  }
  hostU16(value, KEY_LENGTH_AT, key.length);
  value.set(key, KEY_AT);
}
