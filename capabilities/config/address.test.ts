import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, it } from "vitest";
import {
  cidrRange,
  formatAddress,
  formatRange,
  parseAddress,
  parseRange,
  rangeContains,
  rangesOverlap,
} from "./address";
import type { AddressRange, IpAddress } from "./address";

const v4 = fc
  .bigInt({ min: 0n, max: 2n ** 32n - 1n })
  .map(value => ({ family: "ipv4", value }) as const);
// Sparse groups, so that runs of zeros of every length and place occur.
const v6 = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
    minLength: 8,
    maxLength: 8,
  })
  .map(groups => groups.reduce((sum, group) => (sum << 16n) | BigInt(group), 0n))
  .filter(value => value >> 32n !== 0xffffn)
  .map(value => ({ family: "ipv6", value }) as const);
const address: fc.Arbitrary<IpAddress> = fc.oneof(v4, v6);

const bytesToValue = (bytes: readonly number[]) =>
  bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

function ranged(text: string): AddressRange {
  const range = parseRange(text);
  if ("error" in range) throw new Error(`${text} ${range.error}`);
  return range;
}

const errorOf = (text: string) => {
  const range = parseRange(text);
  return "error" in range ? range : undefined;
};

describe("parseAddress and formatAddress", () => {
  it("are inverse to each other", () => {
    fc.assert(
      fc.property(address, one => {
        expect(parseAddress(formatAddress(one))).toEqual(one);
      }),
    );
  });

  it("read what ipaddr.js writes, long and short", () => {
    fc.assert(
      fc.property(address, one => {
        const oracle = ipaddr.parse(formatAddress(one));
        expect(bytesToValue(oracle.toByteArray())).toBe(one.value);
        expect(parseAddress(oracle.toString())).toEqual(one);
        expect(parseAddress(oracle.toNormalizedString())).toEqual(one);
        expect(parseAddress(oracle.toNormalizedString().toUpperCase())).toEqual(one);
      }),
    );
  });

  it("write IPv6 as RFC 5952 says, which ipaddr.js calls RFC 5952 too", () => {
    fc.assert(
      fc.property(v6, one => {
        const oracle = ipaddr.parse(formatAddress(one)) as ipaddr.IPv6;
        expect(formatAddress(one)).toBe(oracle.toRFC5952String());
      }),
    );
  });

  it.each([
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["::1", "::1"],
    ["fd00:30::", "fd00:30::"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::ffff:c000:201", "192.0.2.1"],
  ])("reads %s as %s", (text, canonical) => {
    expect(formatAddress(parseAddress(text)!)).toBe(canonical);
  });

  it.each([
    "",
    " 192.0.2.1",
    "192.0.2.1 ",
    "192.0.2",
    "192.0.2.01",
    "192.0.2.256",
    "fe80::1%eth0",
    "1::2::3",
    "12345::",
    "host",
  ])('refuses "%s"', text => {
    expect(parseAddress(text)).toBeUndefined();
  });

  it("never throws, whatever the text", () => {
    fc.assert(
      fc.property(fc.string(), text => {
        parseAddress(text);
        parseRange(text);
      }),
    );
  });
});

describe("parseRange", () => {
  it("masks the host bits of a CIDR, as ipaddr.js does", () => {
    fc.assert(
      fc.property(address, fc.nat(128), (one, n) => {
        const length = one.family === "ipv4" ? n % 33 : n;
        const text = `${formatAddress(one)}/${length}`;
        const range = parseRange(text);
        // A prefix that reaches into the IPv4-mapped block is refused.
        if ("error" in range) {
          expect(range.error).toContain("IPv4-mapped");
          return;
        }
        const oracle = one.family === "ipv4" ? ipaddr.IPv4 : ipaddr.IPv6;
        expect(bytesToValue(oracle.networkAddressFromCIDR(text).toByteArray())).toBe(range.first);
        expect(range.last - range.first).toBe(
          2n ** BigInt((one.family === "ipv4" ? 32 : 128) - length) - 1n,
        );
        expect(rangeContains(range, one)).toBe(true);
      }),
    );
  });

  it("reads back what formatRange writes", () => {
    fc.assert(
      fc.property(address, address, (a, b) => {
        fc.pre(a.family === b.family);
        const [first, last] = a.value < b.value ? [a.value, b.value] : [b.value, a.value];
        const range = { family: a.family, first, last };
        fc.pre(errorOf(formatRange(range)) === undefined);
        expect(parseRange(formatRange(range))).toEqual(range);
      }),
    );
  });

  it.each([
    ["40.0.0.0/25", "40.0.0.0/25"],
    ["40.0.0.150-40.0.0.200", "40.0.0.150-40.0.0.200"],
    ["40.0.0.210 - 40.0.0.240", "40.0.0.210-40.0.0.240"],
    ["40.0.0.250 - 40.0.0.250", "40.0.0.250/32"],
    [" 40.0.0.1-40.0.0.2 ", "40.0.0.1-40.0.0.2"],
    ["fd00::-fd00::f", "fd00::/124"],
  ])("metallb 2: %s is %s", (text, canonical) => {
    expect(formatRange(ranged(text))).toBe(canonical);
  });

  it("metallb#1.2: host bits of 10.20.30.40/24 are masked", () => {
    expect(formatRange(ranged("10.20.30.40/24"))).toBe("10.20.30.0/24");
  });

  it.each([
    ["100.200.300.400/24", "is neither a CIDR nor a range", "write a CIDR"],
    ["1.2.3.0/33", 'has the prefix length "33"', "0 to 32"],
    ["fd00::/129", 'has the prefix length "129"', "0 to 128"],
    ["1.2.3.10-1.2.3.1", "starts at 1.2.3.10, after its end 1.2.3.1", '"1.2.3.1-1.2.3.10"'],
  ])("metallb 7: %s is refused: %s", (text, error, remedy) => {
    expect(errorOf(text)?.error).toContain(error);
    expect(errorOf(text)?.remedy).toContain(remedy);
  });

  it.each([
    [" 10.0.0.0/8", "neither", '"10.0.0.0/8"'],
    ["10.0.0.1", "single address", '"10.0.0.1/32"'],
    ["fd00::1", "single address", '"fd00::1/128"'],
    ["10.0.0.0/08", "prefix length", "0 to 32"],
    ["10.0.0.0/8/8", "neither", "CIDR"],
    ["10.0.0.1-fd00::1", "one address family", "one range for IPv4"],
    ["10.0.0.1-10.0.0.2-10.0.0.3", '"10.0.0.2-10.0.0.3" is not', "first-last"],
    ["-", '"" is not an IP address', "first-last"],
    ["::/0", "IPv4-mapped", "IPv4 notation"],
  ])("metallb#1.2: refuses '%s' and says what to write", (text, error, remedy) => {
    expect(errorOf(text)?.error).toContain(error);
    expect(errorOf(text)?.remedy).toContain(remedy);
  });
});

describe("ranges", () => {
  it("overlap exactly when they have an address in common", () => {
    const small = fc.tuple(fc.bigInt(0n, 15n), fc.bigInt(0n, 15n)).map(
      ([a, b]): AddressRange => ({
        family: "ipv4",
        first: a < b ? a : b,
        last: a < b ? b : a,
      }),
    );
    fc.assert(
      fc.property(small, small, (a, b) => {
        const common = Array.from(
          { length: 16 },
          (_, i) => ({ family: "ipv4", value: BigInt(i) }) as const,
        ).some(one => rangeContains(a, one) && rangeContains(b, one));
        expect(rangesOverlap(a, b)).toBe(common);
        expect(rangesOverlap(b, a)).toBe(common);
      }),
    );
  });

  it("of different families have nothing in common", () => {
    const low4 = cidrRange({ family: "ipv4", value: 0n }, 0);
    const low6 = cidrRange({ family: "ipv6", value: 0n }, 96);
    expect(rangesOverlap(low4, low6)).toBe(false);
    expect(rangeContains(low6, { family: "ipv4", value: 1n })).toBe(false);
  });
});
