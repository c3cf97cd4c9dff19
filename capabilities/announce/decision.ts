import { alivePeers, holdersOf, holdersTaking, suspectsOf } from "./holders";
import type { Claim, Member } from "./membership/membership";
import type { Suspects } from "./membership/witness";
import { planAddresses } from "./plan";
import type { Plan, PlanInput } from "./plan";

/** What the cluster says. */
export type Facts = Pick<
  PlanInput,
  "config" | "services" | "nodes" | "ignoreExcludeLabel" | "placement" | "now"
>;

/** Where a node stands among the others. */
export type Standing = {
  readonly me: string;
  /** It takes part: it may be given addresses and goes on with what it has. */
  readonly isActive: boolean;
  readonly members: readonly Member[];
  /** What its kernel answers for. */
  readonly claims: readonly Claim[];
  /** On which interfaces it can announce; undefined: not known yet. */
  readonly interfaces: readonly string[] | undefined;
  /** What this node takes from another, in a rebalance. */
  readonly taking: ReadonlySet<string>;
  /** True if the wire says that a silent owner answers for an address no more. */
  readonly isGone: (owner: string, address: string) => boolean;
};

/** Nodes that may be given addresses. */
export function aliveOf({ me, isActive, members }: Standing): ReadonlySet<string> {
  const peers = alivePeers(members);
  return new Set(isActive ? [...peers, me] : peers);
}

/** Who answers for what, as this node sees it. */
export function planFor(facts: Facts, standing: Standing): Plan {
  return planWith(facts, standing, aliveOf(standing));
}

/** Of owners that are not heard, what would be this node's: it is to be asked for on the wire. */
export function suspectsFor(facts: Facts, standing: Standing): Suspects {
  if (!standing.isActive) return new Map();
  let heirs: Plan | undefined;
  const heirOf = (address: string): string | undefined => {
    heirs ??= planOfHeard(facts, standing);
    return heirs.addresses.get(address)?.owner;
  };
  const own = { node: standing.me, claims: standing.claims };
  return suspectsOf(standing.members, { own, heirOf });
}

/** The addresses that are this node's by the plan and that others answer for as well. */
export function contestedAddresses(plan: Plan, { me, members }: Standing): ReadonlySet<string> {
  const heard = members.filter(({ health }) => health !== "silent");
  const claimed = new Set(heard.flatMap(({ claims }) => claims.map(({ address }) => address)));
  const mine = [...plan.addresses.values()].filter(({ owner }) => owner === me);
  return new Set(mine.map(({ address }) => address).filter(address => claimed.has(address)));
}

/** True if this node takes part and all that it knows of do, too, and are heard. */
export function isSettled({ isActive, members }: Standing): boolean {
  return isActive && members.every(({ phase, health }) => phase === "active" && health === "heard");
}

/** The plan as it would be if all were gone who are not heard now. */
function planOfHeard(facts: Facts, standing: Standing): Plan {
  const members = standing.members.filter(({ health }) => health === "heard");
  const alive = new Set([...alivePeers(members), standing.me]);
  return planWith(facts, { ...standing, members }, alive);
}

function planWith(facts: Facts, standing: Standing, alive: ReadonlySet<string>): Plan {
  const { me, isActive, members, claims, isGone } = standing;
  const own = { node: me, claims: isActive ? claims : [] };
  const interfaces = new Map(members.map(member => [member.node, member.interfaces]));
  if (standing.interfaces) interfaces.set(me, standing.interfaces);
  // What is claimed already is this node's by that claim, for as long as nobody has a later one.
  const claimed = new Set(claims.filter(({ epoch }) => epoch > 0).map(({ address }) => address));
  const taking = new Set([...standing.taking].filter(address => !claimed.has(address)));
  const holders = holdersTaking(holdersOf({ members, own, isGone }), me, taking);
  return planAddresses({ ...facts, alive, interfaces, holders });
}
