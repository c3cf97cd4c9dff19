/**
 * The lab's cgroups: `/ancho-NAME/HOST` in every hierarchy. Everything a lab starts is in the tree of
 * the tracking hierarchy, so that `down` finds each process even if `up` died before noting it.
 */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const MOUNT = "/sys/fs/cgroup";
const V2_CONTROLLERS = ["cpuset", "cpu", "io", "memory", "pids"] as const;

const isV2 = (): boolean => existsSync(join(MOUNT, "cgroup.controllers"));

/** Folders at which cgroup trees begin: one for cgroup v2, one per hierarchy for v1. */
function roots(): readonly string[] {
  if (isV2()) {
    return [MOUNT];
  }
  return readdirSync(MOUNT)
    .map(entry => join(MOUNT, entry))
    .filter(root => existsSync(join(root, "cgroup.procs")));
}

/** The hierarchy that tells which process belongs to which host, and that can freeze a host. */
const trackingRoot = (): string => (isV2() ? MOUNT : join(MOUNT, "freezer"));

/** Path of a lab's cgroup as kubelet's `cgroupRoot` wants it. */
export const cgroupOf = (lab: string, host?: string): string =>
  host === undefined ? `/ancho-${lab}` : `/ancho-${lab}/${host}`;

/** In cgroup v2 only a leaf may hold processes, so daemons sit below their host's cgroup. */
const DAEMONS = "daemons";

function inheritCpuset(folder: string, parent: string): void {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    if (existsSync(join(parent, file))) {
      writeFileSync(join(folder, file), readFileSync(join(parent, file), "utf8").trim());
    }
  }
}

function delegateControllers(folder: string): void {
  for (const controller of V2_CONTROLLERS) {
    try {
      writeFileSync(join(folder, "cgroup.subtree_control"), `+${controller}`);
    } catch {
      // Not offered by this machine; kubelet says so if it needs it.
    }
  }
}

function makeCgroup(root: string, path: string): void {
  let folder = root;
  for (const part of path.split("/").filter(Boolean)) {
    if (isV2()) {
      delegateControllers(folder);
    }
    const parent = folder;
    folder = join(folder, part);
    if (!existsSync(folder)) {
      mkdirSync(folder);
      // A new cpuset of v1 has no processors, and nothing can be moved into it.
      if (!isV2()) {
        inheritCpuset(folder, parent);
      }
    }
  }
}

/** Makes the cgroup of a host in every hierarchy, and the one for its daemons. */
export function makeHostCgroup(lab: string, host: string): void {
  for (const root of roots()) {
    makeCgroup(root, cgroupOf(lab, host));
  }
  makeCgroup(trackingRoot(), `${cgroupOf(lab, host)}/${DAEMONS}`);
}

/** The file into which a daemon of a host writes its pid. */
export function daemonsProcsFile(lab: string, host: string): string {
  return join(trackingRoot(), cgroupOf(lab, host), DAEMONS, "cgroup.procs");
}

/** Folders of a tree, deepest first. */
function foldersBelow(folder: string): readonly string[] {
  if (!existsSync(folder)) {
    return [];
  }
  const children = readdirSync(folder, { withFileTypes: true }).filter(entry =>
    entry.isDirectory(),
  );
  return [...children.flatMap(child => foldersBelow(join(folder, child.name))), folder];
}

const trackingFolders = (lab: string, host?: string): readonly string[] =>
  foldersBelow(join(trackingRoot(), cgroupOf(lab, host)));

/** Every process of a lab, or of one of its hosts. */
export function processesIn(lab: string, host?: string): readonly number[] {
  return trackingFolders(lab, host).flatMap(folder => {
    try {
      return readFileSync(join(folder, "cgroup.procs"), "utf8")
        .split("\n")
        .filter(Boolean)
        .map(Number);
    } catch {
      return [];
    }
  });
}

/** Stops every process of a host where it stands (`true`), or lets them go on. */
export function setFrozen(lab: string, host: string, frozen: boolean): void {
  const folder = join(trackingRoot(), cgroupOf(lab, host));
  if (isV2()) {
    writeFileSync(join(folder, "cgroup.freeze"), frozen ? "1" : "0");
  } else {
    writeFileSync(join(folder, "freezer.state"), frozen ? "FROZEN" : "THAWED");
  }
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}

function thawAll(lab: string): void {
  const root = join(trackingRoot(), cgroupOf(lab));
  for (const entry of existsSync(root) ? readdirSync(root, { withFileTypes: true }) : []) {
    if (entry.isDirectory()) {
      setFrozen(lab, entry.name, false);
    }
  }
}

const KILL_INTERVAL_MS = 20;

/** Kills everything in the lab's cgroups, again until nothing is left. Throws after `timeoutMs`. */
export async function killAllIn(lab: string, timeoutMs: number): Promise<void> {
  thawAll(lab);
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const pids = processesIn(lab);
    if (pids.length === 0) {
      return;
    }
    if (Date.now() > deadline) {
      throw new Error(
        `lab ${lab}: processes ${pids.join(", ")} do not end; look at /proc/PID/stack and run "lab down" again`,
      );
    }
    pids.forEach(killProcess);
    await delay(KILL_INTERVAL_MS);
  }
}

function tryRemove(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return !existsSync(folder);
  }
}

/** Removes the lab's cgroups from every hierarchy; they must be empty of processes. */
export async function removeCgroups(lab: string, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const left = roots()
      .flatMap(root => foldersBelow(join(root, cgroupOf(lab))))
      .filter(folder => !tryRemove(folder));
    if (left.length === 0) {
      return;
    }
    if (Date.now() > deadline) {
      throw new Error(`lab ${lab}: cannot remove cgroup ${left[0] ?? ""}; run "lab down" again`);
    }
    await delay(KILL_INTERVAL_MS);
  }
}
