/** What the client says every few milliseconds. */
export type Batch = {
  /** All attempts that began before this moment have ended; ms on the machine's monotonic clock. */
  readonly settled: number;
  /** What ended since the last batch: number of the address, when it began, 1 if it was answered. */
  readonly attempts: readonly (readonly [address: number, at: number, ok: 0 | 1])[];
};
