/** A real GoBGP router for interop tests. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../process";
import { waitFor } from "../wait";
import { here, startDaemon } from "./daemon";
import type { Inside } from "./daemon";
import { unpack } from "./debian";

/** A running router. */
export type Gobgp = {
  /** What `gobgp` prints, e.g. for `neighbor` or `global rib add 192.0.2.1/32`. */
  ask(command: string): Promise<string>;
  /** The same as JSON (`gobgp -j`), e.g. for `neighbor 10.0.0.1`. */
  json<T>(command: string): Promise<T>;
  log(): string;
  /** SIGKILL leaves no time for last words. */
  stop(signal?: NodeJS.Signals): Promise<void>;
};

/**
 * Starts gobgpd with this configuration in TOML and waits until it answers. Its API listens on
 * 127.0.0.1 of where it runs, so there is one in each place.
 *
 * @param more - options of its command line, e.g. `--graceful-restart`
 * @throws Error with its own words when it does not accept the configuration.
 */
export async function startGobgp(
  configuration: string,
  inside: Inside = here,
  more: readonly string[] = [],
): Promise<Gobgp> {
  const { root, env } = await unpack("gobgpd");
  const folder = await mkdtemp(join(tmpdir(), "gobgp-"));
  const file = join(folder, "gobgpd.toml");
  await writeFile(file, configuration);
  const program = join(root, "usr/bin/gobgpd");
  const options = ["-f", file, "-l", "debug", "--pprof-disable", "--api-hosts", "127.0.0.1:50051"];
  const daemon = await startDaemon([program, ...options, ...more], inside, env);
  const ask = async (...args: readonly string[]): Promise<string> =>
    run(await inside([join(root, "usr/bin/gobgp"), ...args]), env);
  const stop = async (signal?: NodeJS.Signals): Promise<void> => {
    await daemon.stop(signal);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await waitFor("GoBGP to answer", async () => {
      return !daemon.isRunning() || (await ask("global")).includes("AS:");
    });
    if (!daemon.isRunning()) throw new Error(`GoBGP does not run: ${daemon.output()}`);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ask: command => ask(...command.split(" ")),
    json: async <T>(command: string) => JSON.parse(await ask("-j", ...command.split(" "))) as T,
    log: () => daemon.output(),
    stop,
  };
}
