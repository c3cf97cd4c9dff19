import type { Clock } from "./clock";

/** A clock that stands still until told to move; tests only. */
export function fakeClock(): Clock & { advance(ms: number): Promise<void> } {
  let now = 0;
  let timers: { at: number; callback: () => void }[] = [];
  return {
    now: () => now,
    after(ms, callback) {
      const timer = { at: now + ms, callback };
      timers.push(timer);
      return () => {
        timers = timers.filter(other => other !== timer);
      };
    },
    async advance(ms) {
      await settle();
      const until = now + ms;
      for (;;) {
        const next = timers.filter(t => t.at <= until).toSorted((a, b) => a.at - b.at)[0];
        if (next === undefined) {
          break;
        }
        now = Math.max(now, next.at);
        timers = timers.filter(t => t !== next);
        next.callback();
        await settle();
      }
      now = until;
      await settle();
    },
  };
}

/** Lets all promises that can settle do so. */
export async function settle(): Promise<void> {
  await new Promise(resolve => setImmediate(resolve));
}
