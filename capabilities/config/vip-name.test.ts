import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAddress } from "./address";
import type { IpAddress } from "./address";
import { parseVipName, vipName } from "./vip-name";

const address: fc.Arbitrary<IpAddress> = fc.oneof(
  fc.bigInt(0n, 2n ** 32n - 1n).map(value => ({ family: "ipv4", value }) as const),
  fc
    .bigInt(0n, 2n ** 128n - 1n)
    .filter(value => value >> 32n !== 0xffffn)
    .map(value => ({ family: "ipv6", value }) as const),
);

describe("vipName", () => {
  it.each([
    ["172.30.0.240", "172.30.0.240"],
    ["fd00:30::240", "fd00-0030-0000-0000-0000-0000-0000-0240"],
  ])("names %s %s", (text, name) => {
    expect(vipName(parseAddress(text)!)).toBe(name);
  });

  it("is a name that the API server allows (RFC 1123 subdomain), and its inverse reads it back", () => {
    fc.assert(
      fc.property(address, one => {
        const name = vipName(one);
        expect(name).toMatch(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);
        expect(parseVipName(name)).toEqual(one);
      }),
    );
  });

  it.each([
    "",
    "172.30.0.0240",
    "fd00-30--240",
    "FD00-0030-0000-0000-0000-0000-0000-0240",
    "fd00:30::240",
    "web",
    "0000-0000-0000-0000-0000-ffff-ac1e-00f0",
  ])('takes "%s" for no address', name => {
    expect(parseVipName(name)).toBeUndefined();
  });
});
