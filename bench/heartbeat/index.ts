import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createLan } from "../../hack/interop/netns";
import type { Lan } from "../../hack/interop/netns";
import { endChild } from "../../hack/process";
import { round } from "../report";
import type { Report } from "../report";
import { bundleHeartbeat } from "./bundle";
import { costOf } from "./cost";
import type { Cost } from "./cost";
import { ADDRESSES, MEMBERS_NET, memberAddress } from "./plan";

const MEMBERS = [10, 100, 300] as const;
const PORT = 7946;
const INTERVAL_MS = 50;
const SECRET = "a secret that is known to everybody who reads the benchmark";
const AT = { subject: "172.30.0.1", crowd: "172.30.0.2" } as const;
const SETTLE_MS = 20_000;
const SLOWEST_START_MS = 30_000;

type Host = keyof typeof AT;

/**
 * Heartbeats of a node at rest among 10, 100 and 300 members that answer for a thousand addresses together. The others
 * are one process that speaks the protocol, in a namespace of its own on the same switch.
 */
export async function benchHeartbeat(): Promise<Report> {
  const folder = await bundleHeartbeat();
  const costs = new Map<number, Cost>();
  for (const members of MEMBERS) costs.set(members, await measure(folder, members));
  const of = (members: number): Cost => {
    const cost = costs.get(members);
    if (!cost) throw new Error(`nothing was measured with ${members} members`);
    return cost;
  };
  const [few, many, most] = MEMBERS.map(of);
  if (!few || !many || !most) throw new Error("three sizes are measured");
  const perPacket = ((most.cpu - few.cpu) * 1e4) / (most.heard.packets - few.heard.packets);
  return {
    bench: "heartbeat",
    aims: [
      {
        ...{ name: `CPU at rest, 10 members, ${ADDRESSES} addresses`, unit: "% of a core" },
        ...{ value: few.cpu, aim: "≤ 2", holds: few.cpu <= 2, peers: {} },
      },
      {
        ...{ name: `CPU at rest, 100 members, ${ADDRESSES} addresses`, unit: "% of a core" },
        ...{ value: many.cpu, aim: "≤ 8", holds: many.cpu <= 8 },
        peers: { "10 members": few.cpu, "300 members": most.cpu },
      },
      {
        ...{ name: "CPU per heartbeat that is heard", unit: "µs" },
        ...{ value: round(perPacket), aim: "≤ 40", holds: perPacket <= 40 },
        peers: { "heard per second, 10 members": few.heard.packets, "300": most.heard.packets },
      },
      {
        ...{ name: "heartbeats sent by a node of 300", unit: "per second" },
        ...{ value: most.sent.packets, aim: "≤ 25", holds: most.sent.packets <= 25 },
        peers: { "10 members": few.sent.packets, "100 members": many.sent.packets },
      },
      {
        ...{ name: "traffic heard by a node of 100", unit: "kB per second" },
        value: round(many.heard.bytes / 1000),
        ...{ aim: "≤ 1000", holds: many.heard.bytes <= 1e6 },
        peers: {
          "sent by it": round(many.sent.bytes / 1000),
          "10 members": round(few.heard.bytes / 1000),
          "300 members": round(most.heard.bytes / 1000),
        },
      },
      {
        ...{ name: "memory of a process with nothing but heartbeats, 300 members", unit: "MiB" },
        ...{ value: most.rssMiB, aim: "≤ 150", holds: most.rssMiB <= 150 },
        peers: { "10 members": few.rssMiB, "100 members": many.rssMiB },
      },
    ],
  };
}

async function measure(folder: string, members: number): Promise<Cost> {
  const lan = await createLan<Host>("bench-hb", {
    subject: { addresses: [`${AT.subject}/24`] },
    crowd: { addresses: [`${AT.crowd}/24`] },
  });
  const children: ChildProcess[] = [];
  try {
    await lan.run("subject", "ip", "route", "add", MEMBERS_NET, "dev", "eth0");
    for (let index = 1; index < members; index++) {
      await lan.run("crowd", "ip", "addr", "add", `${memberAddress(index)}/32`, "dev", "eth0");
    }
    children.push(start(lan, folder, "crowd", members));
    const subject = start(lan, folder, "subject", members);
    children.push(subject);
    await heardAll(subject, members - 1);
    const run = (...argv: readonly string[]): Promise<string> => lan.run("subject", ...argv);
    return await costOf(subject.pid ?? 0, run, SETTLE_MS);
  } finally {
    for (const child of children) await endChild(child, "SIGKILL");
    await lan.remove();
  }
}

function start(lan: Lan<Host>, folder: string, host: Host, members: number): ChildProcess {
  const file = join(folder, `heartbeat-${host}.js`);
  const settings = [PORT, INTERVAL_MS, members, AT[host], SECRET].map(String);
  const [command, args] = lan.command(host, process.execPath, file, ...settings);
  return spawn(command, [...args], { stdio: ["ignore", "pipe", "inherit"] });
}

/** Resolves when the subject says that it hears all the others. */
async function heardAll(subject: ChildProcess, others: number): Promise<void> {
  if (!subject.stdout) throw new Error("the subject has no output");
  const lines = createInterface({ input: subject.stdout });
  const signal = AbortSignal.timeout(SLOWEST_START_MS);
  for (let line = ""; line !== `heard ${others}`; ) {
    [line = ""] = (await once(lines, "line", { signal })) as string[];
  }
}
