import { startImmediate, startTimer } from "./timers";

/** A plan for some dozens of addresses: what follows it need not wait, ms. */
const SHORT_MS = 5;
/** What no address waits for may wait so many times as long as the last plan took. */
const SHARE = 9;
const LONGEST_MS = 1_000;

/**
 * How long to leave the processor to others after a plan, ms. A thousand addresses take tens of ms, and while they
 * are shared out, or taken over, each node has news of each other one twenty times a second.
 */
export function restAfter(tookMs: number): number {
  return tookMs < SHORT_MS ? 0 : Math.min(LONGEST_MS, SHARE * tookMs);
}

/** Whatever is waited for, plans are not put off for longer, ms. */
const HELD_MS = 1_000;

export type PlanSoon = {
  /** Has a plan made when the last one is far enough behind: one for all who asked for it meanwhile. */
  readonly soon: () => void;
  /** Has one made without such a rest: an address may wait for it. Still one for all that came together. */
  readonly now: () => void;
  /** Addresses are being taken: until `release` no plan takes the processor from that. */
  readonly hold: () => void;
  readonly release: () => void;
};

export function createPlanSoon(plan: () => void): PlanSoon {
  /** How soon a plan is wanted; undefined: not at all. */
  let wanted: "soon" | "now" | undefined;
  let cancel = (): void => undefined;
  let isRunning = false;
  let tookMs = 0;
  let endedAt = -Infinity;
  let heldUntil = -Infinity;

  function run(): void {
    wanted = undefined;
    isRunning = true;
    const begin = performance.now();
    plan();
    endedAt = performance.now();
    tookMs = endedAt - begin;
    isRunning = false;
    schedule();
  }

  function schedule(): void {
    // How long to rest after a plan is known when it has ended.
    if (wanted === undefined || isRunning) return;
    cancel();
    const restMs = wanted === "now" ? 0 : restAfter(tookMs);
    const waitMs = Math.max(endedAt + restMs, heldUntil) - performance.now();
    cancel = waitMs > 0 ? startTimer(waitMs, run) : startImmediate(run);
  }

  function want(next: "soon" | "now"): void {
    if (wanted === "now" || wanted === next) return;
    wanted = next;
    schedule();
  }

  return {
    soon: () => {
      want("soon");
    },
    now: () => {
      want("now");
    },
    hold: () => {
      heldUntil = performance.now() + HELD_MS;
      schedule();
    },
    release: () => {
      heldUntil = -Infinity;
      schedule();
    },
  };
}
