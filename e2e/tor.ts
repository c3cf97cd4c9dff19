import { setTimeout as sleep } from "node:timers/promises";
import { startFrr } from "../hack/interop/frr";
import type { Frr } from "../hack/interop/frr";
import { run as runToEnd } from "../hack/lab/run";
import { run } from "../hack/process";
import type { Cluster } from "./support";

/** A top-of-rack router with FRR, and a client that reaches Services through it alone. */
export type Tor = {
  readonly frr: Frr;
  /** The router's address on the nodes' LAN. */
  readonly address: string;
  /** Addresses of the nodes that the kernel sends packets for that address to, with their weights. */
  nextHops(address: string): Promise<ReadonlyMap<string, number>>;
  /** Waits until the kernel sends packets for that address to these nodes and no others. */
  hopsAre(address: string, nodes: readonly string[], timeoutMs?: number): Promise<void>;
  /** Waits until there are sessions with these nodes, all with that hold time. */
  holdTimesAre(ms: number, nodes: readonly string[]): Promise<void>;
  /** What FRR knows of a session with a node. */
  neighbor(node: string): Promise<Neighbor>;
  /** All that FRR knows of a route. */
  route(prefix: string): Promise<string>;
  /** A command of the client behind the router. */
  behind(...argv: readonly string[]): readonly string[];
  stop(): Promise<void>;
};

export type Neighbor = {
  readonly bgpState?: string;
  readonly bgpTimerUpEstablishedEpoch?: number;
  readonly bgpTimerHoldTimeMsecs?: number;
  readonly connectionsDropped?: number;
  readonly lastResetDueTo?: string;
  readonly lastNotificationReason?: string;
  readonly messageStats?: { readonly updatesRecv: number };
};

const BEHIND = "ancho-tor-behind";
const NETWORK = "10.99.0";

/**
 * Makes the lab's host `client` the router. Nodes get a route back to what is behind it.
 *
 * @param more - lines for `router bgp`
 */
export async function startTor(
  c: Cluster,
  { as, more = "" }: { readonly as: number; readonly more?: string },
): Promise<Tor> {
  const router = c.lab.client;
  const on = async (host: string, ...argv: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await c.lab.exec(host, argv);
    if (code !== 0) throw new Error(`${host}: ${argv.join(" ")}: ${stderr}`);
    return stdout;
  };
  const address = await addressOf(on, router);
  const behind = (...argv: readonly string[]): readonly string[] => [
    ...["ip", "netns", "exec", BEHIND],
    ...argv,
  ];
  // What a run that was killed has left.
  await runToEnd(["ip", "netns", "del", BEHIND]);
  await run(["ip", "netns", "add", BEHIND]);
  await on(
    router,
    ..."sysctl -qw net.ipv4.ip_forward=1 net.ipv4.fib_multipath_hash_policy=1".split(" "),
  );
  await on(router, ...`ip link add behind0 type veth peer name eth0 netns ${BEHIND}`.split(" "));
  await on(router, ...`ip addr add ${NETWORK}.1/24 dev behind0`.split(" "));
  await on(router, ..."ip link set behind0 up".split(" "));
  await run(behind(..."ip link set lo up".split(" ")));
  await run(behind(...`ip addr add ${NETWORK}.2/24 dev eth0`.split(" ")));
  await run(behind(..."ip link set eth0 up".split(" ")));
  await run(behind(...`ip route add default via ${NETWORK}.1`.split(" ")));
  for (const node of c.lab.nodes) {
    await on(node, ...`ip route replace ${NETWORK}.0/24 via ${address}`.split(" "));
  }
  const frr = await startFrr(configuration(address, as, more), argv => c.lab.command(router, argv));
  const nextHops: Tor["nextHops"] = async to =>
    readNextHops(await on(router, "ip", "-j", "route", "show", `${to}/32`));
  const neighbor: Tor["neighbor"] = async node => {
    const found = await frr.json<Record<string, Neighbor>>(`show bgp neighbors ${node} json`);
    return found[node] ?? {};
  };
  return {
    ...{ frr, address, behind, nextHops, neighbor },
    hopsAre: async (to, nodes, timeoutMs) => {
      const expected = String([...nodes].sort());
      await c.waitFor(
        `next hops ${expected}`,
        async () => String([...(await nextHops(to)).keys()].sort()) === expected,
        timeoutMs,
      );
    },
    holdTimesAre: async (ms, nodes) => {
      await c.waitFor(`a hold time of ${ms} ms`, async () => {
        const found = await Promise.all(nodes.map(neighbor));
        return found.every(
          ({ bgpState, bgpTimerHoldTimeMsecs }) =>
            bgpState === "Established" && bgpTimerHoldTimeMsecs === ms,
        );
      });
    },
    route: prefix => frr.ask(`show bgp ipv4 unicast ${prefix} json`),
    stop: async () => {
      await frr.stop();
      await run(["ip", "netns", "del", BEHIND]);
      for (const node of c.lab.nodes)
        await c.lab.exec(node, ["ip", "route", "del", `${NETWORK}.0/24`]);
    },
  };
}

/** What the client behind the router gets: an answer, or the complaint that there is none. */
export async function askOnce(tor: Tor, address: string, timeoutSeconds: number): Promise<string> {
  const url = `http://${address}/`;
  const { stdout, stderr } = await runToEnd(
    tor.behind("curl", "-sS", "--max-time", String(timeoutSeconds), url),
  );
  return `${stdout}${stderr}`;
}

/** Requests that go on until they are ended. */
export type Requests = {
  /** How many were answered since one was not. */
  inARow(): number;
  end(): Promise<{ readonly asked: number; readonly failures: readonly Failure[] }>;
};

/** When a request began that no Pod answered, and what was said instead. */
export type Failure = { readonly at: number; readonly answer: string };

/** Asks again and again, as clients behind the router do. */
export function askOn(
  tor: Tor,
  address: string,
  { clients = 1, timeoutSeconds = 2 } = {},
): Requests {
  const failures: Failure[] = [];
  let asked = 0;
  let inARow = 0;
  let isOver = false;
  const client = async (): Promise<void> => {
    while (!isOver) {
      asked += 1;
      const at = Date.now();
      const answer = await askOnce(tor, address, timeoutSeconds);
      inARow = answer.includes("pod=") ? inARow + 1 : 0;
      if (inARow === 0) failures.push({ at, answer });
      await sleep(20);
    }
  };
  const all = Array.from({ length: clients }, client);
  return {
    inARow: () => inARow,
    end: async () => {
      isOver = true;
      await Promise.all(all);
      return { asked, failures };
    },
  };
}

type KernelRoute = {
  readonly gateway?: string;
  readonly nexthops?: readonly { readonly gateway: string; readonly weight: number }[];
};

function readNextHops(json: string): ReadonlyMap<string, number> {
  const routes = JSON.parse(json || "[]") as readonly KernelRoute[];
  const hops = routes.flatMap(({ gateway, nexthops }) =>
    gateway === undefined ? (nexthops ?? []) : [{ gateway, weight: 1 }],
  );
  return new Map(hops.map(({ gateway, weight }) => [gateway, weight]));
}

async function addressOf(
  on: (host: string, ...argv: readonly string[]) => Promise<string>,
  host: string,
): Promise<string> {
  const text = await on(host, ..."ip -4 -j addr show dev eth0".split(" "));
  const [link] = JSON.parse(text) as { addr_info: { local: string }[] }[];
  return link!.addr_info[0]!.local;
}

/** Takes a session from every node of the LAN that asks for one. */
function configuration(address: string, as: number, more: string): string {
  return `
frr defaults datacenter
router bgp ${as}
 bgp router-id ${address}
 no bgp ebgp-requires-policy
 bgp bestpath as-path multipath-relax
 neighbor nodes peer-group
 neighbor nodes remote-as external
 bgp listen range ${address.replace(/\d+$/, "0")}/24 peer-group nodes
${more} address-family ipv4 unicast
  network 10.98.0.0/24
  maximum-paths 16
 exit-address-family
exit
`;
}
