/** How long outages were, ms, and how many connections failed. */
export type Sample = { readonly outageMs: number; readonly failed: number };

export type Summary = {
  readonly times: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
  /** Failed connections of all times together. */
  readonly failed: number;
};

/**
 * The smallest value that is not below so many percent of all (nearest rank). Of fewer than a hundred values the
 * 99th percentile is thus the greatest.
 * @throws Error when there are no values
 */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
  if (value === undefined) throw new Error("percentile of no values");
  return value;
}

export function summarize(samples: readonly Sample[]): Summary {
  const outages = samples.map(({ outageMs }) => outageMs);
  return {
    times: samples.length,
    p50: percentile(outages, 50),
    p90: percentile(outages, 90),
    p99: percentile(outages, 99),
    max: Math.max(...outages),
    failed: samples.reduce((sum, { failed }) => sum + failed, 0),
  };
}
