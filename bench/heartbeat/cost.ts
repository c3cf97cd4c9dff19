import { setTimeout as delay } from "node:timers/promises";
import { usageOf } from "../bgp/process-usage";
import { round } from "../report";

/** What a process uses that has come to rest, and what its host hears and sends meanwhile. */
export type Cost = {
  /** Of one core, percent. */
  readonly cpu: number;
  readonly rssMiB: number;
  readonly sent: Rate;
  readonly heard: Rate;
};

/** Per second. */
export type Rate = { readonly packets: number; readonly bytes: number };

type Traffic = Readonly<Record<"rx" | "tx", Rate>>;

const MEASURE_MS = 15_000;

/**
 * Waits until a process has come to rest, and measures it for 15 s.
 *
 * @param run runs a command on the process's host and returns its output
 * @param settleMs how long it takes to come to rest
 */
export async function costOf(
  pid: number,
  run: (...argv: readonly string[]) => Promise<string>,
  settleMs: number,
): Promise<Cost> {
  await delay(settleMs);
  const [usage, traffic, begin] = [await usageOf(pid), await trafficOf(run), performance.now()];
  await delay(MEASURE_MS);
  const [usage2, traffic2] = [await usageOf(pid), await trafficOf(run)];
  const seconds = (performance.now() - begin) / 1000;
  const rate = (way: "rx" | "tx"): Rate => ({
    packets: round((traffic2[way].packets - traffic[way].packets) / seconds),
    bytes: round((traffic2[way].bytes - traffic[way].bytes) / seconds),
  });
  return {
    cpu: round(((usage2.cpuSeconds - usage.cpuSeconds) / seconds) * 100),
    rssMiB: round(usage2.rssMiB),
    sent: rate("tx"),
    heard: rate("rx"),
  };
}

/** All that went over the host's interface: of an announcer, the watches of the API server too. */
async function trafficOf(run: (...argv: readonly string[]) => Promise<string>): Promise<Traffic> {
  const text = await run("ip", "-j", "-s", "link", "show", "dev", "eth0");
  const [link] = JSON.parse(text) as { readonly stats64: Traffic }[];
  if (!link) throw new Error("the host has no eth0");
  return link.stats64;
}
