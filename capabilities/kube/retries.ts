import { systemClock } from "./clock";
import type { Clock } from "./clock";

/**
 * The watches of a process that have failed. As long as the API server is away one at a time tries it, in turn: each try
 * parses a kubeconfig and certificates anew, so a dozen of them in each of a cluster's announcers would take all the
 * CPU just when an address may have to move. The first that gets through lets all others try at once.
 */
export type Retries = {
  /** `retry` is called once, and waits once however often it is given; the returned function takes it back. */
  wait(retry: () => void): () => void;
  /** A watch that had failed is in order again. */
  succeeded(): void;
};

/**
 * How long to wait before the next try: a fifteenth of the outage so far, between 0.5 and 10 s,
 * half of it random. So a restart of the API server costs a second or two, and after a long outage
 * the nodes of a big cluster don't all come at once.
 */
export function retryDelayMs(outageMs: number, random: number): number {
  return Math.min(10_000, Math.max(500, outageMs / 15)) * (0.5 + random / 2);
}

export function createRetries(clock: Clock, random: () => number): Retries {
  const waiting = new Set<() => void>();
  let failingSince: number | undefined;
  let cancelTimer: (() => void) | undefined;

  function schedule(): void {
    if (cancelTimer || waiting.size === 0) return;
    failingSince ??= clock.now();
    cancelTimer = clock.after(retryDelayMs(clock.now() - failingSince, random()), () => {
      cancelTimer = undefined;
      const [next] = waiting;
      if (next) release(next);
      schedule();
    });
  }

  function release(retry: () => void): void {
    if (waiting.delete(retry)) retry();
  }

  return {
    wait: retry => {
      waiting.add(retry);
      schedule();
      return () => {
        waiting.delete(retry);
      };
    },
    succeeded: () => {
      failingSince = undefined;
      cancelTimer?.();
      cancelTimer = undefined;
      for (const retry of [...waiting]) release(retry);
      schedule();
    },
  };
}

/** Those of this process. */
export const processRetries = createRetries(systemClock, Math.random);
