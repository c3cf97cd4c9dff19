/** A real BIRD router for interop tests. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../process";
import { waitFor } from "../wait";
import { here, startDaemon } from "./daemon";
import type { Inside } from "./daemon";
import { unpack } from "./debian";

/** A running router. */
export type Bird = {
  /** What `birdcl` answers to a command, e.g. `show protocols all peer`. */
  ask(command: string): Promise<string>;
  /** Everything that it logged. */
  log(): Promise<string>;
  /** SIGKILL leaves no time for last words. */
  stop(signal?: NodeJS.Signals): Promise<void>;
};

/**
 * Starts BIRD 2 with this configuration and waits until it answers.
 *
 * @param inside turns a command into one that runs elsewhere, as in a network namespace
 * @throws Error with BIRD's own words when it does not accept the configuration.
 */
export async function startBird(configuration: string, inside: Inside = here): Promise<Bird> {
  const { root, env } = await unpack("bird2");
  const folder = await mkdtemp(join(tmpdir(), "bird-"));
  const file = (name: string): string => join(folder, name);
  await writeFile(file("bird.conf"), `log "${file("bird.log")}" all;\n${configuration}`);
  const argv = [
    ...[join(root, "usr/sbin/bird"), "-f"],
    ...["-c", file("bird.conf"), "-s", file("bird.ctl"), "-P", file("bird.pid")],
  ];
  const daemon = await startDaemon(argv, inside, env);
  const client = [join(root, "usr/sbin/birdcl"), "-s", file("bird.ctl")];
  const ask = (command: string): Promise<string> => run([...client, ...command.split(" ")], env);
  const stop = async (signal?: NodeJS.Signals): Promise<void> => {
    await daemon.stop(signal);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await waitFor(
      "BIRD to answer",
      async () => !daemon.isRunning() || (await ask("show status")).includes("is up"),
    );
    if (!daemon.isRunning()) throw new Error(`BIRD does not run: ${daemon.output()}`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { ask, log: () => readFile(file("bird.log"), "utf8"), stop };
}
