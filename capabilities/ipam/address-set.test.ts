import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAddressSet } from "./address-set";

describe("the set of addresses", () => {
  it.each([4, 10, 11, 32])(
    "finds the lowest absent number as a plain set does, %i bits wide",
    width => {
      const limit = 2n ** BigInt(Math.min(width, 11));
      const value = fc.bigInt({ min: 0n, max: limit - 1n });
      const step = fc.record({
        do: fc.constantFrom("add", "add-run", "delete", "search"),
        value,
        run: fc.nat(200),
      });
      fc.assert(
        fc.property(fc.array(step, { maxLength: 60 }), steps => {
          const set = createAddressSet(width);
          const naive = new Set<bigint>();
          for (const { do: what, value: at, run } of steps) {
            const last = what === "add-run" ? at + BigInt(run) : at;
            for (let one = at; what.startsWith("add") && one <= last && one < limit; one++) {
              set.add(one);
              naive.add(one);
            }
            if (what === "delete") {
              set.delete(at);
              naive.delete(at);
            }
            let absent = at;
            while (naive.has(absent)) absent++;
            expect(set.nextAbsent(at)).toBe(absent < 2n ** BigInt(width) ? absent : undefined);
            expect(set.has(at)).toBe(naive.has(at));
          }
        }),
        { numRuns: 300 },
      );
    },
  );

  it("has an end: the last number of a full set is followed by none", () => {
    const set = createAddressSet(32);
    set.add(2n ** 32n - 1n);
    expect(set.nextAbsent(2n ** 32n - 1n)).toBeUndefined();
    expect(set.nextAbsent(2n ** 32n)).toBeUndefined();
  });

  it("works at both ends of the IPv6 space", () => {
    const set = createAddressSet(128);
    const last = 2n ** 128n - 1n;
    set.add(0n);
    set.add(last);
    expect(set.nextAbsent(0n)).toBe(1n);
    expect(set.nextAbsent(last - 1n)).toBe(last - 1n);
    expect(set.nextAbsent(last)).toBeUndefined();
  });
});
