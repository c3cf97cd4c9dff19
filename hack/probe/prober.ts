import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { Lab } from "../lab/lab";
import { inRepo } from "../repo";
import { waitFor } from "../wait";
import type { Batch } from "./batch";
import type { Attempt } from "./outage";
import { isGood } from "./outage";

export type ProberOptions = {
  readonly addresses: readonly string[];
  readonly port?: number;
  /** Milliseconds between two connections to an address. */
  readonly intervalMs?: number;
  /** The host that asks; default: the lab's client. */
  readonly host?: string;
};

/** A client that runs until it is stopped, and what it saw. */
export type Prober = {
  /** The attempts to an address that began in this time and have ended. */
  attempts(address: string, from: number, to?: number): readonly Attempt[];
  /** Waits until all that began before that moment has ended. */
  settled(at: number): Promise<void>;
  /** Waits until an address was answered without a failure for so long, ms; returns that moment. */
  good(address: string, quietMs: number, limitMs?: number): Promise<number>;
  /** Forgets what began before; a run of an hour must not keep everything. */
  forget(before: number): void;
  stop(): Promise<void>;
};

/** The clock of all attempts: the machine's monotonic one, ms. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Starts a client on a host of the lab; the caller stops it. */
export async function startProber(lab: Lab, options: ProberOptions): Promise<Prober> {
  const child = await lab.spawn(options.host ?? "client", command(options), [
    "pipe",
    "pipe",
    "pipe",
  ]);
  const seen = options.addresses.map((): Attempt[] => []);
  const state = { settled: 0, complaint: "", hasEnded: false };
  child.stderr?.on("data", (chunk: Buffer) => (state.complaint += chunk.toString()));
  child.once("exit", () => (state.hasEnded = true));
  createInterface({ input: child.stdout as Readable }).on("line", line => {
    const batch = JSON.parse(line) as Batch;
    for (const [index, at, failure] of batch.attempts)
      seen[index]?.push(failure === undefined ? { at, ok: true } : { at, ok: false, failure });
    state.settled = batch.settled;
  });

  const attempts: Prober["attempts"] = (address, from, to = Infinity) =>
    seen[options.addresses.indexOf(address)]?.filter(({ at }) => at >= from && at < to) ?? [];
  const poll = <T>(what: string, read: () => T | undefined | false, limitMs?: number): Promise<T> =>
    waitFor(
      what,
      () => {
        if (state.hasEnded) throw new Error(`the prober has ended: ${state.complaint}`);
        return Promise.resolve(read());
      },
      limitMs,
    );
  return {
    attempts,
    settled: async at => {
      await poll("the prober's attempts to end", () => state.settled >= at);
    },
    good: async (address, quietMs, limitMs) => {
      const begin = monotonicMs();
      return poll(
        `${address} to answer for ${quietMs} ms`,
        () =>
          state.settled >= begin + quietMs &&
          isGood(attempts(address, begin), state.settled, quietMs) &&
          state.settled,
        limitMs,
      );
    },
    forget: before => {
      seen.forEach((list, i) => (seen[i] = list.filter(({ at }) => at >= before)));
    },
    stop: () => stopChild(child),
  };
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.stdin?.end();
  await exited;
}

function command({ addresses, port = 80, intervalMs = 10 }: ProberOptions): readonly string[] {
  return [
    ...[process.execPath, "--import", "tsx", inRepo("hack/probe/main.ts")],
    ...addresses.map(address => `--address=${address}`),
    `--port=${port}`,
    `--interval=${intervalMs}`,
  ];
}
