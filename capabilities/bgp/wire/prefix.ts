import { formatAddress, parseAddress } from "./address";
import type { Family } from "./address";

/**
 * Prefixes are text in one canonical form, e.g. `192.0.2.0/24` or `2001:db8::/32`: equal prefixes
 * are equal strings, so they can be keys of a map, and a log needs no conversion.
 */
type ParsedPrefix = {
  readonly text: string;
  readonly family: Family;
  /** As in an UPDATE: the length in bits, then as many octets as have a bit of it. */
  readonly nlri: Uint8Array;
};

/** Parses a prefix and clears its host bits; undefined if it is none. An address has its full length. */
export function parsePrefix(text: string): ParsedPrefix | undefined {
  const [host = "", bits, ...rest] = text.split("/");
  const address = parseAddress(host);
  if (address === undefined || rest.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits))) {
    return undefined;
  }
  const width = 8 * address.length;
  const length = bits === undefined ? width : Number(bits);
  if (length > width) {
    return undefined;
  }
  clearHostBits(address, length);
  const nlri = new Uint8Array(1 + octetsOf(length));
  nlri[0] = length;
  nlri.set(address.subarray(0, octetsOf(length)), 1);
  return {
    text: `${formatAddress(address)}/${length}`,
    family: address.length === 4 ? "ipv4" : "ipv6",
    nlri,
  };
}

/**
 * The form of a prefix in an UPDATE (RFC 4271 section 4.3).
 * @throws RangeError that quotes the text, if it is no prefix.
 */
export function encodePrefix(text: string): Uint8Array {
  return mustParse(text).nlri;
}

/** No prefix takes more octets in an UPDATE. */
export const LONGEST_NLRI = 17;

/**
 * Writes a prefix as it is in an UPDATE, and returns the position behind it. There must be room for `LONGEST_NLRI`.
 * @throws RangeError that quotes the text, if it is no prefix.
 */
export function writePrefix(text: string, into: Uint8Array, at: number): number {
  const end = writeIpv4Prefix(text, into, at);
  if (end !== undefined) {
    return end;
  }
  const nlri = encodePrefix(text);
  into.set(nlri, at);
  return at + nlri.length;
}

/**
 * The canonical form of a prefix: the same string if it has that form already, so that who announces the same
 * prefixes to many peers has one copy of them.
 * @throws RangeError that quotes the text, if it is no prefix.
 */
export function canonicalPrefix(text: string): string {
  if (writeIpv4Prefix(text, scratch, 0) !== undefined) {
    return text;
  }
  const { text: canonical } = mustParse(text);
  return canonical === text ? text : canonical;
}

const scratch = new Uint8Array(LONGEST_NLRI);

function mustParse(text: string): ParsedPrefix {
  const prefix = parsePrefix(text);
  if (prefix === undefined) {
    throw new RangeError(`"${text}" is no IP prefix`);
  }
  return prefix;
}

/**
 * The quick way for what most prefixes are: IPv4 in canonical form. It makes no objects, for a full table is written
 * again to each peer that comes up. Undefined for all else.
 */
function writeIpv4Prefix(text: string, into: Uint8Array, start: number): number | undefined {
  let from = 0;
  for (let part = 1; part <= 5; part++) {
    const end = part === 5 ? text.length : text.indexOf(part === 4 ? "/" : ".", from);
    const number = decimal(text, from, end);
    if (number === undefined || number > (part === 5 ? 32 : 255)) return undefined;
    // The length is the last part of the text and the first octet of the NLRI.
    into[start + (part % 5)] = number;
    from = end + 1;
  }
  const length = into[start] ?? 0;
  return hasHostBits(into, start + 1, length) ? undefined : start + 1 + octetsOf(length);
}

const ZERO = 48;

/** The number in a part of a text: one to three digits, without leading zeros. */
function decimal(text: string, from: number, end: number): number | undefined {
  const digits = end - from;
  if (digits < 1 || digits > 3 || (digits > 1 && text.charCodeAt(from) === ZERO)) return undefined;
  let number = 0;
  for (let i = from; i < end; i++) {
    const digit = text.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    number = 10 * number + digit;
  }
  return number;
}

function hasHostBits(octets: Uint8Array, at: number, length: number): boolean {
  if (length === 32) return false;
  const [a = 0, b = 0, c = 0, d = 0] = octets.subarray(at, at + 4);
  const value = (a << 24) | (b << 16) | (c << 8) | d;
  return (value & (0xffff_ffff >>> length)) !== 0;
}

/**
 * Decodes prefixes until the bytes end. Undefined if one is too long for its family or its octets
 * are not all there: where the next begins is not known then (RFC 7606 section 5.3).
 */
export function decodePrefixes(bytes: Uint8Array, family: Family): readonly string[] | undefined {
  const width = family === "ipv4" ? 4 : 16;
  const prefixes: string[] = [];
  const address = new Uint8Array(width);
  for (let at = 0; at < bytes.length; ) {
    const length = bytes[at] ?? 0;
    const end = at + 1 + octetsOf(length);
    if (length > 8 * width || end > bytes.length) {
      return undefined;
    }
    address.fill(0);
    for (let octet = at + 1; octet < end; octet += 1) {
      address[octet - at - 1] = bytes[octet] ?? 0;
    }
    // RFC 4271 4.3: the trailing bits mean nothing.
    clearHostBits(address, length);
    prefixes.push(`${formatAddress(address)}/${length}`);
    at = end;
  }
  return prefixes;
}

function octetsOf(bits: number): number {
  return (bits + 7) >> 3;
}

function clearHostBits(bytes: Uint8Array, length: number): void {
  const whole = length >> 3;
  const rest = length & 7;
  if (rest > 0) {
    bytes[whole] = (bytes[whole] ?? 0) & (0xff << (8 - rest));
  }
  bytes.fill(0, whole + (rest > 0 ? 1 : 0));
}
