import { formatConfigError } from "../config/config";
import type { Config } from "../config/config";
import { bgpPeerResource } from "../config/kinds/bgp-peer";
import type { AgentParts } from "./agent-parts";
import { createTeller } from "./bgp/news";
import { withoutRivals } from "./bgp/rivals";
import { advertisedAddresses, peersOf } from "./bgp/routes";
import type { SessionNews } from "./bgp/sessions";
import { bgpSilence } from "./bgp/silence";
import { NOTHING_TOLD } from "./bgp/view";
import type { BgpView } from "./bgp/view";
import type { NodeFacts, ServiceFacts } from "./facts";
import type { ByBgp } from "./status/announced-condition";
import type { Audience } from "./status/service-bgp-status";
import type { BgpStanding } from "./status/virtual-ip-bgp";

/** The cluster, as what is said of BGP depends on it. */
export type BgpFacts = {
  readonly config: Config;
  readonly services: readonly ServiceFacts[];
  readonly nodes: readonly NodeFacts[];
};

/** What is to be said of BGP: the half of the reporter that knows of it. */
export type BgpReporter = {
  learned(facts: BgpFacts): void;
  /** Routers are told of other Services now. */
  advertised(view: BgpView): void;
  news(news: SessionNews): void;
  standing(address: string): BgpStanding | undefined;
  audience(service: string): Audience;
  /** How BGP stands for an address, which these nodes say that they advertise. */
  byBgp(service: string, address: string, nodes: readonly string[]): ByBgp | undefined;
  /** What of the configuration this node cannot use, though it is right by itself. */
  problems(): readonly string[];
  /** True if a BGPAdvertisement is for that address of that Service. */
  isFor(service: string, address: string): boolean;
};

const NOBODY: Audience = { peers: [], waitingPeers: [] };
/** A session that comes up soon is no news; nodes also need a moment to say what they advertise, ms. */
const PATIENCE_MS = 5_000;

export function createBgpReporter(
  { options, events, metrics, log }: Pick<AgentParts, "options" | "events" | "metrics" | "log">,
  emit: (service: string, type: "Normal" | "Warning", reason: string, text: string) => void,
): BgpReporter {
  const me = options.nodeName;
  const teller = createTeller(me);
  let facts: BgpFacts | undefined;
  let readyNodes: ReadonlySet<string> = new Set();
  let advertised: ReadonlySet<string> = new Set();
  let view = NOTHING_TOLD;
  let problems: readonly string[] = [];
  const silentSince = new Map<string, number>();

  function noteAnnounced(services: Iterable<string>): void {
    for (const service of services) {
      emit(service, "Normal", "nodeAssigned", `announcing from node "${me}" with protocol "bgp"`);
    }
  }

  function isSilentForLong(pair: string): boolean {
    const since = silentSince.get(pair) ?? Date.now();
    silentSince.set(pair, since);
    return Date.now() - since >= PATIENCE_MS;
  }

  function explain(service: string, address: string): ByBgp["silence"] {
    const known = facts?.services.find(({ key }) => key === service);
    if (!facts || !known) return undefined;
    return bgpSilence({ ...facts, ignoreExcludeLabel: options.ignoreExcludeLabel }, known, address);
  }

  return {
    learned: next => {
      facts = next;
      readyNodes = new Set(
        next.nodes.flatMap(({ name, notReadySince }) => (notReadySince === undefined ? name : [])),
      );
      advertised = advertisedAddresses(next.services, next.config);
      const own = next.nodes.find(({ name }) => name === me);
      const peers = own ? peersOf(next.config, own) : [];
      problems = withoutRivals(peers, options.namespace).errors.map(formatConfigError);
      for (const pair of silentSince.keys()) if (!advertised.has(pair)) silentSince.delete(pair);
    },
    advertised: next => {
      const isTold = (from: BgpView, key: string): boolean =>
        (from.audiences.get(key)?.peers.length ?? 0) > 0;
      const before = view;
      view = next;
      noteAnnounced(
        [...next.audiences.keys()].filter(key => isTold(next, key) && !isTold(before, key)),
      );
    },
    news: news => {
      const telling = teller(news);
      const { peer, change } = news;
      if (change.type === "up") log.info({ peer }, "BGP session is up");
      else if (telling) log.warn({ peer, reason: change.reason }, "BGP session is down");
      if (!telling) return;
      if (change.type === "down" && change.wasUp) metrics.sessionDowns.inc({ peer });
      const { group, version, kind } = bgpPeerResource;
      const subject = { apiVersion: `${group}/${version}`, kind, name: peer };
      const { type, reason, message } = telling;
      void events.emit({ ...subject, namespace: options.namespace }, type, reason, message);
    },
    standing: address => facts && { peers: view.addresses.get(address) ?? [], readyNodes },
    audience: service => view.audiences.get(service) ?? NOBODY,
    byBgp: (service, address, nodes) => {
      const pair = `${service} ${address}`;
      if (!advertised.has(pair)) return undefined;
      if (nodes.length > 0) {
        silentSince.delete(pair);
        return { nodes };
      }
      const silence = isSilentForLong(pair) ? explain(service, address) : undefined;
      return { nodes, ...(silence ? { silence } : {}) };
    },
    problems: () => problems,
    isFor: (service, address) => advertised.has(`${service} ${address}`),
  };
}
