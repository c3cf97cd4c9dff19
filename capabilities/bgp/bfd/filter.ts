/**
 * The kernel's filter for what BFD sockets receive: packets of known neighbors whose TTL or hop limit is high
 * enough. Node.js cannot tell the TTL of a datagram, and a stranger's packets cost no wakeup this way.
 */
import type { Instruction } from "../transport/libc";
import { familyOf, parseAddress } from "../wire/address";
import { ECHO_PORT } from "./wire/echo";
import { CONTROL_PORT } from "./wire/packet";

/** A neighbor, as an address without a zone, and the least TTL that its packets may arrive with. */
export type Admission = { readonly address: string; readonly minimumTtl: number };

const LOAD_WORD = 0x20;
const LOAD_HALF = 0x28;
const LOAD_BYTE = 0x30;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_GREATER_OR_EQUAL = 0x35;
const RETURN = 0x06;

/** SKF_NET_OFF: offsets from here on are from the IP header, which a UDP socket's packet lies behind. */
const NETWORK_HEADER = 0xfff0_0000;
/** Where things are in a packet without options, and the first octet that says so. */
const HEADER = {
  ipv4: { first: 0x45, source: 12, target: 16, ttl: 8, protocol: 9, port: 22 },
  ipv6: { first: undefined, source: 8, target: 24, ttl: 7, protocol: 6, port: 42 },
} as const;
const UDP = 17;
const WHOLE_PACKET = 0xffff;
const DROP: Instruction = [RETURN, 0, 0, 0];

/**
 * A filter for a socket of the addresses' family. The kernel takes 4096 instructions, enough for 290 neighbors
 * by IPv6.
 */
export function admissionFilter(neighbors: readonly Admission[]): readonly Instruction[] {
  return [...neighbors.flatMap(blockOf), DROP];
}

/** What is loaded from the IP header on has to be a value, or at least that. */
type Check = {
  readonly load: number;
  readonly at: number;
  readonly value: number;
  readonly jump?: number;
};

/** Lets through what passes all of the checks; all else goes on with the next instruction. */
function accept(checks: readonly Check[]): readonly Instruction[] {
  const tests = checks.flatMap(({ load, at, value, jump = JUMP_IF_EQUAL }, index) => {
    // Over the checks that are left and the verdict.
    const over = 2 * (checks.length - 1 - index) + 1;
    return [[load, 0, 0, NETWORK_HEADER + at] as const, [jump, 0, over, value] as const];
  });
  return [...tests, [RETURN, 0, 0, WHOLE_PACKET]];
}

function addressIs(address: string, at: number): readonly Check[] {
  const octets = parseAddress(address) ?? new Uint8Array();
  const view = new DataView(octets.buffer);
  return Array.from({ length: octets.length / 4 }, (_, word) => ({
    ...{ load: LOAD_WORD, at: at + 4 * word, value: view.getUint32(4 * word) },
  }));
}

function blockOf({ address, minimumTtl }: Admission): readonly Instruction[] {
  const { source, ttl } = HEADER[familyOf(address)];
  return accept([
    ...addressIs(address, source),
    { load: LOAD_BYTE, at: ttl, value: minimumTtl, jump: JUMP_IF_GREATER_OR_EQUAL },
  ]);
}

/**
 * Of all packets of a family on a link: echo packets from our address to it that one router has looped, and control
 * packets of the neighbor, whose hardware address they tell. Packets with options or extension headers are neither.
 */
export function echoFilter(own: string, neighbor: string): readonly Instruction[] {
  const { source, target, ttl, protocol, port, first } = HEADER[familyOf(own)];
  const udp = (to: number, hops: number): readonly Check[] => [
    { load: LOAD_BYTE, at: protocol, value: UDP },
    { load: LOAD_HALF, at: port, value: to },
    { load: LOAD_BYTE, at: ttl, value: hops },
    ...(first === undefined ? [] : [{ load: LOAD_BYTE, at: 0, value: first }]),
  ];
  return [
    ...accept([...udp(ECHO_PORT, 254), ...addressIs(own, source), ...addressIs(own, target)]),
    ...accept([...udp(CONTROL_PORT, 255), ...addressIs(neighbor, source)]),
    DROP,
  ];
}
