/** What the lab's network looks like, as pure functions: names, addresses and subnets of its hosts. */

/** `real`: a node with kubelet and containerd; `light`: a Node object and kube-proxy only. */
export type HostKind = "ctl" | "client" | "real" | "light";

/** One host on the lab's LAN. */
export type HostPlan = {
  readonly name: string;
  readonly kind: HostKind;
  readonly ipv4: string;
  readonly ipv6: string;
  readonly mac: string;
  /** Only nodes have pods. */
  readonly podCidr4?: string;
  readonly podCidr6?: string;
};

/** A host that is a Kubernetes node. */
export type NodePlan = HostPlan & {
  readonly podCidr4: string;
  readonly podCidr6: string;
};

/** The subnets every lab uses; labs do not see each other, so all of them can use the same ones. */
export const addressing = {
  lan4: "172.30.0.0/24",
  lan6: "fd00:30::/64",
  /** The switch itself answers here, as a LAN's router would; it leads nowhere. */
  gateway4: "172.30.0.1",
  gateway6: "fd00:30::1",
  apiServer4: "172.30.0.2",
  apiServer6: "fd00:30::2",
  pods4: "10.244.0.0/16",
  /** Node N has fd00:244:N::/64. */
  pods6: "fd00:244::/32",
  services4: "10.96.0.0/16",
  services6: "fd00:96::/112",
  /** First address of each service range: the Service `kubernetes`. */
  kubernetesService4: "10.96.0.1",
  kubernetesService6: "fd00:96::1",
} as const;

/** Nodes get 172.30.0.11 and up, light nodes 172.30.0.101 and up, so there are this many of each. */
export const MAX_NODES = 80;

const hexByte = (n: number): string => n.toString(16).padStart(2, "0");

function hostAt(name: string, kind: HostKind, last: number): HostPlan {
  return {
    name,
    kind,
    ipv4: `172.30.0.${last}`,
    ipv6: `fd00:30::${last}`,
    mac: `02:30:00:00:00:${hexByte(last)}`,
  };
}

function nodeAt(name: string, kind: HostKind, last: number): NodePlan {
  const subnet = kind === "light" ? last : last - 10;
  return {
    ...hostAt(name, kind, last),
    podCidr4: `10.244.${subnet}.0/24`,
    podCidr6: `fd00:244:${subnet}::/64`,
  };
}

/** How many nodes of each kind a lab has. */
export type NodeCounts = { readonly nodes: number; readonly lightNodes: number };

function checkCount(flag: string, count: number): void {
  if (!Number.isInteger(count) || count < 0 || count > MAX_NODES) {
    throw new Error(`${flag}: ${count} is not a whole number from 0 to ${MAX_NODES}`);
  }
}

/** The nodes of a lab: real ones n1, n2 … then light ones l1, l2 …. Throws on impossible counts. */
export function planNodes(counts: NodeCounts): readonly NodePlan[] {
  checkCount("--nodes", counts.nodes);
  checkCount("--light-nodes", counts.lightNodes);
  const real = Array.from({ length: counts.nodes }, (_, i) => nodeAt(`n${i + 1}`, "real", 11 + i));
  const light = Array.from({ length: counts.lightNodes }, (_, i) =>
    nodeAt(`l${i + 1}`, "light", 101 + i),
  );
  return [...real, ...light];
}

/** The host that runs etcd and the control plane. */
export const ctlPlan: HostPlan = hostAt("ctl", "ctl", 2);

/** A machine on the LAN that is no part of the cluster: it knows no route to pods or Services. */
export const clientPlan: HostPlan = hostAt("client", "client", 200);

/** Every host with a port on the switch. */
export function planHosts(counts: NodeCounts): readonly HostPlan[] {
  return [ctlPlan, clientPlan, ...planNodes(counts)];
}

/** The host of a lab to which a MAC address belongs; undefined for a stranger's. */
export function hostOfMac(counts: NodeCounts, mac: string): string | undefined {
  return planHosts(counts).find(host => host.mac === mac)?.name;
}

/** First address of a subnet: the gateway of a node's pods. */
export function firstAddress(cidr: string): string {
  const [base = ""] = cidr.split("/");
  return base.endsWith("::") ? `${base}1` : base.replace(/\.0$/, ".1");
}

const LAB_NAME = /^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?$/;
const HOST_SUFFIX = /^(sw|ctl|client|[nlr]\d+)$/;

/** Throws when `name` cannot be part of namespace, cgroup and file names. */
export function checkLabName(name: string): void {
  if (!LAB_NAME.test(name)) {
    throw new Error(
      `lab name ${JSON.stringify(name)}: use 1 to 20 of a-z, 0-9 and "-", beginning and ending with a letter or digit`,
    );
  }
}

/** Name of the network namespace of a host of a lab. */
export function netnsName(lab: string, host: string): string {
  return `ancho-${lab}-${host}`;
}

/**
 * Whether a namespace belongs to a lab. A lab may be called `a` and another one `a-n1`, so what
 * follows the prefix must be a host's name and nothing else.
 */
export function isNetnsOf(lab: string, netns: string): boolean {
  const prefix = `ancho-${lab}-`;
  return netns.startsWith(prefix) && HOST_SUFFIX.test(netns.slice(prefix.length));
}
