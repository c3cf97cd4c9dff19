import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAddress, parseRange, rangeContains } from "../../config/address";
import type { AddressRange, IpAddress } from "../../config/address";
import { gratuitousArpReply, gratuitousArpRequest } from "./arp";
import { parseMac } from "./ethernet";
import { listenFilter } from "./listen-filter";
import type { Instruction } from "./listen-filter";
import { unsolicitedAdvertisement } from "./ndp";
import { probeFrame } from "./probe";
import { queryFrame } from "./query";

const MAC = parseMac("02:00:00:00:00:11")!;
const ROUTER = parseAddress("fe80::1")!;
const address = (text: string): IpAddress => parseAddress(text)!;
const range = (text: string): AddressRange => parseRange(text) as AddressRange;

type Around = { readonly packetType?: number; readonly vlan?: number };

/** Classic BPF as net/core/filter.c runs it, as far as the filter needs it: bytes of the frame that are kept. */
function run(program: readonly Instruction[], frame: Buffer, around: Around = {}): number {
  let a: number | undefined = 0;
  for (let pc = 0; pc < program.length; pc++) {
    const [code, ifTrue, ifFalse, value] = program[pc]!;
    if (code === 0x06) return value;
    const jump = JUMPS[code];
    if (jump) pc += jump(a, value) ? ifTrue : ifFalse;
    else if (code === 0x05) pc += value;
    else a = load(frame, { code, at: value, around });
    // A load beyond the end ends the program, and the frame is dropped.
    if (a === undefined) return 0;
  }
  throw new Error("the program ends without a return");
}

const JUMPS: Readonly<Record<number, (a: number, value: number) => boolean>> = {
  0x15: (a, value) => a === value,
  0x25: (a, value) => a > value,
  0x35: (a, value) => a >= value,
};
const SIZES: Readonly<Record<number, number>> = { 0x20: 4, 0x28: 2, 0x30: 1 };

type Load = { readonly code: number; readonly at: number; readonly around: Around };

function load(frame: Buffer, { code, at, around }: Load): number | undefined {
  if (at === 0xfffff004) return around.packetType ?? 0;
  if (at === 0xfffff030) return around.vlan ?? 0;
  const bytes = SIZES[code]!;
  return at + bytes > frame.length ? undefined : frame.readUIntBE(at, bytes);
}

describe("listenFilter", () => {
  const program = listenFilter([range("172.30.0.240-172.30.0.249"), range("fd00:30::240/124")]);
  const passes = (frame: Buffer, around?: Around): boolean => run(program, frame, around) > 0;

  it("lets through who claims an address of a range, or asks before taking it", () => {
    for (const ip of ["172.30.0.240", "172.30.0.249"].map(address)) {
      expect(passes(gratuitousArpRequest(ip, MAC))).toBe(true);
      expect(passes(gratuitousArpReply(ip, MAC))).toBe(true);
      expect(passes(probeFrame(ip, MAC))).toBe(true);
    }
    const v6 = address("fd00:30::241");
    expect(passes(unsolicitedAdvertisement(v6, MAC, ROUTER))).toBe(true);
    expect(passes(probeFrame(v6, MAC))).toBe(true);
    expect(passes(queryFrame(ROUTER, { mac: MAC, source: v6 }))).toBe(true);
  });

  it("lets through nothing else", () => {
    const host = address("172.30.0.11");
    expect(passes(gratuitousArpReply(address("172.30.0.250"), MAC))).toBe(false);
    expect(passes(probeFrame(address("172.30.0.239"), MAC))).toBe(false);
    // A host that looks for the address says nothing of who has it.
    expect(passes(queryFrame(address("172.30.0.240"), { mac: MAC, source: host }))).toBe(false);
    const other = address("fd00:31::1");
    expect(passes(unsolicitedAdvertisement(other, MAC, ROUTER))).toBe(false);
    const udp = Buffer.from(unsolicitedAdvertisement(address("fd00:30::240"), MAC, ROUTER));
    udp[20] = 17;
    expect(passes(udp)).toBe(false);
    expect(passes(Buffer.alloc(0))).toBe(false);
    expect(passes(Buffer.alloc(60))).toBe(false);
  });

  it("not what this machine sends, nor what is for a VLAN", () => {
    const frame = gratuitousArpReply(address("172.30.0.240"), MAC);
    expect(passes(frame, { packetType: 4 })).toBe(false);
    expect(passes(frame, { vlan: 1 })).toBe(false);
    expect(passes(frame, { packetType: 1 })).toBe(true);
  });

  it("for any ranges, lets through what is in one of them", () => {
    const v4 = fc.tuple(fc.nat(0xffff_ffff), fc.nat(300)).map(([first, size]) => ({
      family: "ipv4" as const,
      first: BigInt(first),
      last: BigInt(Math.min(first + size, 0xffff_ffff)),
    }));
    fc.assert(
      fc.property(fc.array(v4, { maxLength: 40 }), fc.nat(), fc.nat(400), (ranges, pick, off) => {
        const base = ranges[pick % Math.max(1, ranges.length)]?.first ?? 1n;
        const value = base + BigInt(off) - 50n;
        if (value < 1n || value > 0xffff_ffffn) return;
        const ip = { family: "ipv4", value } as const;
        const frame = gratuitousArpReply(ip, MAC);
        const isInside = ranges.some(one => rangeContains(one, ip));
        expect(run(listenFilter(ranges), frame) > 0).toBe(isInside);
      }),
    );
  });

  it("of very many ranges, or very large ones, it lets through a little more, and never less", () => {
    const many = Array.from({ length: 2000 }, (_, i) => range(`10.${i >> 8}.${i & 255}.8/30`));
    const networks = Array.from({ length: 300 }, (_, i) => range(`fd00:${i.toString(16)}::/64`));
    const wide = range("2001:db8::/40");
    const program = listenFilter([...many, ...networks, wide]);
    // The kernel's limit (BPF_MAXINSNS).
    expect(program.length).toBeLessThan(4096);
    for (const [, ifTrue, ifFalse] of program) expect(Math.max(ifTrue, ifFalse)).toBeLessThan(256);
    for (const { first, last } of many) {
      for (const value of [first, last]) {
        expect(run(program, probeFrame({ family: "ipv4", value }, MAC))).toBeGreaterThan(0);
      }
    }
    const v6 = ["fd00:12b::1", "2001:db8:ff::9"].map(address);
    for (const ip of v6) {
      expect(run(program, unsolicitedAdvertisement(ip, MAC, ROUTER))).toBeGreaterThan(0);
    }
    expect(run(program, probeFrame(address("192.0.2.1"), MAC))).toBe(0);
  });
});
