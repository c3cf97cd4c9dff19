import { describe, expect, it } from "vitest";
import { createPlanSoon, restAfter } from "./plan-soon";
import { delay } from "./timers";

describe("restAfter", () => {
  it.each([
    { tookMs: 0, isSettled: true, restMs: 0 },
    { tookMs: 4.9, isSettled: true, restMs: 0 },
    { tookMs: 30, isSettled: true, restMs: 90 },
    { tookMs: 30, isSettled: false, restMs: 30 },
    { tookMs: 400, isSettled: true, restMs: 250 },
    { tookMs: 400, isSettled: false, restMs: 250 },
  ])("is $restMs ms after $tookMs ms, settled: $isSettled", ({ tookMs, isSettled, restMs }) => {
    expect(restAfter(tookMs, isSettled)).toBe(restMs);
  });
});

describe("createPlanSoon", () => {
  function busyFor(ms: number): void {
    const end = performance.now() + ms;
    while (performance.now() < end);
  }

  it("makes one plan of many calls, and another one of those that come in it", async () => {
    let plans = 0;
    const soon = createPlanSoon({
      plan: () => {
        plans += 1;
        if (plans === 1) soon();
      },
      isSettled: () => true,
    });
    for (let i = 0; i < 5; i++) soon();
    expect(plans).toBe(0);
    while (plans < 2) await delay(1);
    await delay(20);
    expect(plans).toBe(2);
  });

  it("rests after a long one", async () => {
    const begins: number[] = [];
    const soon = createPlanSoon({
      plan: () => {
        begins.push(performance.now());
        busyFor(20);
        if (begins.length === 1) setImmediate(soon);
      },
      isSettled: () => true,
    });
    soon();
    while (begins.length < 2) await delay(5);
    expect((begins[1] ?? 0) - (begins[0] ?? 0)).toBeGreaterThan(75);
  });
});
