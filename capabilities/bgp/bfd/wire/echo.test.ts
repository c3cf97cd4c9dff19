import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAddress } from "../../wire/address";
import { decodeEcho, encodeEcho, TOKEN_LENGTH } from "./echo";
import type { Echo } from "./echo";

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const octets = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });
const echo: fc.Arbitrary<Echo> = fc.record({
  discriminator: u32,
  token: octets(TOKEN_LENGTH),
  sequence: u32,
});
const address = fc.oneof(octets(4), octets(16)).map(formatAddress);

/** What every receiver of IP does: over all words of what is covered, the sum is all ones. */
function sumOf(...parts: readonly (readonly number[])[]): number {
  const bytes = parts.flat();
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) {
    sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return sum;
}

describe("echo packets", () => {
  it("are from our address to it, with TTL 255, as written by hand from RFC 791, 768 and 5881", () => {
    const packet = encodeEcho("192.0.2.1", {
      discriminator: 0x0102_0304,
      token: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
      sequence: 9,
    });
    expect(Buffer.from(packet).toString("hex")).toBe(
      [
        ...["45c0002c", "00004000", "ff11f6fd", "c0000201", "c0000201"],
        ...["0ec90ec9", "00184a06"],
        ...["01020304", "0102030405060708", "00000009"],
      ].join(""),
    );
  });

  it("have checksums that are right, IPv6 ones too, and are read back as they were", () => {
    fc.assert(
      fc.property(address, echo, (own, one) => {
        const packet = encodeEcho(own, one);
        const isV6 = own.includes(":");
        const [header, datagram] = [
          packet.subarray(0, isV6 ? 40 : 20),
          packet.subarray(isV6 ? 40 : 20),
        ];
        if (!isV6) expect(sumOf([...header])).toBe(0xffff);
        const addresses = [...header.subarray(isV6 ? 8 : 12)];
        expect(sumOf(addresses, [0, 17], [0, datagram.length], [...datagram])).toBe(0xffff);
        expect([...datagram.subarray(6, 8)]).not.toEqual([0, 0]);
        expect(header[isV6 ? 7 : 8]).toBe(255);
        expect(decodeEcho(packet)).toEqual(one);
      }),
    );
  });

  it("are no others, whatever the octets are, and nothing is thrown", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), bytes => {
        expect(decodeEcho(bytes)).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(address, echo, fc.nat(), fc.nat(), (own, one, at, cut) => {
        const packet = encodeEcho(own, one);
        expect(decodeEcho(packet.subarray(0, cut % packet.length))).toBeUndefined();
        packet[at % packet.length]! ^= 0x10;
        decodeEcho(packet);
      }),
    );
  });
});
