import { systemClock } from "./clock";
import type { Clock } from "./clock";
import { isReason } from "./errors";
import type { Log } from "./log";
import { createQueueState } from "./queue-state";
import type { Backoff } from "./queue-state";

/** `requeueAfterMs`: look at this key again after that time, even if nothing changes. */
export type Result = { readonly requeueAfterMs?: number };

/**
 * Makes one object as it should be. It gets the key only and reads what is true now: the object may
 * have changed since, or be gone. A rejected promise means: try again later, with growing delays.
 */
export type Reconcile = (key: string) => Promise<Result | undefined> | Promise<void>;

export type WorkQueueOptions = {
  /** For the log. */
  readonly name: string;
  readonly reconcile: Reconcile;
  /** How many keys may run at once (default 1). */
  readonly concurrency?: number;
  /**
   * After a run its place stays empty for so many times as long as the run took, 0.1 s at most (default 0). Work that
   * nobody waits for slows down like this when the API server does, and leaves it to those who wait.
   */
  readonly rest?: number;
  readonly backoff?: Partial<Backoff>;
  readonly clock?: Clock;
  /** In [0, 1), for the jitter. */
  readonly random?: () => number;
  readonly log: Log;
};

/**
 * Runs `reconcile` for keys: one run per key at a time, several adds before a run are one run, an
 * add during a run is one more run after it, a failed run is repeated, no key is ever lost.
 */
export type WorkQueue = {
  add(key: string): void;
  /** Adds the key after `ms`; of several such requests for one key the earliest holds. */
  addAfter(key: string, ms: number): void;
  /** Starts no further run; resolves when those under way have ended. Later adds do nothing. */
  stop(): Promise<void>;
  /** Keys that are ready, running, or waiting for a time. */
  size(): number;
  /** Resolves when no key is ready or running (some may wait for a retry or a requeue). */
  idle(): Promise<void>;
};

const LONGEST_REST_MS = 100;
const DEFAULT_BACKOFF: Backoff = { baseMs: 100, maxMs: 60_000, jitter: 0.3 };

export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  const { name, log, concurrency = 1, clock = systemClock, random = Math.random } = options;
  const state = createQueueState({ ...DEFAULT_BACKOFF, ...options.backoff });
  const { rest = 0 } = options;
  let stopped = false;
  let resting = 0;
  let pumpPlanned = false;
  let cancelTimer: (() => void) | undefined;
  let waiters: (() => void)[] = [];

  /** Not at once: the caller of add may be in the middle of its own change of state. */
  function planPump(): void {
    if (!pumpPlanned) {
      pumpPlanned = true;
      queueMicrotask(pump);
    }
  }

  function pump(): void {
    pumpPlanned = false;
    while (!stopped && hasPlace()) {
      const key = state.take(clock.now());
      if (key === undefined) {
        break;
      }
      void run(key);
    }
    armTimer();
    wakeWaiters();
  }

  function hasPlace(): boolean {
    return state.counts().running + resting < concurrency;
  }

  async function run(key: string): Promise<void> {
    const begin = clock.now();
    try {
      const result = await (options.reconcile(key) as Promise<Result | undefined>);
      const after = result?.requeueAfterMs;
      state.succeed(key, after === undefined ? undefined : clock.now() + after);
    } catch (error) {
      const now = clock.now();
      const retryInMs = Math.round(state.fail(key, now, random()) - now);
      const level = isReason(error, "Conflict") ? "debug" : "warn";
      const failures = state.failures(key);
      log[level]({ queue: name, key, failures, retryInMs, err: error }, "run failed, will retry");
    }
    takeRest(Math.min(LONGEST_REST_MS, rest * (clock.now() - begin)));
    planPump();
  }

  function takeRest(ms: number): void {
    if (ms <= 0 || stopped) return;
    resting += 1;
    clock.after(ms, () => {
      resting -= 1;
      planPump();
    });
  }

  function armTimer(): void {
    cancelTimer?.();
    cancelTimer = undefined;
    const due = state.nextDue();
    if (due !== undefined && !stopped && hasPlace()) {
      cancelTimer = clock.after(Math.max(0, due - clock.now()), planPump);
    }
  }

  function wakeWaiters(): void {
    if (isIdle()) {
      const woken = waiters;
      waiters = [];
      woken.forEach(wake => {
        wake();
      });
    }
  }

  function isIdle(): boolean {
    const { ready, running } = state.counts();
    return running === 0 && (ready === 0 || stopped) && !pumpPlanned;
  }

  function idle(): Promise<void> {
    return isIdle() ? Promise.resolve() : new Promise(resolve => waiters.push(resolve));
  }

  return {
    add(key) {
      if (!stopped) {
        state.add(key);
        planPump();
      }
    },
    addAfter(key, ms) {
      if (!stopped) {
        state.addAt(key, clock.now() + Math.max(0, ms));
        planPump();
      }
    },
    stop() {
      stopped = true;
      armTimer();
      return idle();
    },
    size: () => state.size(),
    idle,
  };
}
