import { describe, expect, it } from "vitest";
import { advertisement, IcmpType, solicitation, trustedType } from "./icmp6";

describe("router advertisements", () => {
  it("are not a default router's", () => {
    expect(advertisement).toHaveLength(16);
    expect([...advertisement.subarray(6, 8)]).toEqual([0, 0]);
    expect(trustedType("fe80::1", advertisement)).toBe(IcmpType.RouterAdvertisement);
    expect(trustedType("fe80::1", solicitation)).toBe(IcmpType.RouterSolicitation);
  });

  it("count only when RFC 4861 section 6.1 lets them", () => {
    expect(trustedType("2001:db8::1", advertisement)).toBeUndefined();
    expect(trustedType("fe80::1", advertisement.subarray(0, 15))).toBeUndefined();
    expect(
      trustedType("fe80::1", Uint8Array.from([134, 1, ...new Uint8Array(14)])),
    ).toBeUndefined();
    expect(
      trustedType("fe80::1", Uint8Array.from([135, 0, ...new Uint8Array(14)])),
    ).toBeUndefined();
    expect(trustedType("fe80::1", new Uint8Array())).toBeUndefined();
  });
});
