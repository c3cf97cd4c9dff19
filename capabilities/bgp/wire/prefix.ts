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
  const prefix = parsePrefix(text);
  if (prefix === undefined) {
    throw new RangeError(`"${text}" is no IP prefix`);
  }
  return prefix.nlri;
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
