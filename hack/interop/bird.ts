/** A real BIRD router for interop tests: fetched from Debian, run from a folder, never installed. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../process";
import { inRepo } from "../repo";
import { waitFor } from "../wait";

/** A running router. */
export type Bird = {
  /** What `birdcl` answers to a command, e.g. `show protocols all peer`. */
  ask(command: string): Promise<string>;
  /** Everything that it logged. */
  log(): Promise<string>;
  stop(): Promise<void>;
};

const cache = inRepo(".cache/interop/bird2");

/**
 * Installing the package would start a routing daemon on the machine, so it is only unpacked; the
 * second one is the library that it lacks on a plain Debian.
 */
const packages = ["bird2", "libssh-gcrypt-4"] as const;

/**
 * Starts BIRD with this configuration and waits until it answers.
 *
 * @param inside turns a command into one that runs elsewhere, as in a network namespace
 * @throws Error with BIRD's own words when it does not accept the configuration.
 */
export async function startBird(
  configuration: string,
  inside: (argv: readonly string[]) => Promise<readonly string[]> = argv => Promise.resolve(argv),
): Promise<Bird> {
  const root = await fetchBird();
  const folder = await mkdtemp(join(tmpdir(), "bird-"));
  const file = (name: string): string => join(folder, name);
  await writeFile(file("bird.conf"), `log "${file("bird.log")}" all;\n${configuration}`);
  const libraries = join(root, "usr/lib", await multiarchFolder(root));
  const env = { ...process.env, LD_LIBRARY_PATH: libraries };
  const [command = "", ...args] = await inside([
    ...[join(root, "usr/sbin/bird"), "-f"],
    ...["-c", file("bird.conf"), "-s", file("bird.ctl"), "-P", file("bird.pid")],
  ]);
  const daemon = spawn(command, args, { env, stdio: ["ignore", "ignore", "pipe"] });
  let complaint = "";
  daemon.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
  const exited = once(daemon, "exit");

  const ask = (command: string): Promise<string> =>
    run([join(root, "usr/sbin/birdcl"), "-s", file("bird.ctl"), ...command.split(" ")], {
      LD_LIBRARY_PATH: libraries,
    });
  const stop = async (): Promise<void> => {
    daemon.kill();
    await exited;
    await rm(folder, { recursive: true });
  };
  try {
    await waitFor(
      "BIRD to answer",
      async () => daemon.exitCode !== null || (await ask("show status")).includes("is up"),
    );
    if (daemon.exitCode !== null) throw new Error(`BIRD does not run: ${complaint}`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { ask, log: () => readFile(file("bird.log"), "utf8"), stop };
}

/** The folder with BIRD's files, filled at the first call. */
async function fetchBird(): Promise<string> {
  const root = join(cache, "root");
  if (existsSync(join(root, "usr/sbin/bird"))) return root;
  await rm(cache, { recursive: true, force: true });
  await mkdir(cache, { recursive: true });
  await download().catch(async () => {
    await run(["apt-get", "-q", "update"]);
    await download();
  });
  for (const name of (await readdir(cache)).filter(entry => entry.endsWith(".deb"))) {
    await run(["dpkg", "--extract", join(cache, name), `${root}.new`]);
  }
  await run(["mv", `${root}.new`, root]);
  return root;
}

/** apt-get has no option for where to download to, only the folder it runs in. */
async function download(): Promise<void> {
  await run(["env", "-C", cache, "apt-get", "-q", "download", ...packages]);
}

/** `x86_64-linux-gnu` or its like. */
async function multiarchFolder(root: string): Promise<string> {
  const folders = await readdir(join(root, "usr/lib"));
  return folders.find(name => name.endsWith("-linux-gnu")) ?? "";
}
