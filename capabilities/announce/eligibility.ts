import { matchesAny, matchesSelector } from "../config/selector";
import type { L2Ad } from "../config/config";
import type { Candidate } from "./election";
import { EXCLUDE_LABEL, OUT_OF_SERVICE_TAINT } from "./facts";
import type { NodeFacts, ServiceFacts } from "./facts";
import type { WantedInterfaces } from "./layer2/interfaces";

/** Why a node may not answer for an address of a Service. */
export type Refusal =
  | "notAlive"
  | "outOfService"
  | "notReady"
  | "noInterface"
  | "networkUnavailable"
  | "excludedByLabel"
  | "noMatchingAdvertisement"
  | "noLocalEndpoint";

/** Each refusal as the end of a sentence that begins with the node's name. */
export const REFUSAL_TEXT: Readonly<Record<Refusal, string>> = {
  notAlive: "has no announcer that is heard",
  outOfService: `has the taint ${OUT_OF_SERVICE_TAINT}`,
  notReady: "is not Ready since long",
  noInterface: "has none of the wanted interfaces, up and with carrier",
  networkUnavailable: "has the condition NetworkUnavailable",
  excludedByLabel: `has the label ${EXCLUDE_LABEL}`,
  noMatchingAdvertisement: "is selected by no L2Advertisement that fits",
  noLocalEndpoint: "has no endpoint that serves (externalTrafficPolicy is Local)",
};

/** The nodes as the plan sees them. */
export type Cluster = {
  readonly nodes: readonly NodeFacts[];
  /** Nodes whose announcer is heard; "unknown" without membership: then all nodes count. */
  readonly alive: ReadonlySet<string> | "unknown";
  /** Serve nodes with the exclude label too (as MetalLB's --ignore-exclude-lb). */
  readonly ignoreExcludeLabel: boolean;
  /** On which interfaces each node can announce now, as far as that is known. */
  readonly interfaces: ReadonlyMap<string, readonly string[]>;
  /** Wall clock, ms since 1970. */
  readonly now: number;
};

/**
 * A node whose kubelet has not reported for so long is not given addresses while another may have them, ms.
 * Its announcer is heard, so it may well deliver: kubelets stop for an API server's sake as well.
 */
export const NOT_READY_LONG_MS = 300_000;

/** Who may answer for one Service's address, and why the others may not. */
export type Eligibility = {
  readonly candidates: readonly Candidate[];
  readonly refusals: ReadonlyMap<string, Refusal>;
};

/**
 * Sorts the nodes into candidates and refused ones.
 * @param ads the advertisements that fit the Service and the address's pool
 * @param holders nodes that are not alive and whose kernel answers for the address: they need not be heard to go on
 */
export function findCandidates(cluster: Cluster, { service, ads, holders }: Quest): Eligibility {
  const candidates: Candidate[] = [];
  const reserve: Candidate[] = [];
  const refusals = new Map<string, Refusal>();
  const doubts = new Map<string, Refusal>();
  for (const node of cluster.nodes) {
    const ownAds = adsForNode(ads, node);
    const refusal = refuse(cluster, { node, service, ownAds, isHolder: holders.has(node.name) });
    const doubt = doubtOf(cluster, node, ownAds);
    const candidate = { node: node.name, score: scoreOf(ownAds, node) };
    if (refusal) refusals.set(node.name, refusal);
    else if (doubt) doubts.set(node.name, doubt);
    if (!refusal) (doubt ? reserve : candidates).push(candidate);
  }
  // All kubelets may be cut off from the API server at once; then that says nothing of the nodes.
  if (candidates.length === 0) return { candidates: reserve, refusals };
  return { candidates, refusals: new Map([...refusals, ...doubts]) };
}

/** What nodes are wanted for. */
export type Quest = {
  readonly service: ServiceFacts;
  readonly ads: readonly L2Ad[];
  readonly holders: ReadonlySet<string>;
};

/** Why a node is to answer only if there is no better one. */
function doubtOf(
  { interfaces, now }: Cluster,
  node: NodeFacts,
  ownAds: readonly L2Ad[],
): Refusal | undefined {
  const { name, notReadySince } = node;
  if (notReadySince !== undefined && now - notReadySince >= NOT_READY_LONG_MS) return "notReady";
  const has = interfaces.get(name);
  const wanted = interfacesFor(ownAds, node);
  const isServed = wanted === "all" ? has?.length !== 0 : wanted.some(one => has?.includes(one));
  return has === undefined || isServed ? undefined : "noInterface";
}

/** The interfaces on which a node announces: those of all its advertisements, one without any means all. */
export function interfacesFor(ads: readonly L2Ad[], node: NodeFacts): WantedInterfaces {
  const ownAds = adsForNode(ads, node);
  if (ownAds.some(({ interfaces }) => interfaces.length === 0)) return "all";
  return [...new Set(ownAds.flatMap(({ interfaces }) => interfaces))].sort();
}

function adsForNode(ads: readonly L2Ad[], node: NodeFacts): readonly L2Ad[] {
  return ads.filter(ad => matchesAny(ad.nodeSelectors, node.labels));
}

type Case = {
  readonly node: NodeFacts;
  readonly service: ServiceFacts;
  readonly ownAds: readonly L2Ad[];
  readonly isHolder: boolean;
};

function refuse(cluster: Cluster, one: Case): Refusal | undefined {
  const { node, service, ownAds, isHolder } = one;
  if (!isHolder && cluster.alive !== "unknown" && !cluster.alive.has(node.name)) return "notAlive";
  if (ownAds.length === 0) return refuseNode(cluster, node) ?? "noMatchingAdvertisement";
  if (service.isLocal && !service.endpointNodes.has(node.name)) {
    return refuseNode(cluster, node) ?? "noLocalEndpoint";
  }
  return refuseNode(cluster, node);
}

/** Why a node may not answer for any address. */
function refuseNode({ ignoreExcludeLabel }: Cluster, node: NodeFacts): Refusal | undefined {
  if (node.isOutOfService) return "outOfService";
  if (node.isNetworkUnavailable) return "networkUnavailable";
  return !ignoreExcludeLabel && EXCLUDE_LABEL in node.labels ? "excludedByLabel" : undefined;
}

/** Only advertisements that select the node speak for it, so that every announcer adds up the same. */
function scoreOf(ownAds: readonly L2Ad[], node: NodeFacts): number {
  return ownAds
    .flatMap(ad => ad.preferredNodes)
    .filter(({ preference }) => matchesSelector(preference, node.labels))
    .reduce((sum, { weight }) => sum + weight, 0);
}
