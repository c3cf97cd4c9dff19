/** Programs of Debian packages for interop tests: downloaded and unpacked, never installed. */
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../process";
import { inRepo } from "../repo";

/** Files of a package and of all that it needs and this machine lacks. */
export type Unpacked = {
  /** Where the files are, as if it were `/`. */
  readonly root: string;
  /** For the environment of its programs. */
  readonly env: Readonly<Record<string, string>>;
};

/**
 * Unpacks the newest version that this Debian has into `.cache/interop`, at the first call. Installing
 * would start daemons on the machine, so nothing is: programs run from the folder.
 * @throws Error with apt's own words, if there is no such package or no network.
 */
export async function unpack(name: string, folders: readonly string[] = []): Promise<Unpacked> {
  const cache = inRepo(".cache/interop", name);
  const root = join(cache, "root");
  const filling =
    fillings.get(name) ?? (existsSync(root) ? Promise.resolve() : inTurn(cache, name));
  fillings.set(name, filling);
  await filling;
  const libraries = join(root, "usr/lib", await multiarchFolder(root));
  const paths = [libraries, ...folders.map(folder => join(libraries, folder))];
  return { root, env: { LD_LIBRARY_PATH: paths.join(":") } };
}

/** The caller may have entered a network namespace, from which no mirror is reached; who started it has not. */
const ON_MACHINE = ["nsenter", `--net=/proc/${process.ppid}/ns/net`] as const;

/** A name server or mirror that is away for a moment is asked again, for about half a minute. */
const PATIENT = ["-o", "Acquire::Retries=5"] as const;

/** Several routers that start at once share one download. */
const fillings = new Map<string, Promise<void>>();

/** Where several packages are wanted at once, one apt-get must not refresh the lists that another one reads. */
let last = Promise.resolve();

function inTurn(cache: string, name: string): Promise<void> {
  const turn = last.then(() => fill(cache, name));
  last = turn.catch(() => undefined);
  return turn;
}

async function fill(cache: string, name: string): Promise<void> {
  const archives = join(cache, "archives");
  await rm(cache, { recursive: true, force: true });
  await mkdir(join(archives, "partial"), { recursive: true });
  const install = [
    ...[...ON_MACHINE, "apt-get", "-q", "-y", "install", "--no-install-recommends", "--reinstall"],
    ...["--download-only", "-o", `Dir::Cache::archives=${archives}`],
    // Nothing of the system is changed, so whoever else runs apt-get need not be waited for.
    ...["-o", "Debug::NoLocking=true", ...PATIENT, name],
  ];
  await run(install).catch(async () => {
    await run([...ON_MACHINE, "apt-get", "-q", ...PATIENT, "update", "--error-on=any"]);
    await run(install);
  });
  const unfinished = join(cache, "root.new");
  for (const file of (await readdir(archives)).filter(entry => entry.endsWith(".deb"))) {
    await run(["dpkg", "--extract", join(archives, file), unfinished]);
  }
  await rename(unfinished, join(cache, "root"));
}

/** `x86_64-linux-gnu` or its like. */
async function multiarchFolder(root: string): Promise<string> {
  const folders = await readdir(join(root, "usr/lib")).catch(() => []);
  return folders.find(name => name.endsWith("-linux-gnu")) ?? "";
}
