import { createDeadlines } from "./deadlines";

/**
 * How long a key that failed waits: `baseMs` after the first failure, twice as long after each
 * further one, never more than `maxMs`. `jitter` (0–1) is the share of the delay that is random.
 */
export type Backoff = { readonly baseMs: number; readonly maxMs: number; readonly jitter: number };

/** The delay after `failures` (>= 1) failures in a row; `random` is in [0, 1). */
export function backoffMs(backoff: Backoff, failures: number, random: number): number {
  const full = Math.min(backoff.maxMs, backoff.baseMs * 2 ** (failures - 1));
  return full * (1 - backoff.jitter * random);
}

/**
 * What the work queue knows and decides, without clock, timers or promises.
 *
 * A key is in any of these at once: *ready* (to be run as soon as possible), *running*, *waiting*
 * for a time that somebody asked for (addAt) and *waiting* for the time that its last run asked for
 * (requeue or retry). The last is dropped when the key runs for another reason, since that run asks
 * anew; the first is a promise to a caller and stays.
 */
export type QueueState = {
  /** Makes the key ready. If it is running, it becomes ready when that run ends. */
  add(key: string): void;
  /** Makes the key ready at a time. Of several times asked for, the earliest holds. */
  addAt(key: string, at: number): void;
  /** The next key to run, marked as running; undefined if none is ready at `now`. */
  take(now: number): string | undefined;
  /** The key's run went well: failures are forgotten; run again at `requeueAt` if given. */
  succeed(key: string, requeueAt?: number): void;
  /** The key's run failed; returns when it is tried again. */
  fail(key: string, now: number, random: number): number;
  failures(key: string): number;
  /** The time at which `take` may have something new, if nothing else happens. */
  nextDue(): number | undefined;
  counts(): { readonly ready: number; readonly running: number; readonly waiting: number };
  /** Distinct keys in any of the states. */
  size(): number;
};

export function createQueueState(backoff: Backoff): QueueState {
  /** Insertion-ordered: first in, first out. */
  const ready = new Set<string>();
  const running = new Set<string>();
  /** Added while running: ready again after the run. */
  const dirty = new Set<string>();
  const failures = new Map<string, number>();
  const asked = createDeadlines();
  const requeued = createDeadlines();

  function add(key: string): void {
    (running.has(key) ? dirty : ready).add(key);
  }

  function promote(now: number): void {
    for (const deadlines of [asked, requeued]) {
      for (let key = deadlines.popDue(now); key !== undefined; key = deadlines.popDue(now)) {
        add(key);
      }
    }
  }

  function finish(key: string): void {
    running.delete(key);
    if (dirty.delete(key)) {
      ready.add(key);
    }
  }

  return {
    add,
    addAt(key, at) {
      asked.set(key, Math.min(at, asked.get(key) ?? at));
    },
    take(now) {
      promote(now);
      const [key] = ready;
      if (key !== undefined) {
        ready.delete(key);
        running.add(key);
        requeued.delete(key);
      }
      return key;
    },
    succeed(key, requeueAt) {
      finish(key);
      failures.delete(key);
      if (requeueAt !== undefined) {
        requeued.set(key, requeueAt);
      }
    },
    fail(key, now, random) {
      finish(key);
      const count = (failures.get(key) ?? 0) + 1;
      failures.set(key, count);
      const retryAt = now + backoffMs(backoff, count, random);
      requeued.set(key, retryAt);
      return retryAt;
    },
    failures: key => failures.get(key) ?? 0,
    nextDue() {
      const times = [asked.next(), requeued.next()].filter(at => at !== undefined);
      return times.length === 0 ? undefined : Math.min(...times);
    },
    counts: () => ({
      ready: ready.size,
      running: running.size,
      waiting: asked.size() + requeued.size(),
    }),
    size: () => new Set([...ready, ...running, ...asked.keys(), ...requeued.keys()]).size,
  };
}
