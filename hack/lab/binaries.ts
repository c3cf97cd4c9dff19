/** The programs that the lab runs, built once from pinned Go modules or found on the machine. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { binary, binDir, buildDir } from "./paths";
import type { Task } from "./context";
import { checkGo } from "./prerequisites";
import { must, run } from "./run";

/** A program and how to get it. */
export type Program = {
  readonly name: string;
  /** Folder of the go.mod that pins it, below `build/`. */
  readonly module: string;
  /** Go package to build. */
  readonly package: string;
  /** Module whose pinned version the program must report; none for our own programs. */
  readonly pin?: string;
  /** Where its version is found; default: it answers `--version`. */
  readonly versionIn?: "build information";
};

const kubernetes = (name: string): Program => ({
  name,
  module: "kubernetes",
  package: `k8s.io/kubernetes/cmd/${name}`,
  pin: "k8s.io/kubernetes",
});

const own = (name: string): Program => ({ name, module: ".", package: `./${name}` });

/** Everything the lab needs. */
export const programs: readonly Program[] = [
  own("pause"),
  own("demo"),
  own("forward"),
  {
    name: "etcd",
    module: "etcd",
    package: "go.etcd.io/etcd/server/v3",
    pin: "go.etcd.io/etcd/server/v3",
  },
  kubernetes("kube-apiserver"),
  kubernetes("kube-controller-manager"),
  kubernetes("kube-scheduler"),
  kubernetes("kube-proxy"),
  kubernetes("kubelet"),
  kubernetes("kubectl"),
];

const PROGRESS_INTERVAL_MS = 10_000;

/** The version of `module` that a go.mod requires. */
export function pinnedVersion(goMod: string, module: string): string {
  const line = goMod
    .split("\n")
    .map(text => text.trim().replace(/^require /, ""))
    .find(text => text.startsWith(`${module} v`));
  const version = line?.split(" ")[1];
  if (version === undefined) {
    throw new Error(`go.mod does not require ${module}`);
  }
  return version;
}

/** Go linker flags that make Kubernetes programs report their version; without, they say v0.0.0. */
export function linkerFlags(program: Program, version: string | undefined): string {
  if (version === undefined || program.module !== "kubernetes") {
    return "-s -w";
  }
  const [major = "", minor = ""] = version.slice(1).split(".");
  const variable = "k8s.io/component-base/version";
  return `-s -w -X ${variable}.gitVersion=${version} -X ${variable}.gitMajor=${major} -X ${variable}.gitMinor=${minor}`;
}

function pinOf(program: Program): string | undefined {
  if (program.pin === undefined) {
    return undefined;
  }
  return pinnedVersion(readFileSync(join(buildDir, program.module, "go.mod"), "utf8"), program.pin);
}

async function reportsVersion(file: string, program: Program, version: string): Promise<boolean> {
  if (program.versionIn === "build information") {
    const built = await run(["go", "version", "-m", file]).catch(() => undefined);
    return (built?.stdout ?? "").includes(`\t${program.pin ?? ""}\t${version}\t`);
  }
  const ask = program.name === "kubectl" ? ["version", "--client"] : ["--version"];
  const result = await run([file, ...ask], { timeoutMs: 10_000 }).catch(() => undefined);
  const words = (result?.stdout ?? "").split(/\s+/);
  return words.includes(version) || words.includes(version.slice(1));
}

const newestSource = (folder: string): number =>
  Math.max(...readdirSync(folder).map(file => statSync(join(folder, file)).mtimeMs));

async function isCurrent(program: Program, version: string | undefined): Promise<boolean> {
  const file = binary(program.name);
  if (!existsSync(file)) {
    return false;
  }
  return version === undefined
    ? statSync(file).mtimeMs >= newestSource(join(buildDir, program.package))
    : reportsVersion(file, program, version);
}

/** Folders that may already have a program: KUBEBUILDER_ASSETS, as controller tests use it, and PATH. */
export function searchFolders(env: NodeJS.ProcessEnv): readonly string[] {
  const path = (env.PATH ?? "").split(delimiter);
  return [env.KUBEBUILDER_ASSETS ?? "", ...path].filter(folder => folder.startsWith("/"));
}

async function findElsewhere(program: Program, version: string): Promise<string | undefined> {
  for (const folder of searchFolders(process.env)) {
    const file = join(folder, program.name);
    if (existsSync(file) && (await reportsVersion(file, program, version))) {
      return file;
    }
  }
  return undefined;
}

async function build(program: Program, version: string | undefined, task: Task): Promise<void> {
  await checkGo();
  const staging = mkdtempSync(join(binDir, ".build-"));
  const output = join(staging, program.name);
  const started = Date.now();
  const timer = setInterval(() => {
    task.progress(`building ${program.name}: ${Math.round((Date.now() - started) / 1000)} s`);
  }, PROGRESS_INTERVAL_MS);
  try {
    const flags = ["-trimpath", "-ldflags", linkerFlags(program, version)];
    await must(["go", "build", ...flags, "-o", output, program.package], {
      cwd: join(buildDir, program.module),
      env: { ...process.env, CGO_ENABLED: "0" },
      signal: task.signal,
    });
    task.signal.throwIfAborted();
    renameSync(output, binary(program.name));
  } finally {
    clearInterval(timer);
    rmSync(staging, { recursive: true, force: true });
  }
}

async function provide(program: Program, version: string | undefined, task: Task): Promise<void> {
  const found = version === undefined ? undefined : await findElsewhere(program, version);
  if (found === undefined) {
    task.progress(`building ${program.name} ${version ?? ""}`.trimEnd());
    await build(program, version, task);
    return;
  }
  task.progress(`using ${found}`);
  copyFileSync(found, `${binary(program.name)}.new`);
  renameSync(`${binary(program.name)}.new`, binary(program.name));
}

/** Makes sure that programs are in the cache in their pinned version; without a list, all that the lab needs. */
export async function ensureBinaries(
  task: Task,
  wanted: readonly Program[] = programs,
): Promise<void> {
  mkdirSync(binDir, { recursive: true });
  const checked = await Promise.all(
    wanted.map(async program => {
      const version = pinOf(program);
      return { program, version, current: await isCurrent(program, version) };
    }),
  );
  // A signal to this process's group may have hit a program that was just asked for its version.
  task.signal.throwIfAborted();
  const missing = checked.filter(({ current }) => !current);
  if (missing.length > 2) {
    task.progress(
      `${missing.length} programs to build; the first time this takes about 10 minutes`,
    );
  }
  // One after the other: go build uses every processor, and a later one reuses what was compiled.
  for (const { program, version } of missing) {
    await provide(program, version, task);
  }
}
