/** Waiting for something to become true. */
import { setTimeout as delay } from "node:timers/promises";

/** What to wait for and for how long. */
export type WaitOptions = {
  /** Ends the sentence "timed out after 30 s waiting for …". */
  readonly what: string;
  readonly timeoutMs: number;
  readonly intervalMs?: number;
  /** Throws when waiting on is pointless, such as after the process in question has ended. */
  readonly check?: () => void;
  /** Ends the waiting early, with the signal's reason. */
  readonly signal?: AbortSignal;
};

const DEFAULT_INTERVAL_MS = 100;

const reasonOf = (error: unknown): string =>
  error === undefined ? "" : `: ${error instanceof Error ? error.message : JSON.stringify(error)}`;

/**
 * Waits for all of `work`, then throws the first error if there was one. Unlike `Promise.all`, nothing
 * runs on behind the caller's back after an error, so cleaning up meets no more changes.
 */
export async function settleAll<T>(work: Iterable<T | PromiseLike<T>>): Promise<readonly T[]> {
  const results = await Promise.allSettled(work);
  return results.map(result => {
    if (result.status === "rejected") {
      throw result.reason;
    }
    return result.value;
  });
}

/** Asks `probe` until it answers true. A probe that throws counts as "not yet". */
export async function waitUntil(
  probe: () => boolean | Promise<boolean>,
  options: WaitOptions,
): Promise<void> {
  const deadline = Date.now() + options.timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      if (await probe()) {
        return;
      }
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    options.check?.();
    options.signal?.throwIfAborted();
    if (Date.now() >= deadline) {
      throw new Error(
        `timed out after ${options.timeoutMs / 1000} s waiting for ${options.what}${reasonOf(lastError)}`,
      );
    }
    await delay(options.intervalMs ?? DEFAULT_INTERVAL_MS);
  }
}

/**
 * Waits until a condition holds, and returns what it returned: anything but undefined and false. A
 * condition that throws does not hold yet.
 * @throws Error that names what was waited for and what was thrown last.
 */
export async function waitFor<T>(
  what: string,
  condition: () => Promise<T | undefined | false>,
  timeoutMs = 60_000,
): Promise<T> {
  let value: T | undefined | false;
  const probe = async (): Promise<boolean> => {
    value = await condition();
    return value !== undefined && value !== false;
  };
  await waitUntil(probe, { what, timeoutMs });
  return value as T;
}
