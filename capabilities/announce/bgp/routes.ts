import { AS_TRANS, linkBandwidth } from "../../bgp/index";
import type { RouteAttributes } from "../../bgp/index";
import { cidrRange, formatAddress, parseAddress } from "../../config/address";
import type { IpAddress } from "../../config/address";
import type { BgpAd } from "../../config/bgp/advertisement";
import type { BgpPeer } from "../../config/bgp/peer";
import { poolOf } from "../../config/config";
import type { Config } from "../../config/config";
import { matchesAny } from "../../config/selector";
import { EXCLUDE_LABEL } from "../facts";
import type { NodeFacts, ServiceFacts } from "../facts";
import { withoutRivals } from "./rivals";

export type RouteInput = {
  readonly config: Config;
  readonly services: readonly ServiceFacts[];
  /** The node that this runs on; undefined while it is not known. */
  readonly me: NodeFacts | undefined;
  /** Serve nodes with the exclude label too (as MetalLB's --ignore-exclude-lb). */
  readonly ignoreExcludeLabel: boolean;
  /** The node goes away: its routes are the last that routers are to use. */
  readonly isLeaving?: boolean;
  /** Peers that keep the routes all the same, since the node comes back soon: they are told nothing. */
  readonly keepers?: ReadonlySet<string>;
};

/** Prefixes and what is said of them. */
export type Routes = ReadonlyMap<string, RouteAttributes>;

/** A peer of this node and what is advertised to it. */
export type WantedPeer = {
  readonly peer: BgpPeer;
  readonly routes: Routes;
  /** Whose routes they are, each as `namespace/name address`. */
  readonly carried: ReadonlySet<string>;
};

/**
 * What this node advertises to which routers. It does not depend on other nodes: each speaks for itself, and routers
 * spread what they send over all that advertise.
 */
export function wantedPeers({
  config,
  services,
  me,
  ignoreExcludeLabel,
  isLeaving = false,
  keepers = new Set(),
}: RouteInput): readonly WantedPeer[] {
  if (!me) return [];
  const { peers } = withoutRivals(peersOf(config, me));
  if (peers.length === 0) return [];
  const isUsable =
    !me.isNetworkUnavailable && (ignoreExcludeLabel || !(EXCLUDE_LABEL in me.labels));
  const reachable = isUsable ? services.filter(service => canDeliver(service, me)) : [];
  const offers = reachable.flatMap(service => offersOf(service, config, me));
  return peers.map(peer => {
    const own = offers.filter(offer => isFor(peer, offer));
    const carried = new Set(
      own.map(({ service, address }) => `${service} ${formatAddress(address)}`),
    );
    return { peer, routes: routesOf(peer, own, isLeaving && !keepers.has(peer.name)), carried };
  });
}

/** The peers whose selectors match a node. */
export function peersOf({ bgpPeers }: Config, { labels }: NodeFacts): readonly BgpPeer[] {
  return bgpPeers.filter(peer => matchesAny(peer.nodeSelectors, labels));
}

/** The addresses of Services that a BGPAdvertisement is for, each as `namespace/name address`. */
export function advertisedAddresses(
  services: readonly ServiceFacts[],
  config: Config,
): ReadonlySet<string> {
  if (config.bgpAds.length === 0) return new Set();
  return new Set(
    services.flatMap(service =>
      service.addresses
        .filter(address => adsFor(service, parseAddress(address), config).length > 0)
        .map(address => `${service.key} ${address}`),
    ),
  );
}

/** One address of a Service by one advertisement. */
type Offer = {
  readonly service: string;
  readonly ad: BgpAd;
  readonly address: IpAddress;
  /** Endpoints on this node, where routes are weighed by them. */
  readonly weight: number | undefined;
};

/** Local: an endpoint on the node itself. Cluster: an endpoint anywhere. */
function canDeliver({ isLocal, endpointNodes, hasEndpoint }: ServiceFacts, me: NodeFacts): boolean {
  return isLocal ? endpointNodes.has(me.name) : hasEndpoint;
}

function offersOf(service: ServiceFacts, config: Config, me: NodeFacts): readonly Offer[] {
  return service.addresses.flatMap(text => {
    const address = parseAddress(text);
    return adsFor(service, address, config)
      .filter(ad => matchesAny(ad.nodeSelectors, me.labels))
      .flatMap(ad =>
        address ? [{ service: service.key, ad, address, weight: weightOf(service, ad, me) }] : [],
      );
  });
}

function weightOf(service: ServiceFacts, ad: BgpAd, me: NodeFacts): number | undefined {
  const isWeighed = ad.weighsEndpoints && service.isLocal;
  return isWeighed ? service.endpointCounts.get(me.name) : undefined;
}

function isFor(peer: BgpPeer, { ad, address }: Offer): boolean {
  const isNamed = ad.peers.length === 0 || ad.peers.includes(peer.name);
  return isNamed && peer.families.includes(address.family);
}

function adsFor(
  service: ServiceFacts,
  address: IpAddress | undefined,
  config: Config,
): readonly BgpAd[] {
  const pool = address && poolOf(config, address);
  if (!pool) return [];
  return config.bgpAds.filter(
    ad => ad.pools.includes(pool.name) && matchesAny(ad.serviceSelectors, service.labels),
  );
}

/**
 * Advertisements that give the same prefix make one route: their communities come together, and the first one by name
 * that has a local preference decides it (as MetalLB's native mode).
 */
function routesOf(peer: BgpPeer, offers: readonly Offer[], isLeaving: boolean): Routes {
  const routes = new Map<string, RouteAttributes>();
  const weights = new Map<string, number>();
  for (const { ad, address, weight = 0 } of offers) {
    const prefix = prefixOf(address, ad.aggregationLength[address.family]);
    routes.set(prefix, joined(routes.get(prefix), ad));
    weights.set(prefix, Math.max(weight, weights.get(prefix) ?? 0));
  }
  for (const [prefix, weight] of weights) {
    if (weight > 0) routes.set(prefix, { ...routes.get(prefix), ...weighed(peer, weight) });
  }
  return isLeaving ? new Map([...routes].map(([prefix, a]) => [prefix, leaving(a)])) : routes;
}

/** Routers look at the relation of the bandwidths only; so many octets in a second stand for one endpoint. */
const ENDPOINT_BANDWIDTH = 125_000_000;

function weighed({ myAsn, localAsn }: BgpPeer, endpoints: number): RouteAttributes {
  const as = localAsn ?? myAsn;
  const short = as > 0xffff ? AS_TRANS : as;
  return { extendedCommunities: [linkBandwidth(short, endpoints * ENDPOINT_BANDWIDTH)] };
}

/** GRACEFUL_SHUTDOWN, and for routers of our own AS the local preference that it stands for (RFC 8326 section 4). */
function leaving(attributes: RouteAttributes): RouteAttributes {
  return {
    ...attributes,
    localPref: 0,
    communities: union(attributes.communities, [GRACEFUL_SHUTDOWN]),
  };
}

const GRACEFUL_SHUTDOWN = "65535:0";

function prefixOf(address: IpAddress, length: number): string {
  const { family, first } = cidrRange(address, length);
  return `${formatAddress({ family, value: first })}/${length}`;
}

function joined(before: RouteAttributes = {}, ad: BgpAd): RouteAttributes {
  const localPref = before.localPref ?? ad.localPref;
  return {
    ...(localPref === undefined ? {} : { localPref }),
    communities: union(before.communities, ad.communities),
    largeCommunities: union(before.largeCommunities, ad.largeCommunities),
  };
}

function union(a: readonly string[] = [], b: readonly string[]): readonly string[] {
  return [...new Set([...a, ...b])].sort();
}
