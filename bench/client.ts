import { readdir, readlink } from "node:fs/promises";
import { K8s, kind } from "kubernetes-fluent-client";
import { createKubeClient } from "../capabilities/kube/client";
import { namespaces } from "../capabilities/kube/resource";
import { downLab, upLab } from "../hack/lab/lab";
import type { Report } from "./report";
import { median, round } from "./report";

const rounds = 5;
const getsPerRound = 100;
const labName = "bench";

/**
 * Our client beside kubernetes-fluent-client's own calls, turn by turn against one API server: what
 * a read costs, and how many sockets are left open. Ours is built on the same fetch; it shares one
 * agent between calls, where KFC makes one per call.
 */
export async function benchClient(): Promise<Report> {
  await downLab(labName);
  try {
    const lab = await upLab({ name: labName, nodes: 0 }, () => undefined);
    process.env["KUBECONFIG"] = lab.kubeconfig;
    return await compare();
  } finally {
    await downLab(labName);
  }
}

async function compare(): Promise<Report> {
  const client = createKubeClient();
  const ours = async (): Promise<unknown> => client.get(namespaces, "default");
  const theirs = async (): Promise<unknown> => K8s(kind.Namespace).Get("default");
  const times = { ours: [] as number[], kfc: [] as number[] };
  const sockets = { ours: [] as number[], kfc: [] as number[] };
  await ours();
  await theirs();
  for (let i = 0; i < rounds; i++) {
    for (const [who, read] of [["ours", ours] as const, ["kfc", theirs] as const]) {
      const before = await openSockets();
      times[who].push(await timeOf(read));
      sockets[who].push((await openSockets()) - before);
    }
  }
  await client.close();
  return report(times, sockets);
}

type Pairs = { readonly ours: readonly number[]; readonly kfc: readonly number[] };

function report(times: Pairs, sockets: Pairs): Report {
  const ratio = median(times.ours.map((ms, i) => ms / (times.kfc[i] ?? NaN)));
  const opened = median(sockets.ours);
  return {
    bench: "client",
    aims: [
      {
        name: `${getsPerRound} reads one after another, time as a ratio to KFC's own calls`,
        value: round(ratio),
        unit: "ratio",
        aim: "≤ 0.5",
        holds: ratio <= 0.5,
        peers: { "kfc ms": round(median(times.kfc)), "ours ms": round(median(times.ours)) },
      },
      {
        name: `sockets opened by ${getsPerRound} reads`,
        value: opened,
        unit: "sockets",
        aim: "≤ 1",
        holds: opened <= 1,
        peers: { kfc: median(sockets.kfc) },
      },
    ],
  };
}

async function timeOf(read: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  for (let i = 0; i < getsPerRound; i++) await read();
  return performance.now() - begin;
}

/** How many sockets this process holds, by the kernel's word. */
async function openSockets(): Promise<number> {
  const files = await readdir("/proc/self/fd");
  const targets = await Promise.all(
    files.map(file => readlink(`/proc/self/fd/${file}`).catch(() => "")),
  );
  return targets.filter(target => target.startsWith("socket:")).length;
}
