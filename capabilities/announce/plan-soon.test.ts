import { describe, expect, it } from "vitest";
import { createPlanSoon, restAfter } from "./plan-soon";
import type { PlanSoon } from "./plan-soon";
import { delay } from "./timers";

describe("restAfter", () => {
  it.each([
    { tookMs: 0, restMs: 0 },
    { tookMs: 4.9, restMs: 0 },
    { tookMs: 30, restMs: 270 },
    { tookMs: 400, restMs: 1_000 },
  ])("is $restMs ms after $tookMs ms", ({ tookMs, restMs }) => {
    expect(restAfter(tookMs)).toBe(restMs);
  });
});

describe("createPlanSoon", () => {
  /** When plans began; each takes so long, ms. */
  function setUp(tookMs: number, also: (made: number, plans: PlanSoon) => void = () => undefined) {
    const begins: number[] = [];
    const plans = createPlanSoon(() => {
      begins.push(performance.now());
      const end = performance.now() + tookMs;
      while (performance.now() < end);
      also(begins.length, plans);
    });
    const made = async (count: number): Promise<void> => {
      while (begins.length < count) await delay(1);
    };
    const gap = (): number => (begins[1] ?? 0) - (begins[0] ?? 0);
    return { plans, begins, made, gap };
  }

  it.each(["soon", "now", "later"] as const)(
    "makes one plan of many calls, and another one of those that come in it: %s",
    async call => {
      const { plans, begins, made } = setUp(0, (made, again) => {
        if (made === 1) again[call]();
      });
      for (let i = 0; i < 5; i++) plans[call]();
      expect(begins.length).toBe(0);
      await made(2);
      await delay(20);
      expect(begins.length).toBe(2);
    },
  );

  it("rests after a long one", async () => {
    const { plans, made, gap } = setUp(20);
    plans.soon();
    await made(1);
    plans.soon();
    await made(2);
    expect(gap()).toBeGreaterThan(75);
  });

  it("rests after a long one that itself asks for the next", async () => {
    const { plans, made, gap } = setUp(20, (count, again) => {
      if (count === 1) again.soon();
    });
    plans.soon();
    await made(2);
    expect(gap()).toBeGreaterThan(75);
  });

  it("waits while addresses are taken, for a second at most", async () => {
    const { plans, begins, made } = setUp(0);
    plans.soon();
    await made(1);
    plans.hold();
    plans.soon();
    plans.now();
    await delay(50);
    expect(begins.length).toBe(1);
    plans.release();
    await made(2);
    plans.hold();
    const heldAt = performance.now();
    plans.now();
    await made(3);
    expect((begins[2] ?? 0) - heldAt).toBeGreaterThan(990);
  });

  it("makes what has time later, with what is wanted meanwhile", async () => {
    const { plans, begins, made, gap } = setUp(0);
    plans.now();
    await made(1);
    plans.later();
    await made(2);
    expect(gap()).toBeGreaterThan(295);
    plans.later();
    const laterAt = performance.now();
    plans.soon();
    plans.later();
    await made(3);
    expect((begins[2] ?? 0) - laterAt).toBeLessThan(295);
    await delay(350);
    expect(begins.length).toBe(3);
  });

  it("does not rest where an address waits, and makes one plan for that and what rested", async () => {
    // So long a rest that no machine is as slow.
    const { plans, begins, made, gap } = setUp(80);
    plans.soon();
    await made(1);
    plans.soon();
    plans.now();
    await made(2);
    expect(gap()).toBeLessThan(80 + 240);
    await delay(300);
    expect(begins.length).toBe(2);
  });
});
