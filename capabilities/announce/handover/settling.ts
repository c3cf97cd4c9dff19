import type { Holders } from "../holders";
import type { Trail, Trails } from "./trail";

/**
 * The trails by which packets are sent on. A node that gave an address back to whom it had it from goes on to send
 * there what it does not track, for as long as clients may still send to it; only then the new trail counts. Meanwhile
 * what nobody tracks may go round, until its TTL ends.
 */
export type Settling = {
  readonly used: Trails;
  /** Since when, ms, the new owner of an address whose trail is not used yet answers alone. */
  readonly restSince: ReadonlyMap<string, number>;
};

export const NOTHING_SETTLED: Settling = { used: new Map(), restSince: new Map() };

/** So long clients may take to learn where an address is, after its former owner has let go, ms. */
export const SETTLE_MS = 5000;

export type SettlingInput = {
  readonly me: string;
  readonly trails: Trails;
  /** Who answers, this node included. */
  readonly holders: Holders;
  readonly now: number;
};

/** What is used from now on. The owner uses its new trail at once: it is asked for what others track. */
export function nextSettling(before: Settling, input: SettlingInput): Settling {
  const used = new Map<string, Trail>();
  const restSince = new Map<string, number>();
  for (const [address, trail] of input.trails) {
    const old = before.used.get(address);
    const [owner = ""] = trail.nodes;
    if (!old || owner === input.me || isSameWay(old, trail)) {
      used.set(address, trail);
      continue;
    }
    const since = restOf(address, owner, { before, input });
    const isSettled = input.now - since >= SETTLE_MS;
    used.set(address, isSettled ? trail : old);
    if (!isSettled && since < Infinity) restSince.set(address, since);
  }
  return { used, restSince };
}

/** Since when the owner answers alone; never: Infinity. */
function restOf(
  address: string,
  owner: string,
  { before, input }: { readonly before: Settling; readonly input: SettlingInput },
): number {
  const isAlone = (input.holders.get(address) ?? []).every(({ node }) => node === owner);
  return isAlone ? (before.restSince.get(address) ?? input.now) : Infinity;
}

function isSameWay(a: Trail, b: Trail): boolean {
  return a.nodes.length === b.nodes.length && a.nodes.every((node, i) => node === b.nodes[i]);
}
