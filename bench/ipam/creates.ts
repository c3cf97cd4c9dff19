import { setTimeout as sleep } from "node:timers/promises";
import { kubectl } from "../../hack/deploy";
import type { Lab } from "../../hack/lab/lab";
import { downLab, upLab } from "../../hack/lab/lab";
import { buildMetallb, metallbVersion } from "../../hack/peers/metallb";
import { quietTask } from "../../hack/lab/context";
import { waitFor } from "../../hack/wait";
import { percentile } from "../failover/statistics";
import type { Aim } from "../report";
import { median, round } from "../report";
import { assignedCount, createStage, forgetAssigned, isServing } from "./arms";
import type { Arm, Stage } from "./arms";
import { createCrowd } from "./crowd";
import type { Crowd, CrowdOptions, Sample } from "./crowd";
import { cpuBetween, cpuOf } from "./lab-processes";

const labName = "bench-ipam";
const arms: readonly Arm[] = ["nobody", "idle webhook", "writing webhook", "Ancho", "MetalLB"];
/** Who creates: at leisure, which shows what a create costs, and without a rest, which shows how many there can be. */
const loads = [
  { who: "1 client, 10 creates per second", clients: 1, everyMs: 100, share: 0.2 },
  { who: "20 clients, 10 creates per second in all", clients: 20, everyMs: 2_000, share: 0.2 },
  { who: "1 client", clients: 1, everyMs: 0, share: 1 },
  { who: "20 clients", clients: 20, everyMs: 0, share: 1 },
] as const;
type Load = (typeof loads)[number];
/** Of so many Services each: 1,000 per arm and number of clients in all. */
const ROUNDS = Number(process.env["BENCH_ROUNDS"] ?? 2);
const PER_ROUND = Number(process.env["BENCH_SERVICES"] ?? 1_000) / ROUNDS;
/** Fewer have no p99. */
const LEAST = 100;
const WARM_UP = 50;
/** What follows from the last create, events and conditions that are held back among it, is over by then. */
const REST_MS = 4_000;

/** `cpuMs`: what the whole cluster used for each Service, beyond what it uses at rest. */
type Measured = {
  readonly arm: Arm;
  readonly load: Load;
  readonly crowd: Crowd;
  readonly cpuMs: number;
};

/**
 * Services on a lab of one node, created by 1 and by 20 clients, while nobody, a webhook that does nothing or creates one
 * object, Ancho or MetalLB serves them, turn by turn. Whoever serves is installed anew for its turn and gets some Services
 * to warm up.
 */
export async function benchCreates(): Promise<readonly Aim[]> {
  const progress = (line: string): void => {
    console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);
  };
  await downLab(labName);
  try {
    await buildMetallb({ ...quietTask(), progress });
    const lab = await upLab({ name: labName, nodes: 1 }, progress);
    const stage = createStage(lab, progress);
    const aims = loads.flatMap(aimsOf(await measure(lab, stage, progress)));
    return [...aims, await measureUpgrade(lab, stage)];
  } finally {
    await downLab(labName);
  }
}

async function measure(
  lab: Lab,
  stage: Stage,
  progress: (line: string) => void,
): Promise<readonly Measured[]> {
  const measured: Measured[] = [];
  for (let turn = 0; turn < ROUNDS; turn++) {
    for (const arm of arms) {
      await stage.use(arm);
      await crowdOf(lab, arm, { count: WARM_UP, clients: 4 });
      const atRest = (await meterCpu(lab, () => sleep(REST_MS))).cpuMs / REST_MS;
      for (const load of loads) {
        const { clients, everyMs, share } = load;
        const count = Math.max(LEAST, PER_ROUND * share);
        const { crowd, cpuMs, tookMs } = await crowdOf(lab, arm, { count, clients, everyMs });
        const own = Math.max(0, cpuMs - atRest * tookMs) / count;
        measured.push({ arm, load, crowd, cpuMs: own });
        progress(`${arm}, ${load.who}: ${describe(crowd)}; CPU ${round(own)} ms each`);
      }
    }
  }
  return measured;
}

/** MetalLB is taken away from under Services that have their addresses from it, and Ancho comes in its place. */
async function measureUpgrade(lab: Lab, stage: Stage): Promise<Aim> {
  const namespace = "bench-upgrade";
  const count = Math.min(200, PER_ROUND);
  await stage.use("MetalLB");
  await kubectl(lab, ["create", "namespace", namespace]);
  const { kubeconfig } = lab;
  await createCrowd({ kubeconfig, namespace, count, clients: 4, isServed: true });
  const path =
    "jsonpath={range .items[*]}{.metadata.name} {.status.loadBalancer.ingress[*].ip}{'\\n'}";
  const read = (): Promise<string> =>
    kubectl(lab, ["-n", namespace, "get", "services", "-o", path]);
  const before = (await read()).trim().split("\n");
  await stage.use("nobody");
  await forgetAssigned(lab);
  await stage.use("Ancho");
  await waitFor("Ancho to hold every address", async () => (await assignedCount(lab)) === count);
  const after = (await read()).trim().split("\n");
  const moved = before.filter(line => !after.includes(line)).length;
  return {
    name: `of ${count} Services that had their addresses from MetalLB, those whose address Ancho changed`,
    value: moved,
    unit: "Services",
    aim: "0",
    holds: moved === 0,
    peers: { "Services before": before.length, "Services after": after.length },
  };
}

let serial = 0;

async function crowdOf(
  lab: Lab,
  arm: Arm,
  size: Pick<CrowdOptions, "count" | "clients" | "everyMs">,
): Promise<Metered> {
  serial += 1;
  const namespace = `bench-${serial}`;
  await kubectl(lab, ["create", "namespace", namespace]);
  const isServed = isServing(arm);
  let crowd: Crowd = { samples: [], elapsedMs: 0 };
  const metered = await meterCpu(lab, async () => {
    crowd = await createCrowd({ kubeconfig: lab.kubeconfig, namespace, isServed, ...size });
    await sleep(REST_MS);
  });
  await kubectl(lab, ["delete", "--raw", `/api/v1/namespaces/${namespace}/services`]);
  await waitFor("the Services to be gone", async () => {
    const names = await kubectl(lab, ["-n", namespace, "get", "services", "-o", "name"]);
    return names.trim() === "";
  });
  if (isServed) {
    await waitFor("all addresses to be free", async () => (await assignedCount(lab)) === 0);
  }
  return { ...metered, crowd };
}

type Metered = { readonly crowd: Crowd; readonly cpuMs: number; readonly tookMs: number };

async function meterCpu(lab: Lab, work: () => Promise<void>): Promise<Omit<Metered, "crowd">> {
  const begin = performance.now();
  const before = await cpuOf(lab);
  await work();
  return { cpuMs: cpuBetween(before, await cpuOf(lab)), tookMs: performance.now() - begin };
}

const seconds = ({ samples, elapsedMs }: Crowd): number => (samples.length * 1_000) / elapsedMs;
const creates = (crowd: Crowd): readonly number[] => crowd.samples.map(it => it.createMs);
const addresses = (crowd: Crowd): readonly number[] =>
  crowd.samples.flatMap(it => it.addressMs ?? []);
const statuses = (crowd: Crowd): readonly number[] =>
  crowd.samples.flatMap(it => it.statusMs ?? []);

function describe(crowd: Crowd): string {
  const pair = (values: readonly number[]): string =>
    values.length === 0 ? "–" : `${round(percentile(values, 50))}/${round(percentile(values, 99))}`;
  return `${round(seconds(crowd))} creates/s; ms p50/p99: create ${pair(creates(crowd))}, address ${pair(addresses(crowd))}, status ${pair(statuses(crowd))}`;
}

function aimsOf(measured: readonly Measured[]): (load: Load) => readonly Aim[] {
  return load => {
    const rounds = (arm: Arm): readonly Crowd[] =>
      measured.filter(it => it.arm === arm && it.load === load).map(({ crowd }) => crowd);
    const all = (arm: Arm): readonly Sample[] => rounds(arm).flatMap(({ samples }) => samples);
    const of = (arm: Arm, what: (crowd: Crowd) => readonly number[], p: number): number =>
      round(median(rounds(arm).map(crowd => percentile(what(crowd), p))));
    const { who } = load;
    const added = (p: number, limit: number): Aim => {
      const value = round(of("Ancho", creates, p) - of("nobody", creates, p));
      return {
        name: `what Ancho adds to the time of a create, p${p}, ${who}`,
        value,
        unit: "ms",
        aim: `≤ ${limit}`,
        holds: value <= limit,
        peers: {
          "create with no webhook, ms": of("nobody", creates, p),
          "with a webhook that does nothing, ms": of("idle webhook", creates, p),
          "with one that creates one object, ms": of("writing webhook", creates, p),
          "with Ancho, ms": of("Ancho", creates, p),
          [`with MetalLB ${metallbVersion()}, ms`]: of("MetalLB", creates, p),
          "creates per second with no webhook": round(median(rounds("nobody").map(seconds))),
          "with one that does nothing": round(median(rounds("idle webhook").map(seconds))),
          "with Ancho": round(median(rounds("Ancho").map(seconds))),
          "with MetalLB": round(median(rounds("MetalLB").map(seconds))),
        },
      };
    };
    const known = (p: number): Aim => {
      const value = round(of("Ancho", addresses, p) / of("MetalLB", addresses, p));
      return {
        name: `time until a Service's address is known, p${p}, ${who}, as a ratio to MetalLB ${metallbVersion()}`,
        value,
        unit: "ratio",
        aim: "< 1",
        holds: value < 1,
        peers: {
          "Ancho, ms": of("Ancho", addresses, p),
          "Ancho until it is in the status, ms": of("Ancho", statuses, p),
          "MetalLB, ms": of("MetalLB", addresses, p),
        },
      };
    };
    const shareOf = (arm: Arm): number =>
      all(arm).filter(it => it.inAnswer).length / all(arm).length;
    const share = shareOf("Ancho");
    const inAnswer: Aim = {
      name: `creates whose own answer has the address, ${who}`,
      value: round(share),
      unit: "share",
      aim: "1",
      holds: share === 1,
      peers: { MetalLB: shareOf("MetalLB") },
    };
    return [added(50, 8), added(99, 40), inAnswer, known(50), known(99), cpu(measured, load)];
  };
}

/** What the latencies follow from where no core is idle. */
function cpu(measured: readonly Measured[], load: Load): Aim {
  const of = (arm: Arm): number => {
    const own = measured.filter(it => it.arm === arm && it.load === load);
    return round(median(own.map(({ cpuMs }) => cpuMs)));
  };
  return {
    name: `CPU time of the whole cluster for a Service, ${load.who}`,
    value: of("Ancho"),
    unit: "ms",
    aim: "none",
    holds: true,
    peers: {
      "with no webhook": of("nobody"),
      "with one that does nothing": of("idle webhook"),
      "with one that creates one object": of("writing webhook"),
      [`with MetalLB ${metallbVersion()}`]: of("MetalLB"),
    },
  };
}
