import { once } from "node:events";
import { ANNOUNCED } from "../../../capabilities/announce/status/announced-condition";
import { kubectl } from "../../../hack/deploy";
import type { Lab } from "../../../hack/lab/lab";
import { killGroup } from "../../../hack/lab/run";
import { waitFor, waitUntil } from "../../../hack/wait";
import { apply, poolOf } from "../stage";
import { announcerOf, startAnnouncer } from "../ancho";
import { oneOwner } from "../trial";
import type { Event, Figures } from "../trial";

const COUNT = 1000;
const POOL = "thousand";
/** A second subnet on the LAN: the nodes answer, and the client asks. */
const RANGE = "172.31.0.0/22";
const LIMIT_MS = 30_000;

export const ANNOUNCED_AFTER =
  "ms until an address of the owner was announced by another, p99 of all of them";
export const LOST = "addresses that were not";

/** Power cut of one owner among a thousand addresses, which ends its announcer, too: when each of its own was announced by somebody else. */
export const thousand: Event = {
  before: async ({ lab }) => {
    await lab.exec("client", ["ip", "route", "add", RANGE, "dev", "eth0"]);
    await apply(lab, poolOf(POOL, RANGE));
    await apply(
      lab,
      Array.from({ length: COUNT }, (_, i) => service(i)),
    );
    await sharedOut(lab);
  },
  after: async ({ lab }) => {
    await kubectl(lab, ["delete", "service", "-l", "bench=thousand", "--wait=false"]);
    await waitFor(
      "the addresses to be given up",
      async () => (await heldByAll(lab)).length === 0,
      300_000,
    );
    await kubectl(lab, ["-n", "metallb-system", "delete", "l2advertisement,ipaddresspool", POOL]);
    await lab.exec("client", ["ip", "route", "delete", RANGE]);
  },
  run: async (owner, { lab }) => announcedAfter(lab, owner),
  undo: async (owner, scene) => {
    await scene.lab.heal(owner);
    await startAnnouncer(scene.lab, owner);
    await sharedOut(scene.lab);
    await oneOwner(scene, () => true);
  },
};

/** One node answers for each, and that has been told: nothing is left to do that would come before the next cut. */
async function sharedOut(lab: Lab): Promise<void> {
  await waitUntil(
    async () => {
      const told = await toldOwners(lab);
      const held = await Promise.all(
        lab.lightNodes.map(async node => (await heldBy(lab, node)).map(ip => `${ip} ${node}`)),
      );
      const isShared = held.flat().length === COUNT && held.flat().every(line => told.has(line));
      return isShared && (await toldServices(lab)) === COUNT;
    },
    {
      what: `${COUNT} addresses to be answered for, by one node each, and their VirtualIPs and Services to say so`,
      timeoutMs: 600_000,
      intervalMs: 5_000,
    },
  );
}

/** "ADDRESS NODE" for each VirtualIP that names its owner. */
async function toldOwners(lab: Lab): Promise<ReadonlySet<string>> {
  const path = "jsonpath={range .items[*]}{.spec.address} {.status.intendedOwner.node}{'\\n'}{end}";
  return new Set((await kubectl(lab, ["get", "virtualips", "-o", path])).split("\n"));
}

/** How many Services say whether they are announced. */
async function toldServices(lab: Lab): Promise<number> {
  const path = "jsonpath={range .items[*]}{.status.conditions[*].type}{'\\n'}{end}";
  const types = await kubectl(lab, ["get", "service", "-l", "bench=thousand", "-o", path]);
  return types.split("\n").filter(line => line.split(" ").includes(ANNOUNCED)).length;
}

/**
 * Who answers is what is looked at. Ten kube-proxies that write the rules of a thousand Services would have the machine
 * to themselves for a quarter of an hour.
 */
const NOT_FOR_KUBE_PROXY = { "service.kubernetes.io/service-proxy-name": "nobody" };

function service(index: number): object {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: `thousand-${index}`,
      namespace: "default",
      labels: { bench: "thousand", ...NOT_FOR_KUBE_PROXY },
      annotations: { "metallb.io/address-pool": POOL },
    },
    spec: {
      type: "LoadBalancer",
      selector: { app: "web" },
      ports: [{ port: 80, targetPort: 8080 }],
      allocateLoadBalancerNodePorts: false,
    },
  };
}

/** Addresses of the thousand that a node's kernel answers for. */
async function heldBy(lab: Lab, node: string): Promise<readonly string[]> {
  const { stdout } = await lab.exec(node, ["ip", "neigh", "show", "proxy"]);
  return stdout.match(/^172\.31\.\d+\.\d+/gm) ?? [];
}

async function heldByAll(lab: Lab): Promise<readonly string[]> {
  return (await Promise.all(lab.lightNodes.map(node => heldBy(lab, node)))).flat();
}

async function announcedAfter(lab: Lab, owner: string): Promise<Figures> {
  const wanted = await heldBy(lab, owner);
  const dump = ["tcpdump", "-i", "eth0", "-ttnel", "-Q", "in", "--immediate-mode", "arp"];
  const child = await lab.spawn("client", dump, ["ignore", "pipe", "pipe"]);
  const exited = once(child, "exit");
  let said = "";
  const seen = new Map<string, number>();
  let rest = "";
  child.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  child.stdout?.on("data", (chunk: Buffer) => {
    const lines = `${rest}${chunk.toString()}`.split("\n");
    rest = lines.pop() ?? "";
    for (const [address, ms] of lines.flatMap(announcementIn))
      if (!seen.has(address)) seen.set(address, ms);
  });
  try {
    await waitFor("tcpdump to listen", () => Promise.resolve(said.includes("listening on")));
    seen.clear();
    const cut = Date.now();
    await lab.cut(owner);
    // Left alive it would take all thousand, which it cannot tell from being the last one, with the others' processors.
    await lab.endDaemon(announcerOf(owner), "SIGKILL");
    const isDone = (): boolean => wanted.every(address => seen.has(address));
    await waitFor("all to be announced", () => Promise.resolve(isDone()), LIMIT_MS).catch(
      () => undefined,
    );
    const times = wanted.map(address => (seen.get(address) ?? Infinity) - cut);
    return {
      [ANNOUNCED_AFTER]: times.map(Math.round),
      [LOST]: times.filter(ms => ms === Infinity).length,
    };
  } finally {
    if (child.pid !== undefined) killGroup(child.pid, "SIGTERM");
    await exited;
  }
}

/** A gratuitous ARP in a line of `tcpdump -tt`: the address, and when, ms since the epoch. */
export function announcementIn(line: string): readonly (readonly [address: string, ms: number])[] {
  const found =
    /^(\d+\.\d+) .*(?:Announcement (\S+),|who-has (\S+) (?:\(\S+\) )?tell \3,|Reply (\S+) is-at)/.exec(
      line,
    );
  const address = found?.[2] ?? found?.[3] ?? found?.[4];
  return found?.[1] === undefined || address === undefined
    ? []
    : [[address, Number(found[1]) * 1000]];
}
