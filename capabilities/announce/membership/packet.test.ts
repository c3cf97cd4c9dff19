import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_HEARTBEAT_BYTES, decodeHeartbeat, encodeHeartbeat } from "./packet";
import type { Heartbeat } from "./packet";

const heartbeat: fc.Arbitrary<Heartbeat> = fc.record({
  node: fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,30}[a-z0-9])?$/),
  phase: fc.constantFrom("starting", "active", "leaving"),
  bootId: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  sequence: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
});

describe("heartbeat codec", () => {
  it("has a fixed layout on the wire", () => {
    const packet = encodeHeartbeat({ node: "n1", phase: "active", bootId: 258n, sequence: 7n });
    expect(packet.toString("hex")).toBe(
      "414e434801010000000000000102" + "0000000000000007" + "026e31",
    );
  });

  it("gives back what was encoded", () => {
    fc.assert(
      fc.property(heartbeat, value => {
        expect(decodeHeartbeat(encodeHeartbeat(value))).toEqual(value);
      }),
    );
  });

  it("takes a name of 253 bytes and refuses a longer or an impossible one", () => {
    const base = { phase: "active", bootId: 0n, sequence: 0n } as const;
    const longest = { ...base, node: "a".repeat(253) };
    expect(encodeHeartbeat(longest)).toHaveLength(MAX_HEARTBEAT_BYTES);
    expect(decodeHeartbeat(encodeHeartbeat(longest))).toEqual(longest);
    expect(() => encodeHeartbeat({ ...base, node: "a".repeat(254) })).toThrow("--node-name");
    expect(() => encodeHeartbeat({ ...base, node: "Nöde" })).toThrow("--node-name");
  });

  it("is total: random bytes and every truncation or extension give undefined, never an exception", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), bytes => {
        expect(decodeHeartbeat(Buffer.from(bytes))).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(heartbeat, fc.nat(), (value, cut) => {
        const packet = encodeHeartbeat(value);
        expect(decodeHeartbeat(packet.subarray(0, cut % packet.length))).toBeUndefined();
        expect(decodeHeartbeat(Buffer.concat([packet, Buffer.from("x")]))).toBeUndefined();
      }),
    );
  });

  it("mutated packets decode to undefined or to a well-formed heartbeat", () => {
    fc.assert(
      fc.property(heartbeat, fc.nat(), fc.integer({ min: 0, max: 255 }), (value, at, byte) => {
        const packet = encodeHeartbeat(value);
        packet[at % packet.length] = byte;
        const decoded = decodeHeartbeat(packet);
        if (decoded) expect(encodeHeartbeat(decoded).equals(packet)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
