import type { ChildProcess, StdioOptions } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureBinaries } from "../../hack/lab/binaries";
import { quietTask } from "../../hack/lab/context";
import { announcerFlags } from "../../hack/install/announcer";
import { downLab, upLab } from "../../hack/lab/lab";
import type { Lab } from "../../hack/lab/lab";
import { binary } from "../../hack/lab/paths";
import { metallbProgram, metallbVersion } from "../../hack/peers/metallb";
import { endChild } from "../../hack/process";
import { inRepo } from "../../hack/repo";
import { waitFor } from "../../hack/wait";
import { bundleHeartbeat } from "../heartbeat/bundle";
import { costOf } from "../heartbeat/cost";
import type { Cost } from "../heartbeat/cost";
import { ADDRESSES } from "../heartbeat/plan";
import type { Aim, Report } from "../report";
import { CROWD, CROWD_IP, NODE, NODE_IP, SECRET, SPEAKER_LABELS, SPEAKER_POD } from "./stage";
import { addMembers, setStage } from "./stage";

const LAB = "bench-announcer";
const MEMBERS = [10, 100];
const PORT = 7946;
const INTERVAL_MS = 50;
/** The status of a thousand Services is written in this time, and what V8 compiles is compiled. */
const SETTLE_MS = 45_000;
const SLOWEST_START_MS = 90_000;
/** A pipe that nobody reads would fill up. */
const QUIET: StdioOptions = ["ignore", "ignore", "inherit"];

/**
 * CPU, memory and traffic of an announcer at rest, with 10 and 100 members and a thousand addresses. The other
 * members are one process that speaks the protocol. Beside it MetalLB's speaker on the same node with the same
 * Services; it is alone in its memberlist, for nobody speaks that here.
 */
export async function benchAnnouncer(): Promise<Report> {
  await downLab(LAB);
  try {
    const lab = await upLab({ name: LAB, nodes: 0, lightNodes: 1 }, progress);
    progress(`creating ${ADDRESSES} Services`);
    await setStage(lab);
    const metallb = await measureSpeaker(lab);
    progress(`MetalLB alone: ${JSON.stringify(metallb)}`);
    const costs = new Map<number, Cost>();
    let known = 1;
    for (const members of MEMBERS) {
      await addMembers(lab, known, members);
      known = members;
      const cost = await measureAnnouncer(lab, members);
      costs.set(members, cost);
      progress(`Ancho with ${members} members: ${JSON.stringify(cost)}`);
    }
    return report(costs, metallb);
  } finally {
    await downLab(LAB);
  }
}

function report(costs: ReadonlyMap<number, Cost>, metallb: Cost): Report {
  const of = (members: number): Cost => {
    const cost = costs.get(members);
    if (!cost) throw new Error(`nothing was measured with ${members} members`);
    return cost;
  };
  const beside = (value: number): Record<string, number> => ({
    [`MetalLB ${metallbVersion()}, alone`]: value,
  });
  const cpu = (members: number, limit: number): Aim => ({
    name: `CPU at rest, ${members} members, ${ADDRESSES} addresses`,
    value: of(members).cpu,
    unit: "% of a core",
    aim: `≤ ${limit}`,
    holds: of(members).cpu <= limit,
    peers: beside(metallb.cpu),
  });
  const rss = of(100).rssMiB;
  const sent = of(100).sent.packets;
  return {
    bench: "announcer",
    aims: [
      cpu(10, 3),
      cpu(100, 15),
      {
        name: `memory at rest, 100 members, ${ADDRESSES} addresses`,
        value: rss,
        unit: "MiB",
        aim: "≤ 200",
        holds: rss <= 200,
        peers: { ...beside(metallb.rssMiB), "with 10": of(10).rssMiB },
      },
      {
        name: "packets sent by a node of 100, to the API server, too",
        value: sent,
        unit: "per second",
        aim: "≤ 25, whatever the number of members",
        holds: sent <= 25,
        peers: {
          "with 10": of(10).sent.packets,
          "bytes per second": of(100).sent.bytes,
          "heard per second": of(100).heard.packets,
          "bytes heard per second": of(100).heard.bytes,
          ...beside(metallb.sent.packets),
        },
      },
    ],
  };
}

async function measureAnnouncer(lab: Lab, members: number): Promise<Cost> {
  const crowd = await startCrowd(lab, members);
  const announcer = await lab.spawn(
    NODE,
    [
      ...["env", "LOG_LEVEL=warn", process.execPath],
      ...[...announcerFlags, inRepo("dist/announcer.js")],
      ...[`--node-name=${NODE}`, `--kubeconfig=${lab.lanKubeconfig}`],
    ],
    QUIET,
  );
  try {
    const owned = Math.ceil(ADDRESSES / members);
    await waitFor(
      `the announcer to own ${owned} addresses`,
      async () => {
        const url = "http://127.0.0.1:7473/metrics";
        const { stdout } = await lab.exec(NODE, ["curl", "-s", "--max-time", "2", url]);
        return stdout.includes(`\nancho_owned_addresses ${owned}\n`);
      },
      SLOWEST_START_MS,
    );
    return await costOnNode(lab, announcer);
  } finally {
    await endChild(announcer, "SIGKILL");
    await endChild(crowd, "SIGKILL");
  }
}

/** With memberlist, whose only member it is: nobody else speaks that here. */
async function measureSpeaker(lab: Lab): Promise<Cost> {
  await ensureBinaries({ ...quietTask(), progress }, [metallbProgram("speaker")]);
  const keys = await mkdtemp(join(tmpdir(), "ancho-speaker-"));
  await writeFile(join(keys, "secretkey"), Buffer.from(SECRET), { mode: 0o600 });
  const labels = Object.entries(SPEAKER_LABELS).map(pair => pair.join("="));
  const speaker = await lab.spawn(
    NODE,
    [
      ...["env", `METALLB_POD_NAME=${SPEAKER_POD}`, binary("metallb-speaker")],
      ...[`--kubeconfig=${lab.lanKubeconfig}`, `--node-name=${NODE}`, `--pod-name=${SPEAKER_POD}`],
      ...[`--host=${NODE_IP}`, "--port=7472", "--log-level=error", "--namespace=metallb-system"],
      ...[`--ml-bindaddr=${NODE_IP}`, `--ml-bindport=${PORT}`, `--ml-labels=${labels.join()}`],
      `--ml-secret-key-path=${keys}`,
    ],
    QUIET,
  );
  try {
    await waitFor(
      "MetalLB's speaker to announce all addresses",
      async () => {
        const url = `http://${NODE_IP}:7472/metrics`;
        const { stdout } = await lab.exec(NODE, ["curl", "-s", "--max-time", "2", url]);
        return (stdout.match(/^metallb_speaker_announced\{/gm) ?? []).length === ADDRESSES;
      },
      SLOWEST_START_MS,
    );
    return await costOnNode(lab, speaker);
  } finally {
    await endChild(speaker, "SIGKILL");
    await rm(keys, { recursive: true });
  }
}

async function startCrowd(lab: Lab, members: number): Promise<ChildProcess> {
  const folder = await bundleHeartbeat();
  const config = [PORT, INTERVAL_MS, members, CROWD_IP, SECRET].map(String);
  const argv = [process.execPath, join(folder, "heartbeat-crowd.js"), ...config];
  const crowd = await lab.spawn(CROWD, argv, ["ignore", "pipe", "inherit"]);
  if (crowd.stdout) await once(crowd.stdout, "data");
  return crowd;
}

/** When it has come to rest. */
function costOnNode(lab: Lab, { pid = 0 }: ChildProcess): Promise<Cost> {
  const run = async (...argv: readonly string[]): Promise<string> =>
    (await lab.exec(NODE, argv)).stdout;
  return costOf(pid, run, SETTLE_MS);
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}
