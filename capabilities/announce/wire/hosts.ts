import type { VirtualIP } from "../../config/kinds/virtual-ip";
import type { NodeFacts } from "../facts";
import type { Link } from "../layer2/kernel-state";
import type { Neighbor } from "../layer2/neighbors";

/** Which node has a hardware address, as far as is known. Who is not in it is a stranger. */
export type Hosts = ReadonlyMap<string, string>;

export type HostsInput = {
  /** What was known before: a node that is silent now has still its hardware addresses. */
  readonly before: Hosts;
  readonly me: string;
  readonly links: readonly Link[];
  readonly nodes: readonly Pick<NodeFacts, "name" | "addresses">[];
  readonly neighbors: readonly Neighbor[];
  readonly vips: readonly VirtualIP[];
};

/**
 * The hardware addresses of the cluster's nodes: our own links', those that the kernel has resolved the nodes'
 * addresses to (heartbeats go there, so they are in its table), and those that VirtualIPs say are answered with.
 */
export function hostsOf({ before, me, links, nodes, neighbors, vips }: HostsInput): Hosts {
  const names = new Set(nodes.map(({ name }) => name));
  const nodeOf = new Map(nodes.flatMap(({ name, addresses }) => addresses.map(a => [a, name])));
  const resolved = neighbors.map(({ address, mac }) => [mac, nodeOf.get(address)] as const);
  const said = vips.map(({ status }) => {
    return [status?.intendedOwner?.mac, status?.intendedOwner?.node] as const;
  });
  const own = links.map(({ mac }) => [mac, me] as const);
  const found = new Map<string, string>();
  for (const [mac = "", node = ""] of [...before, ...resolved, ...said, ...own]) {
    if (mac !== "" && (names.has(node) || node === me)) found.set(mac, node);
  }
  return found;
}
