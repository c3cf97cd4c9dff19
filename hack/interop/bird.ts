/** A real BIRD router for interop tests. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../process";
import { waitFor } from "../wait";
import { here, startDaemon } from "./daemon";
import type { Inside } from "./daemon";
import { unpack, unpackFrom } from "./debian";
import type { Unpacked } from "./debian";

/** A running router. */
export type Bird = {
  readonly pid: number;
  /** What `birdcl` answers to a command, e.g. `show protocols all peer`. */
  ask(command: string): Promise<string>;
  /** Everything that it logged. */
  log(): Promise<string>;
  /** SIGKILL leaves no time for last words. */
  stop(signal?: NodeJS.Signals): Promise<void>;
};

/** 2 as this Debian has it; 2.17 and 3 as Debian 13 has them. */
export type BirdVersion = 2 | 2.17 | 3;

/** Gets BIRD's package before a test begins whose time is limited. */
export async function fetchBird(version: BirdVersion): Promise<Unpacked> {
  if (version === 2) return unpack("bird2");
  return unpackFrom("trixie", version === 3 ? "bird3" : "bird2");
}

/**
 * Starts BIRD with this configuration and waits until it answers.
 *
 * @param inside turns a command into one that runs elsewhere, as in a network namespace
 * @throws Error with BIRD's own words when it does not accept the configuration.
 */
export async function startBird(
  configuration: string,
  inside: Inside = here,
  version: BirdVersion = 2,
): Promise<Bird> {
  const { command, env } = await fetchBird(version);
  const folder = await mkdtemp(join(tmpdir(), "bird-"));
  const file = (name: string): string => join(folder, name);
  await writeFile(file("bird.conf"), `log "${file("bird.log")}" all;\n${configuration}`);
  const argv = [
    ...[...command("usr/sbin/bird"), "-f"],
    ...["-c", file("bird.conf"), "-s", file("bird.ctl"), "-P", file("bird.pid")],
  ];
  const daemon = await startDaemon(argv, inside, env);
  const client = [...command("usr/sbin/birdcl"), "-s", file("bird.ctl")];
  const ask = async (words: string): Promise<string> =>
    asVersion2(await run([...client, ...words.split(" ")], env));
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
  return { pid: daemon.pid, ask, log: () => readFile(file("bird.log"), "utf8"), stop };
}

/** BIRD 3 has other names for the attributes of a route, and means the same. */
function asVersion2(answer: string): string {
  return answer.replaceAll(/\bbgp_path:/g, "BGP.as_path:").replaceAll(/\bbgp_(\w+):/g, "BGP.$1:");
}
