import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { inRepo } from "../hack/repo";

const execute = promisify(execFile);

/** What a lab of this name has on the machine right now, by the kernel's word; all empty: nothing. */
export type Leftovers = {
  readonly processes: readonly string[];
  readonly namespaces: readonly string[];
  readonly mounts: readonly string[];
  readonly cgroups: readonly string[];
  readonly files: readonly string[];
};

export const nothing: Leftovers = {
  processes: [],
  namespaces: [],
  mounts: [],
  cgroups: [],
  files: [],
};

/** Look for traces of a lab without asking the lab. */
export async function findLeftovers(name: string): Promise<Leftovers> {
  const state = inRepo(".cache/lab/state", name);
  const lines = async (command: string, ...args: string[]) =>
    (await execute(command, args, { maxBuffer: 1 << 26 })).stdout.split("\n");
  const mentions = (text: string) => text.includes(`${state}/`) || text.includes(`ancho-${name}-`);
  const mounts = (await readFile("/proc/self/mounts", "utf8")).split("\n");
  return {
    processes: (await lines("ps", "-eo", "pid=,args=")).filter(mentions),
    namespaces: (await lines("ip", "netns", "list")).filter(line =>
      line.startsWith(`ancho-${name}-`),
    ),
    mounts: mounts.filter(mentions),
    cgroups: (await lines("find", "/sys/fs/cgroup", "-maxdepth", "4", "-type", "d")).filter(path =>
      new RegExp(`ancho[-/]${name}(?:[-/]|$)`).test(path),
    ),
    files: existsSync(state) ? [state] : [],
  };
}
