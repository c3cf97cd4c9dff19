/** A real ExaBGP for interop tests. It needs python3. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { here, startDaemon } from "./daemon";
import type { Inside } from "./daemon";
import { unpack } from "./debian";

/** A running ExaBGP. */
export type Exabgp = {
  /** What happened, oldest first, as it tells its API processes. */
  events(): Promise<readonly ExabgpEvent[]>;
  log(): string;
  /** SIGKILL leaves no time for last words. */
  stop(signal?: NodeJS.Signals): Promise<void>;
};

/** ExaBGP's JSON, as far as all of its events have it. */
export type ExabgpEvent = {
  readonly type: string;
  readonly neighbor: {
    readonly address: { readonly local: string; readonly peer: string };
    readonly state?: string;
    readonly message?: Readonly<Record<string, unknown>>;
  };
};

/** Told of states and of what comes; put it into each `neighbor`. */
export const EXABGP_API =
  "api { processes [ events ]; neighbor-changes; receive { parsed; update; notification; refresh; open; } }";

/**
 * Starts ExaBGP with this configuration, whose neighbors have `EXABGP_API`.
 *
 * @param listenOn - address that it accepts connections on; without it only dials
 */
export async function startExabgp(
  configuration: string,
  inside: Inside = here,
  listenOn?: string,
): Promise<Exabgp> {
  const { root, env } = await unpack("exabgp");
  const folder = await mkdtemp(join(tmpdir(), "exabgp-"));
  const file = (name: string): string => join(folder, name);
  await writeFile(file("events"), "");
  // ExaBGP takes a process whose output is closed for dead, hence the copy of it.
  const script = `#!/bin/sh\nexec 3>&1 cat >> ${file("events")}\n`;
  await writeFile(file("write"), script, { mode: 0o755 });
  const process = `process events { run ${file("write")}; encoder json; }\n`;
  await writeFile(file("exabgp.conf"), process + configuration);
  const settings = ["exabgp.daemon.user=root", "exabgp.api.cli=false", "exabgp.log.level=INFO"];
  const listen = listenOn === undefined ? [] : [`exabgp.tcp.bind=${listenOn}`];
  const daemon = await startDaemon(
    [
      ...["env", ...settings, ...listen],
      ...["python3", join(root, "usr/sbin/python3-exabgp"), file("exabgp.conf")],
    ],
    inside,
    { ...env, PYTHONPATH: join(root, "usr/lib/python3/dist-packages") },
  );
  return {
    events: async () => {
      if (!daemon.isRunning()) throw new Error(`ExaBGP does not run: ${daemon.output()}`);
      const lines = (await readFile(file("events"), "utf8")).split("\n").slice(0, -1);
      return lines.map(line => JSON.parse(line) as ExabgpEvent);
    },
    log: () => daemon.output(),
    stop: async signal => {
      await daemon.stop(signal);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
