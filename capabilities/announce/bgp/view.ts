import type { Audience } from "../status/service-bgp-status";
import type { WantedPeer } from "./routes";

/** What of this node's Services its routers are told. */
export type BgpView = {
  /** By the key of the Service. */
  readonly audiences: ReadonlyMap<string, Audience>;
  /** Names of the BGPPeers that know an address, sorted; only their sessions that are established. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  /** What somebody knows, each as `namespace/name address`. */
  readonly told: ReadonlySet<string>;
};

export const NOTHING_TOLD: BgpView = {
  ...{ audiences: new Map(), addresses: new Map(), told: new Set() },
};

/** What is wanted, seen beside the sessions that are up. */
export function viewOf(wanted: readonly WantedPeer[], isUp: (peer: string) => boolean): BgpView {
  const audiences = new Map<string, Record<keyof Audience, Set<string>>>();
  const addresses = new Map<string, Set<string>>();
  const told = new Set<string>();
  for (const { peer, carried } of wanted) {
    const up = isUp(peer.name);
    for (const pair of carried) {
      const [service = "", address = ""] = pair.split(" ");
      const audience = audiences.get(service) ?? { peers: new Set(), waitingPeers: new Set() };
      audiences.set(service, audience);
      audience[up ? "peers" : "waitingPeers"].add(peer.name);
      if (!up) continue;
      told.add(pair);
      addresses.set(address, (addresses.get(address) ?? new Set()).add(peer.name));
    }
  }
  return {
    audiences: new Map(
      [...audiences].map(([service, { peers, waitingPeers }]) => [
        service,
        { peers: [...peers].sort(), waitingPeers: [...waitingPeers].sort() },
      ]),
    ),
    addresses: new Map([...addresses].map(([address, peers]) => [address, [...peers].sort()])),
    told,
  };
}

/** Services and addresses of which the two say something different. */
export function changesBetween(
  before: BgpView,
  after: BgpView,
): { readonly services: readonly string[]; readonly addresses: readonly string[] } {
  return {
    services: changedKeys(before.audiences, after.audiences),
    addresses: changedKeys(before.addresses, after.addresses),
  };
}

function changedKeys<T>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
): readonly string[] {
  return [...new Set([...before.keys(), ...after.keys()])].filter(
    key => JSON.stringify(before.get(key)) !== JSON.stringify(after.get(key)),
  );
}
