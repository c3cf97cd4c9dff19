import { setTimeout as sleep } from "node:timers/promises";
import { kubectl } from "../../hack/deploy";
import type { Lab } from "../../hack/lab/lab";
import { downLab, upLab } from "../../hack/lab/lab";
import { metallbVersion } from "../../hack/peers/metallb";
import { waitUntil } from "../../hack/wait";
import { usageOf } from "../bgp/process-usage";
import type { Aim, Report } from "../report";
import { round } from "../report";
import { assignedCount, createStage, forgetAssigned } from "./arms";
import { createCrowd } from "./crowd";
import { labPids, podOf } from "./lab-processes";

const labName = "bench-memory";
const SERVICES = Number(process.env["BENCH_SERVICES"] ?? 10_000);
const PATIENCE_MS = 900_000;
/** Garbage that nobody has collected yet is not what a process needs: the least of so many looks counts. */
const LOOKS = 6;
const LOOK_EVERY_MS = 5_000;

/**
 * What the processes that hand out addresses need with 10,000 Services and a /16, on a lab of one node. Ancho serves
 * them first; then MetalLB's controller finds them served, and then Ancho does, so that both are seen after a start.
 * Nothing is announced and no Service has pods: kube-proxy, announcers and speakers would cost the time and say nothing.
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
    // The rules that pods need to find the API server stay in the kernel.
    await lab.endDaemon("n1/kube-proxy");
    const crowd = { kubeconfig, namespace, count: SERVICES, clients: 8 };
    await createCrowd({ ...crowd, isServed: false, hasSelector: false });
    progress(`${SERVICES} Services`);
    const readings: Readonly<Record<string, number>>[] = [];
    for (const arm of ["Ancho", "MetalLB", "Ancho"] as const) {
      await stage.use("nobody");
      if (readings.length > 0) await forgetAssigned(lab);
      await stage.use(arm);
      await kubectl(lab, ["-n", "metallb-system", "delete", "daemonset", "--all"]);
      const isDone = async (): Promise<boolean> => (await assignedCount(lab)) === SERVICES;
      await waitUntil(isDone, {
        what: `${arm} to serve all`,
        timeoutMs: PATIENCE_MS,
        intervalMs: LOOK_EVERY_MS,
      });
      progress(`${arm} has served all`);
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
    for (const [name, megabytes] of await rssByDeployment(lab)) {
      least.set(name, Math.min(least.get(name) ?? Infinity, megabytes));
    }
  }
  return Object.fromEntries(least);
}

async function rssByDeployment(lab: Lab): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for (const pid of labPids(lab)) {
    const pod = podOf(pid);
    const usage = pod && (await usageOf(pid).catch(() => undefined));
    if (!pod || !usage) continue;
    const deployment = pod.replace(/-[a-z0-9]+-[a-z0-9]{5}$/, "");
    const megabytes = round((usage.rssMiB * 1_024 ** 2) / 1_000 ** 2);
    found.set(deployment, Math.max(found.get(deployment) ?? 0, megabytes));
  }
  return found;
}
