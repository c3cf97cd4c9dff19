import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AWAKE, MOST_STALLS, isListening, wakingAfterStall } from "./waking";
import type { Waking } from "./waking";

const listenMs = 300;
const stalled = (before: Waking, now: number): Waking =>
  wakingAfterStall(before, { now, listenMs });

describe("waking", () => {
  it("listens for a while after it stood still, and after it stood still meanwhile", () => {
    expect(isListening(AWAKE, 0)).toBe(false);
    const once = stalled(AWAKE, 1000);
    expect([1000, 1299, 1300].map(now => isListening(once, now))).toEqual([true, true, false]);
    expect(isListening(stalled(once, 1200), 1499)).toBe(true);
  });

  it("listens again when it stands still after a decision", () => {
    let waking = AWAKE;
    for (let now = 0; now < 1e4; now += 100) waking = stalled(waking, now);
    expect(isListening(waking, 1e4)).toBe(false);
    expect(isListening(stalled(AWAKE, 1e4), 1e4)).toBe(true);
  });

  it("however often it stands still, it decides after so many pauses and so much listening", () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: MOST_STALLS });
    fc.assert(
      fc.property(gaps, all => {
        let [now, waking] = [0, AWAKE];
        const at: number[] = [];
        for (const gap of all) {
          now += gap;
          at.push(now);
          waking = stalled(waking, now);
        }
        expect(waking.until).toBe((at[MOST_STALLS - 1] ?? NaN) + listenMs);
      }),
    );
  });
});
