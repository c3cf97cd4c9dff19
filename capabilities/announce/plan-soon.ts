import { startTimer } from "./timers";

/** A plan for some dozens of addresses: what follows it need not wait, ms. */
const SHORT_MS = 5;
/** While all is well a plan may wait so many times as long as the last one took: then it is new addresses that cause it. */
const SHARE = 3;
const LONGEST_MS = 250;

/**
 * How long to leave the processor to others after a plan, ms. A thousand addresses take tens of ms, and while they
 * are shared out each node has news of each other one twenty times a second.
 *
 * @param isSettled all members are heard: no address waits for a takeover
 */
export function restAfter(tookMs: number, isSettled: boolean): number {
  if (tookMs < SHORT_MS) return 0;
  return Math.min(LONGEST_MS, isSettled ? SHARE * tookMs : tookMs);
}

/** Many objects may change at once: the returned function has one plan made for all of them, soon. */
export function createPlanSoon(options: {
  readonly plan: () => void;
  /** All members are heard. */
  readonly isSettled: () => boolean;
}): () => void {
  let isDue = false;
  let tookMs = 0;
  let endedAt = -Infinity;

  function plan(): void {
    isDue = false;
    const begin = performance.now();
    options.plan();
    endedAt = performance.now();
    tookMs = endedAt - begin;
  }

  return () => {
    if (isDue) return;
    isDue = true;
    const restMs = endedAt + restAfter(tookMs, options.isSettled()) - performance.now();
    if (restMs > 0) startTimer(restMs, plan);
    else setImmediate(plan);
  };
}
