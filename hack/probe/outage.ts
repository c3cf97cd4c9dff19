/** One attempt of the prober: when it began, ms, and whether the answer came, or why not. */
export type Attempt = { readonly at: number; readonly ok: boolean; readonly failure?: string };

/** What a client noticed. */
export type Outage = {
  readonly attempts: number;
  readonly failed: number;
  /** The longest time from the last good attempt before a failure to the first good one after it. */
  readonly outageMs: number;
  /** How attempts failed, each way once. */
  readonly failures: readonly string[];
};

/**
 * The outage that a client saw: with attempts every few milliseconds, the longest gap between two
 * good ones that has a failed one in between. No failure, no outage, however slow an answer was.
 * An outage that never ended counts up to the last attempt.
 */
export function measureOutage(attempts: readonly Attempt[]): Outage {
  const inOrder = [...attempts].sort((a, b) => a.at - b.at);
  let lastGood = inOrder[0]?.at ?? 0;
  let failing = false;
  let outageMs = 0;
  for (const { at, ok } of inOrder) {
    if (failing || !ok) outageMs = Math.max(outageMs, at - lastGood);
    failing = !ok;
    if (ok) lastGood = at;
  }
  return {
    attempts: inOrder.length,
    failed: inOrder.filter(attempt => !attempt.ok).length,
    outageMs: Math.round(outageMs),
    failures: [...new Set(inOrder.flatMap(({ failure }) => failure ?? []))],
  };
}

/**
 * True if at least one attempt was made in the `quietMs` before `now`, and all of them were good.
 * Only attempts that have ended are to be given.
 */
export function isGood(attempts: readonly Attempt[], now: number, quietMs: number): boolean {
  const recent = attempts.filter(({ at }) => at > now - quietMs && at <= now);
  return recent.length > 0 && recent.every(({ ok }) => ok);
}
