import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../wire/hex";
import { packet } from "../fixtures";
import { anyPacket } from "./arbitraries";
import { decodePacket, describeDiagnostic, encodePacket } from "./packet";
import type { ControlPacket } from "./packet";

/** More of each from the environment: ANCHO_FUZZ_RUNS. */
const numRuns = Number(process.env.ANCHO_FUZZ_RUNS ?? 5_000);

const reasonOf = (hex: string): string => {
  const result = decodePacket(fromHex(hex));
  return result.ok ? "taken" : result.reason;
};
/** Up, 3 x 300 ms, discriminators 77 and 5: octets by hand from RFC 5880 section 4.1. */
const UP = "20c00318 0000004d 00000005 000493e0 000493e0 00000000";

describe("control packets (RFC 5880 4.1)", () => {
  it.each<[string, string, Partial<ControlPacket>]>([
    ["Up", UP, { state: "Up", yourDiscriminator: 5, desiredMinTx: 300_000 }],
    [
      "AdminDown with diagnostic 7, and echo every 50 ms",
      "27000318 0000004d 00000000 000f4240 000493e0 0000c350",
      { state: "AdminDown", diagnostic: 7, requiredMinEchoRx: 50_000 },
    ],
    [
      "Init with poll and C",
      "20a80318 0000004d 00000005 000f4240 000493e0 00000000",
      { state: "Init", isPoll: true, isControlPlaneIndependent: true, yourDiscriminator: 5 },
    ],
    [
      "Down with final and demand, and a diagnostic of the future",
      "3f52ff18 0000004d 00000000 000f4240 000493e0 00000000",
      { state: "Down", isFinal: true, isDemand: true, diagnostic: 31, detectMultiplier: 255 },
    ],
    [
      "a password (4.2)",
      "20c40321 0000004d 00000005 000493e0 000493e0 00000000 01 09 07 736563726574",
      {
        ...{ state: "Up", yourDiscriminator: 5, desiredMinTx: 300_000 },
        authentication: { kind: "password", keyId: 7, password: fromHex("736563726574") },
      },
    ],
  ])("%s", (_name, hex, fields) => {
    const whole = packet(fields);
    expect(decodePacket(fromHex(hex))).toEqual({ ok: true, value: whole });
    expect(toHex(encodePacket(whole))).toBe(hex.replaceAll(" ", ""));
  });

  it.each([
    ["version != 1", UP.replace("20c0", "40c0"), "version 2 is not 1"],
    ["length < 24", UP.replace("0318", "0317"), "length 23 is below 24"],
    ["length > payload", UP.replace("0318", "0319"), "length 25 is above the payload's 24"],
    ["fewer octets than a packet has", UP.slice(0, 40), "18 octets are no control packet"],
    ["mult 0", UP.replace("0318", "0018"), "Detect Mult is 0"],
    ["multipoint", UP.replace("20c0", "20c1"), "the multipoint bit is set"],
    ["my discr 0", UP.replace("4d", "00"), "My Discriminator is 0"],
    ["your discr 0 when Up", UP.replace("00000005", "00000000"), /Discriminator is 0 in state Up/],
    ["A bit without a section", UP.replace("20c0", "20c4"), "length 24 is below 26"],
    ["a section longer than the packet", `20c4031a${UP.slice(8)} 0410`, /16 does not fit/],
    ["a section of one octet", `20c4031a${UP.slice(8)} 0401`, /1 does not fit/],
    [
      "SHA1 of another length",
      `20c4031b${UP.slice(8)} 040301`,
      "a section of type 4 with 3 octets",
    ],
    ["a password of nothing", `20c4031b${UP.slice(8)} 010301`, "a password section of 3 octets"],
  ])("bgp 86: %s is discarded", (_name, hex, reason) => {
    expect(reasonOf(hex)).toMatch(reason);
  });

  it("octets behind the packet are not looked at", () => {
    expect(decodePacket(fromHex(`${UP} ffff`))).toEqual(decodePacket(fromHex(UP)));
  });

  it("round trip: what is encoded is decoded, and encoded again is the same", () => {
    fc.assert(
      fc.property(anyPacket, any => {
        const bytes = encodePacket(any);
        const result = decodePacket(bytes);
        expect(result).toEqual({ ok: true, value: any });
        expect(bytes[3]).toBe(bytes.length);
      }),
      { numRuns },
    );
  });

  it("never throws, and takes nothing that encodes to something else in its meaning", () => {
    const mutated = fc
      .tuple(anyPacket, fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 4 }), fc.nat(60))
      .map(([any, changes, cut]) => {
        const bytes = encodePacket(any);
        changes.forEach(([at, value]) => {
          if (at < bytes.length) bytes[at] = value;
        });
        return cut < bytes.length ? bytes.subarray(0, cut + 1) : bytes;
      });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 64 })), bytes => {
        const result = decodePacket(bytes);
        if (!result.ok) return;
        expect(decodePacket(encodePacket(result.value))).toEqual(result);
      }),
      { numRuns },
    );
  });

  it("throws for numbers that have no place in a packet", () => {
    expect(() => encodePacket(packet({ diagnostic: 32 }))).toThrow(RangeError);
    expect(() => encodePacket(packet({ desiredMinTx: 2 ** 32 }))).toThrow(RangeError);
  });

  it("diagnostics have the words of the RFC", () => {
    expect(describeDiagnostic(1)).toBe("control detection time expired");
    expect(describeDiagnostic(9)).toBe("diagnostic 9");
  });
});
