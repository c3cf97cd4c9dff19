/** Time as an argument, so that tests need not wait. Milliseconds since the epoch. */
export type Clock = {
  now(): number;
  /** Runs `callback` once after `ms`; the returned function cancels that. */
  after(ms: number, callback: () => void): () => void;
};

/** Longest delay that setTimeout takes; more would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS));
    return () => {
      clearTimeout(timer);
    };
  },
};
