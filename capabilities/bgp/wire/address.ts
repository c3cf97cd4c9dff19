import { concat } from "./bytes";

/** IPv4 or IPv6 unicast: the two kinds of routes that this speaker handles. */
export type Family = "ipv4" | "ipv6";

/** Tells the family of an address or prefix in text form, which must be a valid one. */
export function familyOf(text: string): Family {
  return text.includes(":") ? "ipv6" : "ipv4";
}

/** Octets of an address in text form, 4 or 16; undefined if it is none. Zone ids are not accepted. */
export function parseAddress(text: string): Uint8Array | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

/**
 * Octets of an address that must be valid.
 * @throws RangeError that quotes the text.
 */
export function addressBytes(text: string): Uint8Array {
  const bytes = parseAddress(text);
  if (bytes === undefined) {
    throw new RangeError(`"${text}" is no IP address`);
  }
  return bytes;
}

/** The text of 4 or 16 octets, IPv6 as RFC 5952 section 4 wants it. */
export function formatAddress(bytes: Uint8Array): string {
  return bytes.length === 4 ? bytes.join(".") : formatIpv6(bytes);
}

const OCTET = /^(0|[1-9]\d{0,2})$/;

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  const isValid = parts.length === 4 && parts.every(part => OCTET.test(part) && Number(part) < 256);
  return isValid ? Uint8Array.from(parts, Number) : undefined;
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  const [head = "", tail] = halves;
  const before = groups(head, tail === undefined);
  const after = groups(tail ?? "", true);
  if (halves.length > 2 || before === undefined || after === undefined) {
    return undefined;
  }
  const missing = 16 - before.length - after.length;
  const isValid = tail === undefined ? missing === 0 : missing >= 2;
  return isValid ? concat(before, new Uint8Array(missing), after) : undefined;
}

/** Octets of groups between colons; the last may be an IPv4 address (RFC 4291 section 2.2). */
function groups(text: string, mayEndInIpv4: boolean): Uint8Array | undefined {
  if (text === "") {
    return new Uint8Array();
  }
  const parts = text.split(":");
  const last = parts.at(-1) ?? "";
  const v4 = mayEndInIpv4 && last.includes(".") ? parseIpv4(parts.pop() ?? "") : new Uint8Array();
  if (v4 === undefined || !parts.every(part => /^[0-9a-f]{1,4}$/i.test(part))) {
    return undefined;
  }
  const octets = parts.flatMap(part => [parseInt(part, 16) >> 8, parseInt(part, 16) & 255]);
  return octets.length + v4.length > 16 ? undefined : Uint8Array.from([...octets, ...v4]);
}

function formatIpv6(bytes: Uint8Array): string {
  const words = Array.from(
    { length: 8 },
    (_, index) => ((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0),
  );
  const run = longestZeros(words);
  const hex = (part: readonly number[]): string => part.map(word => word.toString(16)).join(":");
  return run.length < 2
    ? hex(words)
    : `${hex(words.slice(0, run.start))}::${hex(words.slice(run.start + run.length))}`;
}

/** The first of the longest runs of zeros. */
function longestZeros(words: readonly number[]): {
  readonly start: number;
  readonly length: number;
} {
  let best = { start: 0, length: 0 };
  let length = 0;
  words.forEach((word, index) => {
    length = word === 0 ? length + 1 : 0;
    if (length > best.length) {
      best = { start: index - length + 1, length };
    }
  });
  return best;
}
