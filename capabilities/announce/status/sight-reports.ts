import type { AddressConflict } from "../../config/kinds/virtual-ip";
import type { Observer } from "../wire/observer";
import type { ObservedSight } from "./virtual-ip-status";

/** Who this node sees answer for the addresses of others, each since when. */
export type SightReports = {
  /** Takes in what the observer sees of an address; true if it is something else than before. */
  update(address: string, observer: Pick<Observer, "sight">): boolean;
  /** What to say, while it is what the observer sees. */
  get(address: string): ObservedSight | undefined;
  /** The host outside the cluster that was seen to answer just now, for the node that owns the address to look into. */
  stranger(address: string): AddressConflict | undefined;
};

/**
 * So long a stranger that was seen is reported, ms. After that it is the owner's to say that it is gone: a sight that
 * is renewed rarely must not bring it back.
 */
const STRANGER_MS = 5_000;

export function createSightReports({ me, now }: { me: string; now: () => number }): SightReports {
  const reports = new Map<
    string,
    { readonly sight: ObservedSight; readonly strangers: readonly string[] }
  >();
  let source: Pick<Observer, "sight"> = { sight: () => undefined };

  return {
    update: (address, observer) => {
      source = observer;
      const sight = observer.sight(address);
      const before = reports.get(address)?.sight;
      if (!sight || sight.text === before?.text) return false;
      const { text, node, mac, strangers } = sight;
      const at = new Date(now()).toISOString();
      const whom = {
        ...(node === undefined ? {} : { node }),
        ...(mac === undefined ? {} : { mac }),
      };
      reports.set(address, { sight: { text, ...whom, at }, strangers });
      return true;
    },
    get: address => {
      const sight = reports.get(address)?.sight;
      // Another node may have been given the observation; what this one saw is then of no account.
      return sight && source.sight(address)?.text === sight.text ? sight : undefined;
    },
    stranger: address => {
      const { sight, strangers: [mac] = [] } = reports.get(address) ?? {};
      const at = sight?.at ?? "";
      const isFresh = now() - Date.parse(at) < STRANGER_MS;
      return mac === undefined || !isFresh
        ? undefined
        : { mac, seenBy: me, since: at, isInUse: true };
    },
  };
}
