import { mkdtemp, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Lab } from "../lab/lab";
import { inRepo } from "../repo";
import { waitFor } from "../wait";
import type { Outage } from "./outage";

export type ProbeOptions = {
  readonly address: string;
  readonly port?: number;
  /** Milliseconds between two connections. */
  readonly intervalMs?: number;
  readonly limitMs?: number;
  /** End one second after an outage healed (the default), or only at the limit. */
  readonly until?: "healed" | "limit";
};

/**
 * Measure, from the lab's client, what an event does to connections: the prober runs, has had a
 * good answer, then `event` happens; the result is what the client saw.
 */
export async function probeDuring(
  lab: Lab,
  options: ProbeOptions,
  event: () => Promise<void>,
): Promise<Outage> {
  const folder = await mkdtemp(join(tmpdir(), "ancho-probe-"));
  const ready = join(folder, "ready");
  try {
    const running = lab.exec("client", probeCommand(options, ready), {
      timeoutMs: (options.limitMs ?? 20_000) + 10_000,
    });
    // Whoever waits for it below sees the failure; until then it must not be an unhandled one.
    running.catch(() => undefined);
    await waitFor(`${options.address} to answer the prober`, () =>
      Promise.resolve(existsSync(ready)),
    );
    await event();
    const result = await running;
    if (result.code !== 0) throw new Error(`the prober failed: ${result.stderr}`);
    return JSON.parse(result.stdout) as Outage;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function probeCommand(options: ProbeOptions, ready: string): string[] {
  return [
    ...[process.execPath, "--import", "tsx", inRepo("hack/probe/main.ts")],
    `--address=${options.address}`,
    `--port=${options.port ?? 80}`,
    `--interval=${options.intervalMs ?? 10}`,
    `--limit=${options.limitMs ?? 20_000}`,
    `--until=${options.until ?? "healed"}`,
    `--ready=${ready}`,
  ];
}
