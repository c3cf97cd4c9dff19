/** Programs of Debian packages for interop tests: downloaded and unpacked, never installed. */
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../process";
import { inRepo } from "../repo";

/** Files of a package and of all that it needs and this machine lacks. */
export type Unpacked = {
  /** Where the files are, as if it were `/`. */
  readonly root: string;
  /** For the environment of its programs. */
  readonly env: Readonly<Record<string, string>>;
  /** How one of its programs is called, by its path under the root. */
  readonly command: (path: string) => readonly string[];
};

/** A release of Debian other than the one that runs here. Programs of it run with its own loader and C library. */
export type OtherRelease = "trixie";

/**
 * Unpacks the newest version that this Debian has into `.cache/interop`, at the first call. Installing
 * would start daemons on the machine, so nothing is: programs run from the folder.
 * @param folders of libraries, beside the usual one
 * @throws Error with apt's own words, if there is no such package or no network.
 */
export async function unpack(name: string, folders: readonly string[] = []): Promise<Unpacked> {
  const { root, libraries } = await filled(name);
  const paths = [libraries, ...folders.map(folder => join(libraries, folder))];
  const env = { LD_LIBRARY_PATH: paths.join(":") };
  return { root, env, command: path => [join(root, path)] };
}

/** The same from another release, with all that the package needs down to the C library. */
export async function unpackFrom(release: OtherRelease, name: string): Promise<Unpacked> {
  const { root, libraries } = await filled(name, release);
  const loader = (await readdir(libraries)).find(file => /^ld-linux.*\.so/.test(file)) ?? "";
  const first = [join(libraries, loader), "--library-path", libraries];
  return { root, env: {}, command: path => [...first, join(root, path)] };
}

/** The folder with the files of a package, and where its libraries are; the first caller fills it. */
async function filled(
  name: string,
  release?: OtherRelease,
): Promise<{ readonly root: string; readonly libraries: string }> {
  const cache = inRepo(".cache/interop", release === undefined ? name : `${release}-${name}`);
  const root = join(cache, "root");
  const filling =
    fillings.get(cache) ?? (existsSync(root) ? Promise.resolve() : inTurn(cache, name, release));
  fillings.set(cache, filling);
  await filling;
  return { root, libraries: join(root, "usr/lib", await multiarchFolder(root)) };
}

/** The caller may have entered a network namespace, from which no mirror is reached; who started it has not. */
const ON_MACHINE = ["nsenter", `--net=/proc/${process.ppid}/ns/net`] as const;

/** A name server or mirror that is away for a moment is asked again, for about half a minute. */
const PATIENT = ["-o", "Acquire::Retries=5"] as const;

/** Several routers that start at once share one download. */
const fillings = new Map<string, Promise<void>>();

/** Where several packages are wanted at once, one apt-get must not refresh the lists that another one reads. */
let last = Promise.resolve();

function inTurn(cache: string, name: string, release?: OtherRelease): Promise<void> {
  const turn = last.then(() => fill(cache, name, release));
  last = turn.catch(() => undefined);
  return turn;
}

async function fill(cache: string, name: string, release?: OtherRelease): Promise<void> {
  const archives = join(cache, "archives");
  await rm(cache, { recursive: true, force: true });
  await mkdir(join(archives, "partial"), { recursive: true });
  const options = [
    ...["-q", "-o", `Dir::Cache::archives=${archives}`],
    // Nothing of the system is changed, so whoever else runs apt-get need not be waited for.
    ...["-o", "Debug::NoLocking=true", ...PATIENT],
    ...(release ? await optionsFor(release, cache) : []),
  ];
  const install = [
    ...[...ON_MACHINE, "apt-get", ...options, "-y", "install", "--no-install-recommends"],
    ...["--reinstall", "--download-only", name],
  ];
  await run(install).catch(async () => {
    await run([...ON_MACHINE, "apt-get", ...options, "update", "--error-on=any"]);
    await run(install);
  });
  const unfinished = join(cache, "root.new");
  for (const file of (await readdir(archives)).filter(entry => entry.endsWith(".deb"))) {
    await run(["dpkg", "--extract", join(archives, file), unfinished]);
  }
  await rename(unfinished, join(cache, "root"));
}

/** Lists of another release in a folder, and a system that has no package yet. */
async function optionsFor(release: OtherRelease, cache: string): Promise<readonly string[]> {
  const file = (name: string): string => join(cache, name);
  await mkdir(join(file("lists"), "partial"), { recursive: true });
  await writeFile(file("sources.list"), `deb ${await debianMirror()} ${release} main\n`);
  await writeFile(file("status"), "");
  const settings = {
    "Dir::Etc::sourcelist": file("sources.list"),
    "Dir::Etc::sourceparts": "-",
    "Dir::State::lists": file("lists"),
    "Dir::State::status": file("status"),
    "Dir::Cache::pkgcache": "",
    "Dir::Cache::srcpkgcache": "",
  };
  return Object.entries(settings).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
}

/** `x86_64-linux-gnu` or its like. */
async function multiarchFolder(root: string): Promise<string> {
  const folders = await readdir(join(root, "usr/lib")).catch(() => []);
  return folders.find(name => name.endsWith("-linux-gnu")) ?? "";
}

/** Where this machine gets Debian's packages from. */
export async function debianMirror(): Promise<string> {
  const sites = await run([
    ...["apt-get", "indextargets", "--format", "$(SITE)"],
    ...["Created-By: Packages", "Label: Debian", "Component: main"],
  ]);
  const [first] = sites.split("\n");
  if (!first) throw new Error("apt-get knows no source of Debian's packages");
  return first;
}
