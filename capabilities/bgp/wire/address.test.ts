import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, it } from "vitest";
import { addressBytes, familyOf, formatAddress, parseAddress } from "./address";
import { anyIpv4, anyIpv6, anyPrefix } from "./arbitraries";
import { toHex } from "./hex";
import {
  canonicalPrefix,
  decodePrefixes,
  encodePrefix,
  LONGEST_NLRI,
  parsePrefix,
  writePrefix,
} from "./prefix";

describe("addresses", () => {
  it.each([
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["::ffff:192.0.2.1", "::ffff:c000:201"],
    ["192.0.2.1", "192.0.2.1"],
  ])("%s is %s (RFC 5952)", (text, canonical) => {
    expect(formatAddress(addressBytes(text))).toBe(canonical);
  });

  it.each([
    "",
    "1.2.3",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.4.5",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "::1::",
    ":1",
    "1:2:3:4:5:6:7:8::",
    "12345::",
    "fe80::1%eth0",
    "1.2.3.4::",
    "g::",
  ])("%j is none", text => {
    expect(parseAddress(text)).toBeUndefined();
    expect(() => addressBytes(text)).toThrow(`"${text}" is no IP address`);
  });

  it("agree with ipaddr.js", () => {
    fc.assert(
      fc.property(fc.oneof(anyIpv4, anyIpv6), text => {
        const bytes = addressBytes(text);
        expect([...bytes]).toEqual(ipaddr.parse(text).toByteArray());
        expect(formatAddress(bytes)).toBe(text);
        expect(familyOf(text)).toBe(ipaddr.parse(text).kind());
        const long = ipaddr.parse(text).toNormalizedString();
        expect(parseAddress(long)).toEqual(bytes);
      }),
    );
  });

  it("are found in any text or not, without an exception", () => {
    const like = fc.stringMatching(/^[0-9a-f:.]{0,24}$/);
    fc.assert(
      fc.property(fc.oneof(like, fc.string()), text => {
        const bytes = parseAddress(text);
        expect(bytes === undefined || ipaddr.isValid(text)).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe("prefixes", () => {
  it.each([
    ["192.0.2.77/24", "192.0.2.0/24", "18c00002"],
    ["192.0.2.1", "192.0.2.1/32", "20c0000201"],
    ["255.255.255.255/9", "255.128.0.0/9", "09ff80"],
    ["0.0.0.0/0", "0.0.0.0/0", "00"],
    ["2001:db8::1/33", "2001:db8::/33", "2120010db800"],
  ])("%s is %s, on the wire %s", (text, canonical, hex) => {
    expect(parsePrefix(text)).toMatchObject({ text: canonical });
    expect(toHex(encodePrefix(text))).toBe(hex);
  });

  it.each(["192.0.2.0/33", "::/129", "192.0.2.0/", "192.0.2.0/24/1", "/8", "x", "1.2.3.4/-1"])(
    "%j is none",
    text => {
      expect(parsePrefix(text)).toBeUndefined();
      expect(() => encodePrefix(text)).toThrow(`"${text}" is no IP prefix`);
    },
  );

  it.each([
    ["a length beyond the family's", Uint8Array.of(33, 1, 2, 3, 4, 5)],
    ["octets that are not there", Uint8Array.of(24, 1, 2)],
  ])("%s ends the list", (_name, bytes) => {
    expect(decodePrefixes(bytes, "ipv4")).toBeUndefined();
  });

  it("have bits beyond their length ignored (RFC 4271 4.3)", () => {
    expect(decodePrefixes(Uint8Array.of(9, 255, 255), "ipv4")).toEqual(["255.128.0.0/9"]);
  });

  it.each(["ipv4", "ipv6"] as const)("of %s come back from the wire", family => {
    fc.assert(
      fc.property(fc.array(anyPrefix(family)), texts => {
        const bytes = texts.flatMap(text => [...encodePrefix(text)]);
        expect(decodePrefixes(Uint8Array.from(bytes), family)).toEqual(texts);
      }),
    );
  });

  it("are written anywhere in a message as they are encoded, canonical or not", () => {
    const text = fc.oneof(anyPrefix("ipv4"), anyPrefix("ipv6"), nearlyPrefix);
    fc.assert(
      fc.property(text, fc.nat(9), (prefix, at) => {
        const into = new Uint8Array(at + LONGEST_NLRI);
        const expected = parsePrefix(prefix);
        if (expected === undefined) {
          expect(() => writePrefix(prefix, into, at)).toThrow(`"${prefix}" is no IP prefix`);
          expect(() => canonicalPrefix(prefix)).toThrow(`"${prefix}" is no IP prefix`);
          return;
        }
        const end = writePrefix(prefix, into, at);
        expect(into.slice(at, end)).toEqual(expected.nlri);
        expect(canonicalPrefix(prefix)).toBe(expected.text);
      }),
      { numRuns: 5_000 },
    );
  });
});

/** What looks like an IPv4 prefix: leading zeros, numbers that are too large, parts too many or too few, host bits. */
const nearlyPrefix = fc
  .tuple(
    fc.array(fc.constantFrom("0", "1", "01", "128", "255", "256", "9999", ""), {
      minLength: 3,
      maxLength: 5,
    }),
    fc.constantFrom("", "/", "/0", "/8", "/08", "/24", "/32", "/33", "/8/8", "/x", "/."),
  )
  .map(([octets, length]) => octets.join(".") + length);
