import { matchesAny, matchesSelector } from "../config/selector";
import type { L2Ad } from "../config/config";
import type { Candidate } from "./election";
import { EXCLUDE_LABEL } from "./facts";
import type { NodeFacts, ServiceFacts } from "./facts";
import type { WantedInterfaces } from "./layer2/interfaces";

/** Why a node may not answer for an address of a Service. */
export type Refusal =
  | "notAlive"
  | "networkUnavailable"
  | "excludedByLabel"
  | "noMatchingAdvertisement"
  | "noLocalEndpoint";

/** Each refusal as the end of a sentence that begins with the node's name. */
export const REFUSAL_TEXT: Readonly<Record<Refusal, string>> = {
  notAlive: "has no announcer that is heard",
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
};

/** Who may answer for one Service's address, and why the others may not. */
export type Eligibility = {
  readonly candidates: readonly Candidate[];
  readonly refusals: ReadonlyMap<string, Refusal>;
};

/**
 * Sorts the nodes into candidates and refused ones.
 * @param ads the advertisements that fit the Service and the address's pool
 */
export function findCandidates(
  cluster: Cluster,
  service: ServiceFacts,
  ads: readonly L2Ad[],
): Eligibility {
  const candidates: Candidate[] = [];
  const refusals = new Map<string, Refusal>();
  for (const node of cluster.nodes) {
    const ownAds = adsForNode(ads, node);
    const refusal = refuse(cluster, { node, service, ownAds });
    if (refusal) refusals.set(node.name, refusal);
    else candidates.push({ node: node.name, score: scoreOf(ownAds, node) });
  }
  return { candidates, refusals };
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
};

function refuse(cluster: Cluster, { node, service, ownAds }: Case): Refusal | undefined {
  if (cluster.alive !== "unknown" && !cluster.alive.has(node.name)) return "notAlive";
  if (node.isNetworkUnavailable) return "networkUnavailable";
  if (!cluster.ignoreExcludeLabel && EXCLUDE_LABEL in node.labels) return "excludedByLabel";
  if (ownAds.length === 0) return "noMatchingAdvertisement";
  if (service.isLocal && !service.endpointNodes.has(node.name)) return "noLocalEndpoint";
  return undefined;
}

/** Only advertisements that select the node speak for it, so that every announcer adds up the same. */
function scoreOf(ownAds: readonly L2Ad[], node: NodeFacts): number {
  return ownAds
    .flatMap(ad => ad.preferredNodes)
    .filter(({ preference }) => matchesSelector(preference, node.labels))
    .reduce((sum, { weight }) => sum + weight, 0);
}
