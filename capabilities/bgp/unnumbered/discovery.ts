/** Who is at the other end of a link: routers that advertise themselves (RFC 4861), as we do. */
import {
  attachFilter,
  closeSocket,
  interfaceIndex,
  openSocket,
  receiveFrom,
  sendTo,
  setOption,
} from "../transport/libc";
import {
  AF_INET6,
  decodeIpv6SocketAddress,
  encodeSocketAddress,
  hostU32,
} from "../transport/socket-address";
import { SOL_SOCKET } from "../transport/socket-options";
import { addressBytes } from "../wire/address";
import { advertisement, IcmpType, trustedType, solicitation } from "./icmp6";

/** Ends a search. */
export type Search = { stop(): void };

/**
 * Looks for routers on an interface, and advertises ourselves there.
 *
 * @param found - called with the link-local address, zone and all, of every advertisement
 * @param failed - called with why there can be no search
 */
export type Discover = (
  interfaceName: string,
  found: (address: string) => void,
  failed: (error: Error) => void,
) => Search;

const SOCK_RAW = 3;
const SO_BINDTODEVICE = 25;
const IPPROTO_IPV6 = 41;
const IPPROTO_ICMPV6 = 58;
const IPV6_UNICAST_HOPS = 16;
const IPV6_MULTICAST_IF = 17;
const IPV6_MULTICAST_HOPS = 18;
const IPV6_ADD_MEMBERSHIP = 20;
const ICMP6_FILTER = 1;
const ALL_NODES = "ff02::1";
const ALL_ROUTERS = "ff02::2";

/** How often the socket is looked at: a raw one cannot wake Node.js. */
const LOOK_MS = 100;
/** RFC 4861 section 6.2.1: the first few soon, for peers that have just come up, too. */
const FIRST_MS = 1_000;
const FIRST_COUNT = 3;
const INTERVAL_MS = 10_000;

export const discoverByAdvertisement: Discover = (interfaceName, found, failed) => {
  let fd: number | undefined;
  let sent = 0;
  let due = 0;

  /** The interface may come, go, and have no address yet, so everything is tried again. */
  function look(): void {
    try {
      fd ??= open(interfaceName);
      receive(fd);
      if (Date.now() >= due) say(fd);
    } catch (error) {
      close();
      failed(error as Error);
    }
  }

  function say(socket: number): void {
    if (!tell(socket, interfaceName, advertisement, ALL_NODES)) {
      close();
      return;
    }
    tell(socket, interfaceName, solicitation, ALL_ROUTERS);
    sent += 1;
    due = Date.now() + (sent < FIRST_COUNT ? FIRST_MS : INTERVAL_MS);
  }

  function receive(socket: number): void {
    for (let packet = receiveFrom(socket); packet !== undefined; packet = receiveFrom(socket)) {
      const from = decodeIpv6SocketAddress(packet.address).address;
      if (trustedType(from, packet.data) === IcmpType.RouterAdvertisement) {
        found(`${from}%${interfaceName}`);
      } else if (packet.data[0] === IcmpType.RouterSolicitation) {
        tell(socket, interfaceName, advertisement, ALL_NODES);
      }
    }
  }

  function close(): void {
    if (fd !== undefined) closeSocket(fd);
    fd = undefined;
  }

  const timer = setInterval(look, LOOK_MS);
  look();
  return {
    stop: () => {
      clearInterval(timer);
      close();
    },
  };
};

function tell(fd: number, name: string, message: Uint8Array, to: string): boolean {
  const scope = interfaceIndex(name);
  const address = encodeSocketAddress({ family: "ipv6", address: to, port: 0, scope });
  return scope !== 0 && sendTo(fd, message, address) === 0;
}

/** Hop limits are 255, so that nobody from afar is heard (RFC 4861 section 6.1.2). */
function open(interfaceName: string): number {
  const index = interfaceIndex(interfaceName);
  if (index === 0) throw new Error(`there is no interface ${interfaceName}`);
  const what = "no ICMPv6 socket: unnumbered sessions need CAP_NET_RAW";
  const fd = openSocket(what, AF_INET6, SOCK_RAW, { protocol: IPPROTO_ICMPV6 });
  const set = (name: number, value: number | Uint8Array, level = IPPROTO_IPV6): void => {
    setOption(fd, { what: `option ${name} of ICMPv6`, level, name, value });
  };
  try {
    attachFilter(fd, HOP_LIMIT_IS_255);
    set(ICMP6_FILTER, onlyRouters(), IPPROTO_ICMPV6);
    set(SO_BINDTODEVICE, new TextEncoder().encode(interfaceName), SOL_SOCKET);
    set(IPV6_UNICAST_HOPS, 255);
    set(IPV6_MULTICAST_HOPS, 255);
    set(IPV6_MULTICAST_IF, index);
    const membership = new Uint8Array(20);
    membership.set(addressBytes(ALL_ROUTERS));
    hostU32(membership, 16, index);
    set(IPV6_ADD_MEMBERSHIP, membership);
    return fd;
  } catch (error) {
    closeSocket(fd);
    throw error;
  }
}

/** struct icmp6_filter: a bit that is set keeps a type away. */
function onlyRouters(): Uint8Array {
  const words = new Uint32Array(8).fill(0xffff_ffff);
  for (const type of [IcmpType.RouterSolicitation, IcmpType.RouterAdvertisement]) {
    words[type >> 5] = (words[type >> 5] ?? 0) & ~(1 << (type & 31));
  }
  return new Uint8Array(words.buffer);
}

/** Classic BPF (linux/filter.h): octet 7 of the IPv6 header. */
const HOP_LIMIT_IS_255 = [
  [0x30, 0, 0, 0xfff0_0007],
  [0x15, 0, 1, 255],
  [0x06, 0, 0, 0xffff],
  [0x06, 0, 0, 0],
] as const;
