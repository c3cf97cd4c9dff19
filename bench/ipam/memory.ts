import { readFileSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { kubectl } from "../../hack/deploy";
import type { Lab } from "../../hack/lab/lab";
import { downLab, upLab } from "../../hack/lab/lab";
import { metallbVersion } from "../../hack/peers/metallb";
import { waitUntil } from "../../hack/wait";
import type { Aim, Report } from "../report";
import { round } from "../report";
import { assignedCount, createStage } from "./arms";
import { createCrowd } from "./crowd";

const labName = "bench-memory";
const SERVICES = Number(process.env["BENCH_SERVICES"] ?? 10_000);
const PATIENCE_MS = 900_000;
/** Garbage that nobody has collected yet is not what a process needs: the least of so many looks counts. */
const LOOKS = 6;
const LOOK_EVERY_MS = 5_000;

/**
 * What the processes that hand out addresses need with 10,000 Services and a /16, on a lab of one node. Ancho serves
 * them first; then MetalLB's controller finds them served, and then Ancho does, so that both are seen after a start.
 */
export async function benchMemory(): Promise<Report> {
  const progress = (line: string): void => {
    console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);
  };
  await downLab(labName);
  try {
    const lab = await upLab({ name: labName, nodes: 1 }, progress);
    const stage = createStage(lab, progress);
    const namespace = "bench-memory";
    await kubectl(lab, ["create", "namespace", namespace]);
    const { kubeconfig } = lab;
    await createCrowd({ kubeconfig, namespace, count: SERVICES, clients: 8, isServed: false });
    const readings: Readonly<Record<string, number>>[] = [];
    for (const arm of ["Ancho", "MetalLB", "Ancho"] as const) {
      await stage.use(arm);
      const isDone = async (): Promise<boolean> => (await assignedCount(lab)) === SERVICES;
      await waitUntil(isDone, {
        what: `${arm} to serve all`,
        timeoutMs: PATIENCE_MS,
        intervalMs: LOOK_EVERY_MS,
      });
      const reading = await leastRss(lab);
      progress(`${arm}: ${JSON.stringify(reading)}`);
      readings.push(reading);
    }
    const [fresh = {}, metallb = {}, restarted = {}] = readings;
    return { bench: "ipam-memory", aims: aimsOf({ fresh, metallb, restarted }) };
  } finally {
    await downLab(labName);
  }
}

type Reading = Readonly<Record<string, number>>;

function aimsOf(all: { fresh: Reading; metallb: Reading; restarted: Reading }): readonly Aim[] {
  const controller = all.metallb["controller"] ?? NaN;
  return ["pepr-ancho-watcher", "pepr-ancho"].map(process => ({
    name: `resident memory of ${process} with ${SERVICES} Services and a /16`,
    value: all.restarted[process] ?? NaN,
    unit: "MB",
    aim: "none: a figure beside MetalLB's",
    holds: true,
    peers: {
      "after it gave out all addresses itself": all.fresh[process] ?? NaN,
      [`controller of MetalLB ${metallbVersion()}`]: controller,
    },
  }));
}

/** MB by Deployment, of the largest of its pods' processes, at the least of some looks. */
async function leastRss(lab: Lab): Promise<Reading> {
  const least = new Map<string, number>();
  for (let look = 0; look < LOOKS; look++) {
    await sleep(LOOK_EVERY_MS);
    for (const [name, megabytes] of rssByDeployment(lab)) {
      least.set(name, Math.min(least.get(name) ?? Infinity, megabytes));
    }
  }
  return Object.fromEntries(least);
}

function rssByDeployment(lab: Lab): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const pid of readdirSync("/proc").filter(name => /^\d+$/.test(name))) {
    const pod = podOf(pid, lab.name);
    if (pod === undefined) continue;
    const deployment = pod.replace(/-[a-z0-9]+-[a-z0-9]{5}$/, "");
    found.set(deployment, Math.max(found.get(deployment) ?? 0, rssOf(pid)));
  }
  return found;
}

/** The pod that a process of this lab is in, by its host name; other processes of the machine have none. */
function podOf(pid: string, lab: string): string | undefined {
  try {
    const isOurs = readFileSync(`/proc/${pid}/cgroup`, "utf8").includes(`/ancho-${lab}/`);
    const environment = isOurs ? readFileSync(`/proc/${pid}/environ`, "utf8") : "";
    return /(?:^|\0)HOSTNAME=([^\0]+)/.exec(environment)?.[1];
  } catch {
    return undefined;
  }
}

function rssOf(pid: string): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? NaN) / 1024);
}
