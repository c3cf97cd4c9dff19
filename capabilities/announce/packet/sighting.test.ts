import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAddress, parseAddress } from "../../config/address";
import type { IpAddress } from "../../config/address";
import { gratuitousArpReply, gratuitousArpRequest } from "./arp";
import { formatMac, parseMac } from "./ethernet";
import { unsolicitedAdvertisement } from "./ndp";
import { probeFrame } from "./probe";
import { queryFrame } from "./query";
import { readSighting } from "./sighting";

/** Mutated frames for each of ARP and NDP; a thorough run gives 1000000. */
const FRAMES = Number(process.env["ANCHO_FUZZ_FRAMES"] ?? 20_000);
const TEXT = "02:00:00:00:00:11";
const MAC = parseMac(TEXT)!;
const address = (text: string): IpAddress => parseAddress(text)!;
const V4 = address("172.30.0.240");
const V6 = address("fd00:30::240");
const ROUTER = address("fe80::1");

const ARP = [
  gratuitousArpRequest(V4, MAC),
  gratuitousArpReply(V4, MAC),
  probeFrame(V4, MAC),
  queryFrame(address("172.30.0.1"), { mac: MAC, source: V4 }),
];
const NDP = [
  unsolicitedAdvertisement(V6, MAC, ROUTER),
  probeFrame(V6, MAC),
  queryFrame(ROUTER, { mac: MAC, source: V6 }),
];

function changed(frame: Uint8Array, ...changes: readonly (readonly [number, number])[]): Buffer {
  const copy = Buffer.from(frame);
  for (const [at, value] of changes) copy[at] = value;
  return copy;
}

describe("readSighting", () => {
  it("reads who has an IPv4 address, or is about to take it, padded or not", () => {
    const said = ARP.map(frame => readSighting(frame));
    const about = { address: "172.30.0.240", mac: TEXT };
    expect(said).toEqual([
      { what: "request", ...about },
      { what: "reply", ...about, to: "172.30.0.240" },
      { what: "probe", ...about },
      { what: "request", ...about },
    ]);
    expect(ARP.map(frame => readSighting(Buffer.concat([frame, Buffer.alloc(18)])))).toEqual(said);
  });

  it("reads who has an IPv6 address, or is about to take it, padded or not", () => {
    const said = NDP.map(frame => readSighting(frame));
    const about = { address: "fd00:30::240", mac: TEXT };
    expect(said).toEqual([
      { what: "advertisement", ...about, to: "ff02::1" },
      { what: "probe", ...about },
      { what: "request", ...about },
    ]);
    expect(NDP.map(frame => readSighting(Buffer.concat([frame, Buffer.alloc(9)])))).toEqual(said);
  });

  it("of an advertisement without an option the frame's sender is the one who has it", () => {
    // Without the option the length and the checksum are others; solicited answers may look so.
    const solicited = unsolicitedAdvertisement(V6, parseMac("02:00:00:00:00:99")!, ROUTER);
    expect(readSighting(solicited)?.mac).toBe("02:00:00:00:00:99");
  });

  it("metallb 131: what breaks the rules of RFC 826 says nothing", () => {
    const [request] = ARP;
    // Hardware type, protocol, lengths, operation; a sender that is a group's, or nobody.
    for (const [at, value] of [
      [15, 2],
      [16, 9],
      [18, 8],
      [19, 16],
      [21, 3],
      [22, 0x03],
    ] as const) {
      expect(readSighting(changed(request!, [at, value])), `byte ${at}`).toBeUndefined();
    }
    expect(readSighting(changed(request!, [22, 0], [27, 0]))).toBeUndefined();
  });

  it("what breaks the rules of RFC 4861 says nothing", () => {
    const [advertisement, probe] = NDP;
    // Version, payload length, next header, hop limit, type, code, checksum, an option without length.
    for (const [at, value] of [
      [14, 0x40],
      [19, 24],
      [20, 17],
      [21, 254],
      [54, 137],
      [55, 1],
      [57, 0],
      [79, 0],
    ] as const) {
      expect(readSighting(changed(advertisement!, [at, value])), `byte ${at}`).toBeUndefined();
    }
    expect(readSighting(changed(probe!, [21, 64]))).toBeUndefined();
  });

  it("cut frames say nothing", () => {
    for (const frame of [...ARP, ...NDP]) {
      for (let length = 0; length < frame.length; length++) {
        expect(readSighting(frame.subarray(0, length))).toBeUndefined();
      }
    }
  });

  for (const [name, frames] of [
    ["ARP", ARP],
    ["NDP", NDP],
  ] as const) {
    it(`${name}: mutated frames never make it throw, and what it reads is what stands there`, () => {
      const mutated = fc
        .tuple(
          fc.constantFrom(...frames),
          fc.array(fc.tuple(fc.nat(127), fc.nat(255)), { minLength: 1, maxLength: 6 }),
          fc.nat(127),
        )
        .map(([frame, changes, length]) =>
          changed(
            frame,
            ...changes.map(([at, value]) => [at % frame.length, value] as const),
          ).subarray(0, length < 8 ? length * 10 : frame.length),
        );
      let missed = 0;
      fc.assert(
        fc.property(mutated, bytes => {
          const found = readSighting(bytes);
          if (!found) return;
          const ip = parseAddress(found.address)!;
          expect(formatAddress(ip)).toBe(found.address);
          const text = bytes.toString("hex");
          expect(text).toContain(ip.value.toString(16));
          expect(text).toContain(found.mac.replaceAll(":", ""));
          expect(formatMac(parseMac(found.mac)!)).toBe(found.mac);
          const isAsSent = frames.some(frame => frame.subarray(54).equals(bytes.subarray(54)));
          if (name === "NDP" && !isAsSent) missed += 1;
        }),
        { numRuns: FRAMES },
      );
      // The checksum misses one change in 65536.
      expect(missed / FRAMES).toBeLessThan(0.001);
    }, 600_000);
  }
});
