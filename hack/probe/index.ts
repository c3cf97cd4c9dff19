import type { Lab } from "../lab/lab";
import { waitFor } from "../wait";
import type { Outage } from "./outage";
import { isGood, measureOutage } from "./outage";
import { monotonicMs, startProber } from "./prober";

export type ProbeOptions = {
  readonly address: string;
  readonly port?: number;
  /** Milliseconds between two connections. */
  readonly intervalMs?: number;
  readonly limitMs?: number;
  /** End one second after an outage healed (the default), or only at the limit. */
  readonly until?: "healed" | "limit";
};

const QUIET_MS = 1000;

/**
 * Measure, from the lab's client, what an event does to connections: the prober runs, has had a
 * good answer, then `event` happens; the result is what the client saw.
 */
export async function probeDuring(
  lab: Lab,
  options: ProbeOptions,
  event: () => Promise<void>,
): Promise<Outage> {
  const { address, limitMs = 20_000, until = "healed" } = options;
  const prober = await startProber(lab, { ...options, addresses: [address] });
  try {
    await prober.good(address, 1);
    const begin = monotonicMs();
    await event();
    const isOver = async (): Promise<boolean> => {
      const now = monotonicMs();
      if (now >= begin + limitMs) return true;
      if (until === "limit") return false;
      await prober.settled(now);
      const seen = prober.attempts(address, begin, now);
      return seen.some(({ ok }) => !ok) && isGood(seen, now, QUIET_MS);
    };
    await waitFor("the probing to be over", isOver, limitMs + 10_000);
    const end = monotonicMs();
    await prober.settled(end);
    return measureOutage(prober.attempts(address, begin, end));
  } finally {
    await prober.stop();
  }
}
