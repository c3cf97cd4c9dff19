import type { ConfigError } from "../config-error";
import { bgpAdvertisementResource } from "../kinds/bgp-advertisement";
import { bgpPeerResource } from "../kinds/bgp-peer";
import type { Pool } from "../pool";
import { matchesAny } from "../selector";
import type { LabelSelector } from "../selector";
import type { BgpAd } from "./advertisement";
import type { BgpPeer } from "./peer";

/** Labels of a node. */
export type NodeLabels = Readonly<Record<string, string>>;

type Selecting = { readonly nodeSelectors: readonly LabelSelector[] };

/**
 * A second local preference for the same prefix: the two advertisements have a pool, a peer and a node in common, and
 * aggregate alike whatever families that pool has. As MetalLB, except that an advertisement without a local
 * preference contradicts nobody. Without nodes there is no conflict, nor where serviceSelectors keep the two apart.
 *
 * @param namespace of the advertisements
 */
export function localPrefConflict(
  ad: BgpAd,
  other: BgpAd,
  { pools, nodes }: { readonly pools: readonly Pool[]; readonly nodes: readonly NodeLabels[] },
  namespace: string,
): ConfigError | undefined {
  const isContradiction =
    Boolean(ad.localPref && other.localPref) && ad.localPref !== other.localPref;
  const isSelecting = ad.serviceSelectors.length + other.serviceSelectors.length > 0;
  if (!isContradiction || isSelecting) return undefined;
  const pool = pools.find(one => isSamePrefix(one, ad, other));
  if (!pool || !haveCommonPeer(ad, other) || !nodes.some(matchedByBoth(ad, other)))
    return undefined;
  return {
    object: `${bgpAdvertisementResource.kind} ${namespace}/${ad.name}`,
    field: "spec.localPref",
    value: ad.localPref,
    problem: `contradicts ${other.localPref ?? 0} of BGPAdvertisement ${other.name} for the same prefixes of IPAddressPool ${pool.name}`,
    remedy: "write the same in both, or let them differ in aggregation length, peers or nodes",
  };
}

function isSamePrefix({ name, ranges }: Pool, ad: BgpAd, other: BgpAd): boolean {
  const isCommon = ad.pools.includes(name) && other.pools.includes(name);
  return (
    isCommon &&
    ranges.every(({ family }) => ad.aggregationLength[family] === other.aggregationLength[family])
  );
}

function haveCommonPeer({ peers }: BgpAd, other: BgpAd): boolean {
  const isOpen = peers.length === 0 || other.peers.length === 0;
  return isOpen || peers.some(name => other.peers.includes(name));
}

/**
 * A second peer for the same router, which would refuse its second session: same address, port and VRF, and a node in
 * common. While no nodes are known, only those without selectors in both are surely apart: none.
 *
 * @param namespace of the peers
 */
export function sameRouterConflict(
  peer: BgpPeer,
  other: BgpPeer,
  nodes: readonly NodeLabels[],
  namespace: string,
): ConfigError | undefined {
  if (routerOf(peer) !== routerOf(other)) return undefined;
  if (nodes.length > 0 && !nodes.some(matchedByBoth(peer, other))) return undefined;
  const { interface: link, address } = peer;
  return {
    object: `${bgpPeerResource.kind} ${namespace}/${peer.name}`,
    field: link === undefined ? "spec.peerAddress" : "spec.interface",
    value: link ?? address,
    problem: `is the router of BGPPeer ${other.name}, too, on the same nodes`,
    remedy: "remove one of the two, or give them nodeSelectors that no node matches both",
  };
}

/** What makes two peers the same router for one node. */
function routerOf({ address, port, interface: link, vrf }: BgpPeer): string {
  return JSON.stringify([address, port, link, vrf]);
}

function matchedByBoth(one: Selecting, other: Selecting): (labels: NodeLabels) => boolean {
  return labels => matchesAny(one.nodeSelectors, labels) && matchesAny(other.nodeSelectors, labels);
}
