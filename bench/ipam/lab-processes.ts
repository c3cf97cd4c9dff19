import { readFileSync, readdirSync } from "node:fs";
import type { Lab } from "../../hack/lab/lab";
import { usageOf } from "../bgp/process-usage";

/** The processes of a lab, those of its pods among them: by their control group. */
export function labPids(lab: Lab): readonly number[] {
  return readdirSync("/proc")
    .filter(name => /^\d+$/.test(name))
    .filter(pid => textOf(`/proc/${pid}/cgroup`).includes(`/ancho-${lab.name}/`))
    .map(Number);
}

/** The pod that a process is in, by its host name; undefined if it is in none. */
export function podOf(pid: number): string | undefined {
  return /(?:^|\0)HOSTNAME=([^\0]+)/.exec(textOf(`/proc/${pid}/environ`))?.[1];
}

/** CPU time in ms that the lab's present processes have used so far, by their numbers. */
export async function cpuOf(lab: Lab): Promise<ReadonlyMap<number, number>> {
  const found = new Map<number, number>();
  for (const pid of labPids(lab)) {
    const usage = await usageOf(pid).catch(() => undefined);
    if (usage) found.set(pid, usage.cpuSeconds * 1_000);
  }
  return found;
}

/** What the processes have used between two looks, ms; one that was not there at the first look began at 0. */
export function cpuBetween(
  before: ReadonlyMap<number, number>,
  after: ReadonlyMap<number, number>,
): number {
  return [...after].reduce((sum, [pid, ms]) => sum + ms - (before.get(pid) ?? 0), 0);
}

/** Empty for a process that is gone. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
