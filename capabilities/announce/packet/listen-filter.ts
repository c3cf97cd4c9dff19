import type { AddressRange } from "../../config/address";

/** One instruction of classic BPF (linux/filter.h): code, jump if true, if false, value. */
export type Instruction = readonly [number, number, number, number];

/** Bytes of a frame that are handed over: longer than any that is of interest. */
export const FRAME_BYTES = 256;
/** The kernel takes 4096 instructions (BPF_MAXINSNS), of which a range of IPv4 needs three. */
const MOST_SPANS = 600;
/** Each of these needs five instructions, twice. */
const MOST_PREFIXES = 100;

const LOAD_WORD = 0x20;
const LOAD_HALF = 0x28;
const LOAD_BYTE = 0x30;
const IF_EQUAL = 0x15;
const IF_GREATER = 0x25;
const IF_AT_LEAST = 0x35;
const JUMP = 0x05;
const RETURN = 0x06;
/** SKF_AD_OFF with SKF_AD_PKTTYPE and SKF_AD_VLAN_TAG_PRESENT: what the kernel knows beside the bytes. */
const PACKET_TYPE = 0xfffff000 + 4;
const VLAN_TAG_PRESENT = 0xfffff000 + 48;
const OUTGOING = 4;
/** Where the addresses are, from the frame's first byte. */
const ARP_SENDER = 28;
const ARP_TARGET = 38;
const IPV6_SOURCE = 22;
const NDP_TARGET = 62;

const ACCEPT: Instruction = [RETURN, 0, 0, FRAME_BYTES];
const DROP: Instruction = [RETURN, 0, 0, 0];

/** Inclusive, of unsigned 32-bit numbers. */
type Span = readonly [number, number];

/**
 * The filter of a socket that hears who claims or asks after an address: ARP whose sender, or whose target if the
 * sender is zero, is in a range; neighbor advertisements for, and neighbor solicitations from or (for duplicate
 * address detection) for, an address of a range's /64 networks. Not what this machine sends itself, nor what carries
 * a VLAN tag: that comes again on the VLAN's own interface. The kernel drops all else, so that this process looks
 * at little else.
 */
export function listenFilter(ranges: readonly AddressRange[]): readonly Instruction[] {
  const v4 = ranges.filter(({ family }) => family === "ipv4");
  const networks = networksOf(ranges.filter(({ family }) => family === "ipv6"));
  const arp: readonly Instruction[] = [
    [LOAD_WORD, 0, 0, ARP_SENDER],
    [IF_EQUAL, 0, 1, 0],
    [LOAD_WORD, 0, 0, ARP_TARGET],
    ...inSpans(joinSpans(v4.map(({ first, last }) => [Number(first), Number(last)]))),
    DROP,
  ];
  return [
    [LOAD_BYTE, 0, 0, PACKET_TYPE],
    [IF_EQUAL, 0, 1, OUTGOING],
    DROP,
    [LOAD_BYTE, 0, 0, VLAN_TAG_PRESENT],
    [IF_EQUAL, 1, 0, 0],
    DROP,
    [LOAD_HALF, 0, 0, 12],
    [IF_EQUAL, 1, 0, 0x0806],
    // Conditions jump over 255 instructions at most, this one as far as its value says.
    [JUMP, 0, 0, arp.length],
    ...arp,
    [IF_EQUAL, 1, 0, 0x86dd],
    DROP,
    [LOAD_BYTE, 0, 0, 20],
    [IF_EQUAL, 1, 0, 58],
    DROP,
    [LOAD_BYTE, 0, 0, 54],
    [IF_EQUAL, 2, 0, 136],
    [IF_EQUAL, 1, 0, 135],
    DROP,
    ...inNetworks(networks, IPV6_SOURCE),
    ...inNetworks(networks, NDP_TARGET),
    DROP,
  ];
}

/** Accepts if the number at hand is in one of the spans; else goes on after these instructions. */
function inSpans(spans: readonly Span[]): readonly Instruction[] {
  return spans.flatMap(([first, last]): Instruction[] => [
    [IF_AT_LEAST, 0, 2, first],
    [IF_GREATER, 1, 0, last],
    ACCEPT,
  ]);
}

/** IPv6 networks: by their first 64 bits, or where these would be too many, by spans of the first 32. */
type Networks = { readonly prefixes: readonly bigint[]; readonly spans: readonly Span[] };

function networksOf(ranges: readonly AddressRange[]): Networks {
  const isWide = ({ first, last }: AddressRange): boolean => (last >> 64n) - (first >> 64n) > 1n;
  const narrow = ranges.filter(range => !isWide(range));
  const prefixes = [...new Set(narrow.flatMap(({ first, last }) => [first >> 64n, last >> 64n]))];
  const isMany = prefixes.length > MOST_PREFIXES;
  const wide = isMany ? ranges : ranges.filter(isWide);
  const spans = wide.map(({ first, last }): Span => [Number(first >> 96n), Number(last >> 96n)]);
  return { prefixes: isMany ? [] : prefixes, spans: joinSpans(spans) };
}

/** Accepts if the address at an offset is in one of the networks. */
function inNetworks({ prefixes, spans }: Networks, at: number): readonly Instruction[] {
  const exact = prefixes.flatMap((prefix): Instruction[] => [
    [LOAD_WORD, 0, 0, at],
    [IF_EQUAL, 0, 3, Number(prefix >> 32n)],
    [LOAD_WORD, 0, 0, at + 4],
    [IF_EQUAL, 0, 1, Number(prefix & 0xffff_ffffn)],
    ACCEPT,
  ]);
  return spans.length === 0 ? exact : [...exact, [LOAD_WORD, 0, 0, at], ...inSpans(spans)];
}

/** Sorted and joined where they touch; of too many, those joined that are nearest: a little more is heard then. */
function joinSpans(spans: readonly Span[]): readonly Span[] {
  const joined: [number, number][] = [];
  for (const [first, last] of [...spans].sort((a, b) => a[0] - b[0])) {
    const previous = joined.at(-1);
    if (previous && previous[1] + 1 >= first) previous[1] = Math.max(previous[1], last);
    else joined.push([first, last]);
  }
  while (joined.length > MOST_SPANS) {
    const gaps = joined.slice(1).map(([first], i) => first - (joined[i]?.[1] ?? 0));
    const at = gaps.indexOf(Math.min(...gaps));
    const [left, right] = joined.splice(at, 2);
    if (left && right) joined.splice(at, 0, [left[0], right[1]]);
  }
  return joined;
}
