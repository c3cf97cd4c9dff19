/**
 * What a process does that stood still: it listens to what the others did meanwhile before it decides anything. One
 * that is short of CPU stands still again and again, and must decide all the same.
 */
export type Waking = {
  /** Until when (ms on a monotonic clock) it only listens. */
  readonly until: number;
  /** How often it stood still since it decided last. */
  readonly stalls: number;
};

export const AWAKE: Waking = { until: -Infinity, stalls: 0 };

/** So often standing still puts the next decision off. */
export const MOST_STALLS = 3;

/** After it stood still once more. */
export function wakingAfterStall(
  before: Waking,
  { now, listenMs }: { readonly now: number; readonly listenMs: number },
): Waking {
  if (before.stalls >= MOST_STALLS) return before;
  return { until: now + listenMs, stalls: before.stalls + 1 };
}

/** True while nothing is to be decided. */
export function isListening({ until }: Waking, now: number): boolean {
  return now < until;
}
