import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressBytes, formatAddress } from "../wire/address";
import type { Instruction } from "../transport/libc";
import { admissionFilter, echoFilter } from "./filter";
import type { Admission } from "./filter";
import { encodeEcho, TOKEN_LENGTH } from "./wire/echo";
import { CONTROL_PORT } from "./wire/packet";

const NETWORK_HEADER = 0xfff0_0000;

/** What the kernel's machine (net/core/filter.c) makes of a program, for the instructions that we use. */
function isLetThrough(program: readonly Instruction[], header: Uint8Array): boolean {
  const view = new DataView(header.buffer);
  let accumulator = 0;
  for (let at = 0; at < program.length; at++) {
    const [code, ifTrue, ifFalse, value] = program[at]!;
    if (code === 0x20) accumulator = view.getUint32(value - NETWORK_HEADER);
    else if (code === 0x28) accumulator = view.getUint16(value - NETWORK_HEADER);
    else if (code === 0x30) accumulator = view.getUint8(value - NETWORK_HEADER);
    else if (code === 0x15) at += accumulator === value ? ifTrue : ifFalse;
    else if (code === 0x35) at += accumulator >= value ? ifTrue : ifFalse;
    else return value > 0;
  }
  throw new Error("the program has no end");
}

/** An IP header from this address with this TTL. */
function headerOf(address: string, ttl: number): Uint8Array {
  const octets = addressBytes(address);
  const header = new Uint8Array(octets.length === 4 ? 20 : 40);
  header.set(octets, octets.length === 4 ? 12 : 8);
  header[octets.length === 4 ? 8 : 7] = ttl;
  return header;
}

const v4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map(formatAddress);
const v6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(formatAddress);
const ttl = fc.integer({ min: 1, max: 255 });

describe("the filter of a receiving socket", () => {
  it.each([
    ["IPv4", v4],
    ["IPv6", v6],
  ])("%s: lets through who is known, with the TTL that it must have", (_name, anyAddress) => {
    const admission = fc.record({ address: anyAddress, minimumTtl: ttl });
    const neighbors = fc.uniqueArray(admission, { maxLength: 20, selector: one => one.address });
    const packet = fc.record({ address: fc.option(anyAddress), nth: fc.nat(), ttl });
    fc.assert(
      fc.property(neighbors, packet, (known, { address, nth, ttl: hops }) => {
        const one: Admission | undefined = known[nth % Math.max(1, known.length)];
        const source = address ?? one?.address ?? "192.0.2.1";
        const expected = known.some(n => n.address === source && hops >= n.minimumTtl);
        expect(isLetThrough(admissionFilter(known), headerOf(source, hops))).toBe(expected);
      }),
    );
  });

  it("bgp 87: on a link, of a neighbor only what was sent with TTL 255 and passed no router", () => {
    const filter = admissionFilter([{ address: "10.0.0.1", minimumTtl: 255 }]);
    expect(isLetThrough(filter, headerOf("10.0.0.1", 255))).toBe(true);
    expect(isLetThrough(filter, headerOf("10.0.0.1", 254))).toBe(false);
    expect(isLetThrough(filter, headerOf("10.0.0.2", 255))).toBe(false);
    expect(isLetThrough(admissionFilter([]), headerOf("10.0.0.1", 255))).toBe(false);
  });
});

describe("the filter of echo packets", () => {
  const one = { discriminator: 1, token: new Uint8Array(TOKEN_LENGTH), sequence: 1 };
  const looped = (own: string, hops = 254): Uint8Array => {
    const packet = encodeEcho(own, one);
    packet[own.includes(":") ? 7 : 8] = hops;
    return packet;
  };
  /** A control packet has another port, and is from the neighbor. */
  const control = (from: string, hops = 255): Uint8Array => {
    const packet = looped(from, hops);
    new DataView(packet.buffer).setUint16(from.includes(":") ? 42 : 22, CONTROL_PORT);
    return packet;
  };

  it.each([
    ["10.0.0.1", "10.0.0.2"],
    ["2001:db8::1", "2001:db8::2"],
  ])(
    "bgp 92: of %s lets through its own that one router has looped, and control packets",
    (own, neighbor) => {
      const lets = (packet: Uint8Array): boolean => isLetThrough(echoFilter(own, neighbor), packet);
      expect(lets(looped(own))).toBe(true);
      expect(lets(control(neighbor))).toBe(true);
      expect([lets(looped(own, 255)), lets(looped(own, 253)), lets(looped(neighbor))]).toEqual([
        ...[false, false, false],
      ]);
      expect([lets(control(neighbor, 254)), lets(control(own))]).toEqual([false, false]);
      const tcp = looped(own);
      tcp[own.includes(":") ? 6 : 9] = 6;
      expect(lets(tcp)).toBe(false);
    },
  );

  it("lets nothing through whose header has options, which would be read at the wrong place", () => {
    const packet = looped("10.0.0.1");
    packet[0] = 0x46;
    expect(isLetThrough(echoFilter("10.0.0.1", "10.0.0.2"), packet)).toBe(false);
  });
});
