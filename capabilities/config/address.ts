import { isIP } from "node:net";

/** The two address families, named as Kubernetes names them in lower case. */
export type Family = "ipv4" | "ipv6";

/** One address as a number: 0 … 2^32-1 for IPv4, 0 … 2^128-1 for IPv6. */
export type IpAddress = { readonly family: Family; readonly value: bigint };

/** All addresses from `first` to `last`, both included; `first <= last` always holds. */
export type AddressRange = {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
};

/** Why a text is no address range, and what the author can write in its place. */
export type RangeError = { readonly error: string; readonly remedy: string };

/** Width of an address in bits. */
export const ADDRESS_BITS: Readonly<Record<Family, number>> = { ipv4: 32, ipv6: 128 };

// ::ffff:0:0/96, the IPv6 writing of IPv4 addresses (RFC 4291 section 2.5.5.2).
const MAPPED_FIRST = 0xffff_0000_0000n;
const MAPPED_LAST = 0xffff_ffff_ffffn;

/**
 * Reads one address in any notation that RFC 4291 allows for IPv6 and as four plain decimals for IPv4.
 * An IPv4-mapped IPv6 address is the IPv4 address it stands for. Zones (`%eth0`), leading zeros in IPv4
 * (some libraries read them as octal) and surrounding space are refused: undefined.
 */
export function parseAddress(text: string): IpAddress | undefined {
  switch (isIP(text)) {
    case 4:
      return { family: "ipv4", value: ipv4Value(text) };
    case 6:
      return text.includes("%") ? undefined : unmap(ipv6Value(text));
    default:
      return undefined;
  }
}

/** The canonical text of an address: dotted decimal, or RFC 5952 (lower case, longest zero run as `::`). */
export function formatAddress(address: IpAddress): string {
  return address.family === "ipv4" ? formatIpv4(address.value) : formatIpv6(address.value);
}

/** The eight 16-bit groups of an IPv6 address, most significant first. */
export function ipv6Groups(value: bigint): readonly number[] {
  return Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(112 - 16 * i)) & 0xffffn));
}

/**
 * Reads an entry of `IPAddressPool.spec.addresses` by MetalLB's rules: `address/length`, whose host bits are
 * masked away, or `first-last` with optional space around the dash. A bare address is refused, as there.
 */
export function parseRange(text: string): AddressRange | RangeError {
  const range = text.includes("-") ? parseFromTo(text) : parseCidr(text);
  if ("error" in range || !touchesMapped(range)) return range;
  return {
    error: "contains IPv4-mapped IPv6 addresses (::ffff:0:0/96), which no network delivers",
    remedy: "write the range in IPv4 notation",
  };
}

/** Is the address one of the range's? */
export function rangeContains(range: AddressRange, address: IpAddress): boolean {
  return (
    range.family === address.family && range.first <= address.value && address.value <= range.last
  );
}

/** Do the two ranges have an address in common? */
export function rangesOverlap(a: AddressRange, b: AddressRange): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}

/** The canonical text of a range: a CIDR where it is exactly one, otherwise `first-last`. */
export function formatRange(range: AddressRange): string {
  const { family, first, last } = range;
  const size = last - first + 1n;
  const hostBits = size.toString(2).length - 1;
  const isCidr = size === 1n << BigInt(hostBits) && first % size === 0n;
  const start = formatAddress({ family, value: first });
  if (isCidr) return `${start}/${ADDRESS_BITS[family] - hostBits}`;
  return `${start}-${formatAddress({ family, value: last })}`;
}

function ipv4Value(text: string): bigint {
  return text.split(".").reduce((sum, octet) => (sum << 8n) | BigInt(octet), 0n);
}

function ipv6Value(text: string): bigint {
  const [head = "", tail] = withoutDottedQuad(text).split("::");
  const high = hexGroups(head);
  const low = hexGroups(tail ?? "");
  const groups = [...high, ...Array<bigint>(8 - high.length - low.length).fill(0n), ...low];
  return groups.reduce((sum, group) => (sum << 16n) | group, 0n);
}

// "::ffff:1.2.3.4" -> "::ffff:102:304"
function withoutDottedQuad(text: string): string {
  if (!text.includes(".")) return text;
  const start = text.lastIndexOf(":") + 1;
  const value = ipv4Value(text.slice(start));
  return `${text.slice(0, start)}${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
}

function hexGroups(text: string): bigint[] {
  return text === "" ? [] : text.split(":").map(group => BigInt(`0x${group}`));
}

function unmap(value: bigint): IpAddress {
  const mapped = value >= MAPPED_FIRST && value <= MAPPED_LAST;
  return mapped ? { family: "ipv4", value: value - MAPPED_FIRST } : { family: "ipv6", value };
}

function touchesMapped(range: AddressRange): boolean {
  return rangesOverlap(range, { family: "ipv6", first: MAPPED_FIRST, last: MAPPED_LAST });
}

function formatIpv4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map(shift => (value >> shift) & 0xffn).join(".");
}

function formatIpv6(value: bigint): string {
  const groups = ipv6Groups(value);
  const run = longestZeroRun(groups);
  const text = groups.map(group => group.toString(16));
  if (run.length < 2) return text.join(":");
  return `${text.slice(0, run.start).join(":")}::${text.slice(run.start + run.length).join(":")}`;
}

// RFC 5952 section 4.2.3: the longest run of zero groups, of equal ones the first.
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  groups.forEach((group, i) => {
    length = group === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: i - length + 1, length };
  });
  return best;
}

function parseFromTo(text: string): AddressRange | RangeError {
  const [from = "", to = ""] = text.split(/-(.*)/s).map(part => part.trim());
  const first = parseAddress(from);
  const last = parseAddress(to);
  if (!first || !last) {
    const wrong = first ? to : from;
    return {
      error: `"${wrong}" is not an IP address`,
      remedy: 'write the range as "first-last", for example "192.0.2.10-192.0.2.20"',
    };
  }
  return ordered(first, last);
}

function ordered(first: IpAddress, last: IpAddress): AddressRange | RangeError {
  if (first.family !== last.family)
    return {
      error: "begins in one address family and ends in the other",
      remedy: "write one range for IPv4 and one for IPv6",
    };
  if (first.value > last.value)
    return {
      error: `starts at ${formatAddress(first)}, after its end ${formatAddress(last)}`,
      remedy: `write "${formatAddress(last)}-${formatAddress(first)}"`,
    };
  return { family: first.family, first: first.value, last: last.value };
}

function parseCidr(text: string): AddressRange | RangeError {
  const [addressText = "", lengthText, ...rest] = text.split("/");
  const address = parseAddress(addressText);
  if (!address || rest.length > 0) return notARange(text);
  const bits = ADDRESS_BITS[address.family];
  if (lengthText === undefined)
    return {
      error: "is a single address, not a range",
      remedy: `write "${addressText}/${bits}"`,
    };
  if (!/^(0|[1-9]\d{0,2})$/.test(lengthText) || Number(lengthText) > bits)
    return {
      error: `has the prefix length "${lengthText}"`,
      remedy: `write a length from 0 to ${bits}`,
    };
  return cidrRange(address, Number(lengthText));
}

function notARange(text: string): RangeError {
  const trimmed = text.trim();
  const remedy =
    trimmed !== text
      ? `remove the space around it: "${trimmed}"`
      : 'write a CIDR ("192.0.2.0/24") or a range ("192.0.2.10-192.0.2.20")';
  return { error: "is neither a CIDR nor a range of addresses", remedy };
}

/** The range of the prefix that holds `address` and is `length` bits long; bits behind it are masked away. */
export function cidrRange(address: IpAddress, length: number): AddressRange {
  const hostBits = BigInt(ADDRESS_BITS[address.family] - length);
  const first = (address.value >> hostBits) << hostBits;
  return { family: address.family, first, last: first + (1n << hostBits) - 1n };
}
