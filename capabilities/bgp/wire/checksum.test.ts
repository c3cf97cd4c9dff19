import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat, u16 } from "./bytes";
import { internetChecksum } from "./checksum";

describe("internetChecksum", () => {
  it("is that of RFC 1071's example, and of a header of IPv4", () => {
    expect(internetChecksum(Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7))).toBe(
      0x220d,
    );
    const header = Buffer.from("4500003044224000800600008c7c19acae241e2b", "hex");
    expect(internetChecksum(header)).toBe(0x442e);
    expect(internetChecksum(new Uint8Array())).toBe(0xffff);
  });

  it("adds up to nothing when it is in its place, and an odd octet counts as the first of two", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 99 }), bytes => {
        const even = concat(bytes, new Uint8Array(bytes.length % 2));
        expect(internetChecksum(bytes)).toBe(internetChecksum(even));
        expect(internetChecksum(concat(even, u16(internetChecksum(bytes))))).toBe(0);
      }),
    );
  });
});
