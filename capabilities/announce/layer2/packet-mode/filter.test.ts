import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  FRAME_BYTES,
  MAX_INTERVALS,
  arpRequestFilter,
  intervalsOf,
  solicitationFilter,
} from "./filter";
import type { Instruction } from "./filter";

const PACKET_TYPE = 0xffff_f004;

const LOADS: Readonly<Record<number, (frame: Buffer, at: number) => number>> = {
  0x30: (frame, at) => frame.readUInt8(at),
  0x28: (frame, at) => frame.readUInt16BE(at),
  0x20: (frame, at) => frame.readUInt32BE(at),
};
const TESTS: Readonly<Record<number, (word: number, value: number) => boolean>> = {
  0x15: (word, value) => word === value,
  0x25: (word, value) => word > value,
  0x35: (word, value) => word >= value,
};

/** What the kernel does with the instructions that are used here (Documentation/networking/filter.rst). */
function run(program: readonly Instruction[], frame: Buffer, packetType = 1): number {
  let word = 0;
  for (let at = 0; at < program.length; at++) {
    const [code, ifTrue, ifFalse, value] = program[at]!;
    if (code === 0x06) return value;
    if (code === 0x05) at += value;
    else if (TESTS[code]) at += TESTS[code](word, value) ? ifTrue : ifFalse;
    else word = value === PACKET_TYPE ? packetType : LOADS[code]!(frame, value);
  }
  throw new Error("the program has no end");
}

function arpFrame(target: number, operation = 1): Buffer {
  const frame = Buffer.alloc(60);
  frame.writeUInt16BE(operation, 20);
  frame.writeUInt32BE(target, 38);
  return frame;
}

function ndpFrame(target: number, type = 135, nextHeader = 58): Buffer {
  const frame = Buffer.alloc(86);
  frame.writeUInt8(nextHeader, 20);
  frame.writeUInt8(type, 54);
  frame.writeUInt32BE(target, 74);
  return frame;
}

const key = fc.oneof(
  fc.nat(0xffff_ffff),
  fc.nat(300),
  fc.integer({ min: 0xffff_ff00, max: 0xffff_ffff }),
);
const keys = fc.uniqueArray(key, { maxLength: 600 });

describe("the kernel filters", () => {
  it("let a question through exactly if its target is one of ours", () => {
    fc.assert(
      fc.property(keys, key, (ours, other) => {
        const targets = intervalsOf(ours, Infinity);
        const [arp, ndp] = [arpRequestFilter(targets), solicitationFilter(targets)];
        for (const target of [...ours.slice(0, 20), other, (other + 1) >>> 0]) {
          const wanted = ours.includes(target) ? FRAME_BYTES : 0;
          expect(run(arp, arpFrame(target))).toBe(wanted);
          expect(run(ndp, ndpFrame(target))).toBe(wanted);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("metallb 131: drop replies, other messages, and frames for other hosts", () => {
    const targets = intervalsOf([7]);
    expect(run(arpRequestFilter(targets), arpFrame(7, 2))).toBe(0);
    expect(run(solicitationFilter(targets), ndpFrame(7, 136))).toBe(0);
    expect(run(solicitationFilter(targets), ndpFrame(7, 135, 17))).toBe(0);
    const types = { host: 0, broadcast: 1, multicast: 2, otherHost: 3, outgoing: 4 };
    const passed = Object.entries(types).filter(
      ([, type]) => run(arpRequestFilter(targets), arpFrame(7), type) > 0,
    );
    expect(passed.map(([name]) => name)).toEqual(["host", "broadcast", "multicast"]);
  });

  it("stay within the kernel's limits, whatever the addresses are", () => {
    const scattered = Array.from({ length: 100_000 }, (_, at) => at * 3 + (at % 7) * 1000);
    const program = arpRequestFilter(intervalsOf(scattered));
    expect(program.length).toBeLessThan(1700);
    for (const [, ifTrue, ifFalse] of program) {
      expect(Math.max(ifTrue, ifFalse)).toBeLessThan(256);
    }
  });
});

describe("intervalsOf", () => {
  it("holds all keys, in order and apart; and none else while they are few", () => {
    fc.assert(
      fc.property(keys, fc.integer({ min: 1, max: 20 }), (ours, limit) => {
        const exact = intervalsOf(ours, Infinity);
        const size = exact.reduce((sum, { first, last }) => sum + last - first + 1, 0);
        expect(size).toBe(ours.length);
        const few = intervalsOf(ours, limit);
        expect(few.length).toBe(Math.min(exact.length, limit));
        const isSorted = few.every(({ first }, at) => first > (few[at - 1]?.last ?? -1));
        expect(isSorted).toBe(true);
        const isIn = (one: number): boolean =>
          few.some(({ first, last }) => first <= one && one <= last);
        expect(ours.every(isIn)).toBe(true);
      }),
    );
  });

  it("closes the narrowest gaps first", () => {
    expect(intervalsOf([1, 2, 3, 5, 100], 2)).toEqual([
      { first: 1, last: 5 },
      { first: 100, last: 100 },
    ]);
    expect(intervalsOf([])).toEqual([]);
    const apart = Array.from({ length: MAX_INTERVALS + 1 }, (_, at) => at * 10);
    expect(intervalsOf(apart)).toHaveLength(MAX_INTERVALS);
  });
});
