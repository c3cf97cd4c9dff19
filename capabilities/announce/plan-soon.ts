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

/** What is to come within this time makes a plan of its own necessary, ms: who inherits has taken over by then. */
const LATER_MS = 300;

/** Whatever is waited for, plans are not put off for longer, ms. */
const HELD_MS = 1_000;

export type PlanSoon = {
  /** Has a plan made when the last one is far enough behind: one for all who asked for it meanwhile. */
  readonly soon: () => void;
  /** Has one made without such a rest: an address may wait for it. Still one for all that came together. */
  readonly now: () => void;
  /** Has one made some time from now, for what is wanted already and what is about to come. */
  readonly later: () => void;
  /** Addresses are being taken: until `release` no plan takes the processor from that. */
  readonly hold: () => void;
  readonly release: () => void;
};

/** How soon a plan is wanted. Of several wishes the most urgent one counts. */
export type Urgency = "later" | "soon" | "now";
const URGENCY: Readonly<Record<Urgency, number>> = { later: 0, soon: 1, now: 2 };

export function createPlanSoon(plan: () => void): PlanSoon {
  let wanted: { readonly urgency: Urgency; readonly at: number } | undefined;
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
    const restMs = wanted.urgency === "now" ? 0 : restAfter(tookMs);
    const notBefore = wanted.urgency === "later" ? wanted.at + LATER_MS : -Infinity;
    const waitMs = Math.max(endedAt + restMs, notBefore, heldUntil) - performance.now();
    cancel = waitMs > 0 ? startTimer(waitMs, run) : startImmediate(run);
  }

  function want(urgency: Urgency): void {
    if (wanted && URGENCY[wanted.urgency] >= URGENCY[urgency]) return;
    wanted = { urgency, at: performance.now() };
    schedule();
  }

  return {
    soon: () => {
      want("soon");
    },
    now: () => {
      want("now");
    },
    later: () => {
      want("later");
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
