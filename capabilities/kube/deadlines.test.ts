import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDeadlines } from "./deadlines";

const key = fc.constantFrom("a", "b", "c", "d", "e", "f");
const step = fc.oneof(
  fc.record({ op: fc.constant("set" as const), key, at: fc.nat(50) }),
  fc.record({ op: fc.constant("delete" as const), key }),
  fc.record({ op: fc.constant("pop" as const), now: fc.nat(50) }),
);

describe("deadlines", () => {
  it("behaves like a plain map that is searched for its smallest value", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), steps => {
        const deadlines = createDeadlines();
        const model = new Map<string, number>();
        const soonest = (): number | undefined =>
          model.size === 0 ? undefined : Math.min(...model.values());
        for (const it of steps) {
          if (it.op === "set") {
            deadlines.set(it.key, it.at);
            model.set(it.key, it.at);
          } else if (it.op === "delete") {
            deadlines.delete(it.key);
            model.delete(it.key);
          } else {
            const expected = soonest();
            const popped = deadlines.popDue(it.now);
            if (expected === undefined || expected > it.now) {
              expect(popped).toBeUndefined();
            } else {
              expect(model.get(popped ?? "")).toBe(expected);
              model.delete(popped ?? "");
            }
          }
          expect(deadlines.next()).toBe(soonest());
          expect(deadlines.size()).toBe(model.size);
          expect(new Set(deadlines.keys())).toEqual(new Set(model.keys()));
        }
      }),
    );
  });

  it("pops in order of time", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { maxLength: 200 }), times => {
        const deadlines = createDeadlines();
        times.forEach((at, index) => {
          deadlines.set(String(index), at);
        });
        const popped: number[] = [];
        for (let k = deadlines.popDue(1000); k !== undefined; k = deadlines.popDue(1000)) {
          popped.push(times[Number(k)] ?? -1);
        }
        expect(popped).toEqual(times.toSorted((a, b) => a - b));
      }),
    );
  });
});
