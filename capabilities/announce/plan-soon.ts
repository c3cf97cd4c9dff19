import { startTimer } from "./timers";

/** A plan for some dozens of addresses: what follows it need not wait, ms. */
const SHORT_MS = 5;
/** What no address waits for may wait so many times as long as the last plan took. */
const SHARE = 3;
const LONGEST_MS = 250;

/**
 * How long to leave the processor to others after a plan, ms. A thousand addresses take tens of ms, and while they
 * are shared out, or taken over, each node has news of each other one twenty times a second.
 */
export function restAfter(tookMs: number): number {
  return tookMs < SHORT_MS ? 0 : Math.min(LONGEST_MS, SHARE * tookMs);
}

export type PlanSoon = {
  /** Has a plan made when the last one is far enough behind: one for all who asked for it meanwhile. */
  readonly soon: () => void;
  /** Has one made without such a rest: an address may wait for it. Still one for all that came together. */
  readonly now: () => void;
};

export function createPlanSoon(plan: () => void): PlanSoon {
  let due: "not" | "rested" | "now" = "not";
  let cancelRest = (): void => undefined;
  let tookMs = 0;
  let endedAt = -Infinity;

  function run(): void {
    due = "not";
    const begin = performance.now();
    plan();
    endedAt = performance.now();
    tookMs = endedAt - begin;
  }

  function now(): void {
    if (due === "now") return;
    cancelRest();
    due = "now";
    setImmediate(run);
  }

  return {
    now,
    soon: () => {
      if (due !== "not") return;
      const restMs = endedAt + restAfter(tookMs) - performance.now();
      if (restMs <= 0) {
        now();
        return;
      }
      due = "rested";
      cancelRest = startTimer(restMs, run);
    },
  };
}
