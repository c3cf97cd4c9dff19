/** What the client says every few milliseconds. */
export type Batch = {
  /** All attempts that began before this moment have ended; ms on the machine's monotonic clock. */
  readonly settled: number;
  /** What ended since the last batch: number of the address, when it began, and why it failed if it did. */
  readonly attempts: readonly (readonly [address: number, at: number, failure?: string])[];
};
