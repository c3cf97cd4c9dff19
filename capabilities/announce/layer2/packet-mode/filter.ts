/**
 * One instruction of classic BPF (linux/filter.h, struct sock_filter): code, jump if true, jump if false, both
 * counted from the next instruction, and a value.
 */
export type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

/** Keys from `first` to `last`, both included; unsigned 32 bits. */
export type Interval = { readonly first: number; readonly last: number };

/** Bytes of a frame that the kernel hands over; no question is longer but for options that do not matter. */
export const FRAME_BYTES = 256;

/**
 * So many intervals a filter may have. A filter of that size fits the kernel's smallest limits: 4096 instructions,
 * and net.core.optmem_max of 20 KiB, of which this takes 14.
 */
export const MAX_INTERVALS = 512;

const LOAD_BYTE = 0x30;
const LOAD_HALF = 0x28;
const LOAD_WORD = 0x20;
const JUMP = 0x05;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER = 0x25;
const JUMP_GREATER_OR_EQUAL = 0x35;
const RETURN = 0x06;
/** SKF_AD_OFF + SKF_AD_PKTTYPE: how the frame came here; above 2 it was for another host, or is our own. */
const PACKET_TYPE = 0xffff_f004;
const PACKET_MULTICAST = 2;
/** Of more tests than this in a row, a tree is made: with the jumps' 8 bits, 60 would fit. */
const LEAF_INTERVALS = 8;

const DROP: Instruction = [RETURN, 0, 0, 0];
const ACCEPT: Instruction = [RETURN, 0, 0, FRAME_BYTES];

/**
 * Lets ARP requests through whose target is in one of the intervals, and that are for this host or for all. For a
 * socket that is bound to ETH_P_ARP.
 */
export function arpRequestFilter(targets: readonly Interval[]): readonly Instruction[] {
  return [
    ...expect(LOAD_HALF, 20, 1), // the operation: request
    ...exceptForOthers(),
    [LOAD_WORD, 0, 0, 38], // the target's protocol address
    ...membership(targets),
  ];
}

/**
 * Lets neighbor solicitations through (without extension headers: RFC 4861 has no use for them) whose target's
 * last 32 bits are in one of the intervals. For a socket that is bound to ETH_P_IPV6.
 */
export function solicitationFilter(targets: readonly Interval[]): readonly Instruction[] {
  return [
    ...expect(LOAD_BYTE, 20, 58), // the next header: ICMPv6
    ...expect(LOAD_BYTE, 54, 135), // the type: neighbor solicitation
    ...exceptForOthers(),
    [LOAD_WORD, 0, 0, 74], // the last word of the target
    ...membership(targets),
  ];
}

/** Lets nothing through. */
export const NOTHING: readonly Instruction[] = [DROP];

/**
 * The fewest intervals that hold exactly these keys; if those are more than `limit`, the narrowest gaps are
 * closed, so that a few others get through. Sorted.
 */
export function intervalsOf(keys: Iterable<number>, limit = MAX_INTERVALS): readonly Interval[] {
  const exact: Interval[] = [];
  for (const key of [...new Set(keys)].sort((a, b) => a - b)) {
    const last = exact.at(-1);
    if (last?.last === key - 1) exact[exact.length - 1] = { first: last.first, last: key };
    else exact.push({ first: key, last: key });
  }
  return exact.length <= limit ? exact : closeGaps(exact, limit);
}

/** Of more intervals than wanted, those that are left when the narrowest gaps between them are closed. */
function closeGaps(intervals: readonly Interval[], limit: number): readonly Interval[] {
  const widths = intervals.map(({ first }, at) => first - (intervals[at - 1]?.last ?? -Infinity));
  const byWidth = [...widths.keys()].sort((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0));
  const isStart = new Set(byWidth.slice(0, limit));
  const closed: Interval[] = [];
  for (const [at, { first, last }] of intervals.entries()) {
    const before = closed.at(-1);
    if (isStart.has(at) || !before) closed.push({ first, last });
    else closed[closed.length - 1] = { first: before.first, last };
  }
  return closed;
}

function expect(load: number, at: number, value: number): readonly Instruction[] {
  return [[load, 0, 0, at], [JUMP_EQUAL, 1, 0, value], DROP];
}

function exceptForOthers(): readonly Instruction[] {
  return [[LOAD_BYTE, 0, 0, PACKET_TYPE], [JUMP_GREATER, 0, 1, PACKET_MULTICAST], DROP];
}

/** Accepts if the loaded word is in one of the sorted intervals. A binary search, ended by some tests in a row. */
function membership(intervals: readonly Interval[]): readonly Instruction[] {
  if (intervals.length <= LEAF_INTERVALS) return [...intervals.flatMap(test), DROP];
  const middle = intervals.length >>> 1;
  const low = membership(intervals.slice(0, middle));
  const rest = intervals.slice(middle);
  const high = membership(rest);
  return [
    [JUMP_GREATER_OR_EQUAL, 0, 1, rest[0]?.first ?? 0],
    [JUMP, 0, 0, low.length],
    ...low,
    ...high,
  ];
}

function test({ first, last }: Interval): readonly Instruction[] {
  if (first === last) return [[JUMP_EQUAL, 0, 1, first], ACCEPT];
  return [[JUMP_GREATER_OR_EQUAL, 0, 2, first], [JUMP_GREATER, 1, 0, last], ACCEPT];
}
