/** The lab's network: a namespace per host, and a switch that joins them. */
import { readdirSync } from "node:fs";
import { isNetnsOf, netnsName, addressing } from "./plan";
import type { HostPlan, NodePlan } from "./plan";
import { must, run } from "./run";
import { settleAll } from "../wait";

/** The namespace that holds the switch, a bridge named `br0` with one port per host. */
export const SWITCH = "sw";
const NETNS_DIR = "/run/netns";

/** File through which a host's namespace is entered. */
export const netnsFile = (lab: string, host: string): string =>
  `${NETNS_DIR}/${netnsName(lab, host)}`;

/** Prefix of a command that runs in a host's network namespace and nothing else of it. */
export const inNetns = (lab: string, host: string): readonly string[] => [
  "nsenter",
  `--net=${netnsFile(lab, host)}`,
  "--",
];

async function ipBatch(netns: string, lines: readonly string[]): Promise<void> {
  await must(["ip", "-n", netns, "-batch", "-"], { input: `${lines.join("\n")}\n` });
}

async function setSysctls(lab: string, host: string, settings: readonly string[]): Promise<void> {
  // Files that this kernel does not have (bridge-nf without br_netfilter) are passed over.
  const script = 'for s; do f=/proc/sys/${s%%=*}; [ ! -e "$f" ] || echo "${s#*=}" > "$f"; done';
  await must([...inNetns(lab, host), "/bin/sh", "-c", script, "sysctls", ...settings]);
}

async function makeSwitch(lab: string): Promise<void> {
  const netns = netnsName(lab, SWITCH);
  await must(["ip", "netns", "add", netns]);
  await setSysctls(lab, SWITCH, [
    "net/ipv6/conf/default/accept_dad=0",
    "net/ipv6/conf/all/accept_dad=0",
    // What crosses the switch is not the switch's to filter.
    "net/bridge/bridge-nf-call-iptables=0",
    "net/bridge/bridge-nf-call-ip6tables=0",
    "net/bridge/bridge-nf-call-arptables=0",
  ]);
  await ipBatch(netns, [
    "link set lo up",
    "link add br0 type bridge",
    "link set br0 up",
    `address add ${addressing.gateway4}/24 dev br0`,
    `address add ${addressing.gateway6}/64 dev br0 nodad`,
  ]);
}

async function makeHost(lab: string, host: HostPlan): Promise<void> {
  const netns = netnsName(lab, host.name);
  await must(["ip", "netns", "add", netns]);
  await setSysctls(lab, host.name, [
    // Addresses are unique by plan; waiting for duplicate detection only costs time.
    "net/ipv6/conf/default/accept_dad=0",
    "net/ipv6/conf/all/accept_dad=0",
    "net/ipv6/conf/default/accept_ra=0",
    "net/ipv6/conf/all/accept_ra=0",
    "net/ipv4/conf/default/rp_filter=0",
    "net/ipv4/conf/all/rp_filter=0",
  ]);
  const port = `link add eth0 address ${host.mac} type veth peer name ${host.name} netns ${netnsName(lab, SWITCH)}`;
  await ipBatch(netns, [
    "link set lo up",
    port,
    "link set eth0 up",
    `address add ${host.ipv4}/24 dev eth0`,
    `address add ${host.ipv6}/64 dev eth0 nodad`,
    `route add default via ${addressing.gateway4} dev eth0`,
    `route add default via ${addressing.gateway6} dev eth0`,
  ]);
  await ipBatch(netnsName(lab, SWITCH), [`link set ${host.name} master br0 up`]);
}

/** Sysctls of a machine that runs pods: it forwards, and its bridge's packets meet kube-proxy. */
async function makeForwarding(lab: string, node: NodePlan): Promise<void> {
  await setSysctls(lab, node.name, [
    "net/ipv4/ip_forward=1",
    "net/ipv6/conf/all/forwarding=1",
    "net/bridge/bridge-nf-call-iptables=1",
    "net/bridge/bridge-nf-call-ip6tables=1",
  ]);
}

/** Routes from `host` to the pods of every other node. */
async function addPodRoutes(
  lab: string,
  host: HostPlan,
  nodes: readonly NodePlan[],
): Promise<void> {
  const others = nodes.filter(node => node.name !== host.name);
  await ipBatch(
    netnsName(lab, host.name),
    others.flatMap(node => [
      `route add ${node.podCidr4} via ${node.ipv4} dev eth0`,
      `route add ${node.podCidr6} via ${node.ipv6} dev eth0`,
    ]),
  );
}

/** Makes the switch and all hosts; nodes and `ctl` know the way to every pod, others do not. */
export async function makeNetwork(
  lab: string,
  hosts: readonly HostPlan[],
  nodes: readonly NodePlan[],
): Promise<void> {
  await makeSwitch(lab);
  await settleAll(hosts.map(host => makeHost(lab, host)));
  await settleAll(nodes.map(node => makeForwarding(lab, node)));
  const routed = hosts.filter(host => host.kind !== "client");
  await settleAll(routed.map(host => addPodRoutes(lab, host, nodes)));
}

/** The power cut (`up` false) or its end: the host's port on the switch. */
export async function setPort(lab: string, host: string, up: boolean): Promise<void> {
  await must(["ip", "-n", netnsName(lab, SWITCH), "link", "set", host, up ? "up" : "down"]);
}

/** Network namespaces that belong to the lab. */
export function listNetns(lab: string): readonly string[] {
  try {
    return readdirSync(NETNS_DIR).filter(netns => isNetnsOf(lab, netns));
  } catch {
    return [];
  }
}

/** Removes the lab's namespaces, and with them every interface in them. */
export async function removeNetwork(lab: string): Promise<void> {
  for (const netns of listNetns(lab)) {
    const result = await run(["ip", "netns", "delete", netns]);
    if (result.code !== 0 && listNetns(lab).includes(netns)) {
      throw new Error(`cannot delete network namespace ${netns}: ${result.stderr.trim()}`);
    }
  }
}
