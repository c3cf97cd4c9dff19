import { parseRange } from "../config/address";
import type { AddressRange } from "../config/address";
import type { Config, L2Ad, Pool } from "../config/config";
import type { NodeFacts, ServiceFacts } from "./facts";
import type { PlanInput } from "./plan";

/** Short ways to write what the plan works on; tests only. */

export function pool(name: string, ...ranges: readonly string[]): Pool {
  return {
    name,
    ranges: ranges.map(text => parseRange(text) as AddressRange),
    autoAssign: true,
    avoidBuggyIPs: false,
    labels: {},
    reclaimAfterMs: 0,
    sharing: "all",
  };
}

export function ad(name: string, over: Partial<L2Ad> = {}): L2Ad {
  const everything = {
    nodeSelectors: [],
    interfaces: [],
    serviceSelectors: [],
    preferredNodes: [],
  };
  return { name, pools: ["lan"], ...everything, ...over };
}

/** An advertisement for the nodes of these names only. */
export function adFor(nodes: readonly string[], over: Partial<L2Ad> = {}): L2Ad {
  const nodeSelectors = nodes.map(name => ({ matchLabels: { name } }));
  return ad(`for-${nodes.join("-")}`, { nodeSelectors, ...over });
}

export function node(name: string, over: Partial<NodeFacts> = {}): NodeFacts {
  const { labels, ...rest } = over;
  return {
    name,
    isNetworkUnavailable: false,
    isOutOfService: false,
    notReadySince: undefined,
    addresses: [],
    labels: { name, ...labels },
    ...rest,
  };
}

export function service(
  key: string,
  addresses: readonly string[],
  over: Partial<ServiceFacts> = {},
): ServiceFacts {
  return {
    key: `default/${key}`,
    labels: {},
    addresses,
    isLocal: false,
    isShared: false,
    hasEndpoint: true,
    endpointNodes: new Set(["iris1", "iris2"]),
    endpointCounts: new Map(),
    ...over,
  };
}

/** A Service with externalTrafficPolicy Local and endpoints that serve on these nodes. */
export function localService(
  key: string,
  addresses: readonly string[],
  nodes: readonly string[],
): ServiceFacts {
  const endpointNodes = new Set(nodes);
  return service(key, addresses, { isLocal: true, hasEndpoint: nodes.length > 0, endpointNodes });
}

export const LAN: Config = {
  pools: [pool("lan", "10.20.30.0/24", "fd00::/64")],
  l2Ads: [ad("lan")],
  bgpPeers: [],
  bgpAds: [],
};

/** Two nodes, both heard, and one pool that is advertised everywhere; placed as MetalLB does. */
export function input(over: Partial<PlanInput>): PlanInput {
  const nodes = over.nodes ?? [node("iris1"), node("iris2")];
  return {
    config: LAN,
    services: [],
    nodes,
    alive: new Set(nodes.map(({ name }) => name)),
    ignoreExcludeLabel: false,
    interfaces: new Map(),
    now: 0,
    holders: new Map(),
    placement: "hash",
    ...over,
  };
}
