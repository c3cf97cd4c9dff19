import { createLan } from "../../hack/interop/netns";
import type { Lan } from "../../hack/interop/netns";
import { round } from "../report";
import type { Aim, Report } from "../report";
import { openFlows, startEcho } from "../../hack/probe/flows";
import type { Flows } from "../../hack/probe/flows";

const NODES = ["n1", "n2", "n3", "n4"] as const;
type Host = (typeof NODES)[number] | "router" | "client";

const ROUTER = "10.97.0.1";
const CLIENT = "10.97.0.100";
const VIP = "198.51.100.1";
const PORT = 8080;
const FLOWS = 1000;
const LEAVES = "n2";
const addressOf = (node: string): string => `10.97.0.1${node.slice(1)}`;

/** How a router chooses among equal routes, as the kernel calls it. */
type Hashing = "hash-threshold" | "resilient";

/**
 * How many running TCP connections survive when one of four nodes stops to advertise an address, and when it comes
 * back: by the router's kernel, with one namespace for each node. A node has the address itself, so a connection that
 * arrives at another node is answered by a reset, as kube-proxy's nodes do with connections that they do not know.
 */
export async function benchFlows(): Promise<Report> {
  const plain = await trial("hash-threshold");
  const resilient = await trial("resilient");
  const aim = (what: keyof Survivors, floor: number, why: string): Aim => ({
    name: `connections that survive when one of ${NODES.length} nodes ${what}, resilient hashing`,
    ...{ value: round(resilient[what]), unit: "of 1" },
    ...{ aim: `>= ${floor}: ${why}`, holds: resilient[what] >= floor },
    peers: { "hash-threshold": round(plain[what]) },
  });
  return {
    bench: "flows",
    aims: [
      aim("leaves", 0.7, "all but those of the node that leaves, which are about 0.25"),
      aim("returns", 0.99, "buckets move when they are idle"),
    ],
  };
}

type Survivors = { readonly leaves: number; readonly returns: number };

async function trial(hashing: Hashing): Promise<Survivors> {
  const lan = await createLan<Host>("flows", {
    router: {
      addresses: [`${ROUTER}/24`],
      sysctls: [
        ...["net.ipv4.ip_forward=1", "net.ipv4.fib_multipath_hash_policy=1"],
        ...["net.ipv4.conf.all.send_redirects=0", "net.ipv4.conf.default.send_redirects=0"],
      ],
    },
    client: { addresses: [`${CLIENT}/24`] },
    n1: { addresses: [`${addressOf("n1")}/24`, `${VIP}/32`] },
    n2: { addresses: [`${addressOf("n2")}/24`, `${VIP}/32`] },
    n3: { addresses: [`${addressOf("n3")}/24`, `${VIP}/32`] },
    n4: { addresses: [`${addressOf("n4")}/24`, `${VIP}/32`] },
  });
  const ends: (() => void)[] = [];
  try {
    for (const [i, node] of NODES.entries()) {
      await ip(lan, `nexthop add id ${i + 1} via ${addressOf(node)} dev eth0`);
      ends.push(await startEcho(lan.namespace(node), { address: VIP, port: PORT }));
    }
    await spread(lan, "add", hashing, NODES);
    await ip(lan, `route add ${VIP}/32 nhid 10`);
    await lan.run("client", ..."ip route add".split(" "), `${VIP}/32`, "via", ROUTER);
    const open = async (): Promise<Flows> => {
      const to = { address: VIP, port: PORT };
      const flows = await openFlows(lan.namespace("client"), to, FLOWS);
      ends.push(() => {
        flows.close();
      });
      return flows;
    };
    const before = await open();
    await spread(
      lan,
      "replace",
      hashing,
      NODES.filter(node => node !== LEAVES),
    );
    const leaves = (await before.alive()) / FLOWS;
    const meanwhile = await open();
    await spread(lan, "replace", hashing, NODES);
    return { leaves, returns: (await meanwhile.alive()) / FLOWS };
  } finally {
    ends.forEach(end => {
      end();
    });
    await lan.remove();
  }
}

/** Spreads over the next hops of these nodes, as a routing daemon does. */
async function spread(
  lan: Lan<Host>,
  verb: "add" | "replace",
  hashing: Hashing,
  nodes: readonly (typeof NODES)[number][],
): Promise<void> {
  const group = nodes.map(node => NODES.indexOf(node) + 1).join("/");
  const how = hashing === "resilient" ? "type resilient buckets 1024 idle_timer 120" : "type mpath";
  await ip(lan, `nexthop ${verb} id 10 group ${group} ${how}`);
}

async function ip(lan: Lan<Host>, command: string): Promise<void> {
  await lan.run("router", "ip", ...command.split(" "));
}
