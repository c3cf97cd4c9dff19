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
  /** Another number whenever `isGone` says something else than before. */
  readonly verdicts: number;
};

/** Nodes that may be given addresses. */
export function aliveOf({ me, isActive, members }: Standing): ReadonlySet<string> {
  const peers = alivePeers(members);
  return new Set(isActive ? [...peers, me] : peers);
}

/** Who answers for what, as this node sees it. */
export function planFor(facts: Facts, standing: Standing): Plan {
  const { me, isActive, members, claims, isGone } = standing;
  const own = { node: me, claims: isActive ? claims : [] };
  const interfaces = new Map(members.map(member => [member.node, member.interfaces]));
  if (standing.interfaces) interfaces.set(me, standing.interfaces);
  // What is claimed already is this node's by that claim, for as long as nobody has a later one.
  const claimed = new Set(claims.filter(({ epoch }) => epoch > 0).map(({ address }) => address));
  const taking = new Set([...standing.taking].filter(address => !claimed.has(address)));
  const holders = holdersTaking(holdersOf({ members, own, isGone }), me, taking);
  return planAddresses({ ...facts, alive: aliveOf(standing), interfaces, holders });
}

/** What a plan was made of, as far as it can change without anything else having changed, and the plan. */
type Basis = { readonly facts: Facts; readonly standing: Standing; readonly plan: Plan };

/** Mostly it is one of the others, and now this one and now that one, that is late. */
const KEPT_OF_HEARD = 10;

export type Planner = {
  /** As `planFor`. */
  readonly plan: (facts: Facts, standing: Standing) => Plan;
  /** As `suspectsFor`. */
  readonly suspects: (facts: Facts, standing: Standing) => Suspects;
};

/**
 * Makes plans, and keeps the last one while nothing that it depends on has changed: a heartbeat that is late, or the look
 * every few seconds, is no reason to think about a thousand addresses anew.
 */
export function createPlanner(): Planner {
  let last: Basis | undefined;
  /** What would be if all were gone who are not heard, by who is heard. */
  const ofHeard = new Map<string, Basis>();

  function keptOfHeard(facts: Facts, heard: Standing): Plan | undefined {
    const known = ofHeard.get(namesOf(heard));
    return known && isSameBasis(known, { facts, standing: heard }) ? known.plan : undefined;
  }

  return {
    plan: (facts, standing) => {
      if (last && isSameBasis(last, { facts, standing })) return last.plan;
      // What was thought of when an owner was late has come about.
      const kept = isGoneForGood(standing) ? keptOfHeard(facts, onlyHeard(standing)) : undefined;
      last = { facts, standing, plan: kept ?? planFor(facts, standing) };
      return last.plan;
    },
    suspects: (facts, standing) =>
      suspectsIn(standing, () => {
        const heard = onlyHeard(standing);
        const kept = keptOfHeard(facts, heard);
        if (kept) return kept;
        const plan = planFor(facts, heard);
        if (ofHeard.size >= KEPT_OF_HEARD) ofHeard.clear();
        ofHeard.set(namesOf(heard), { facts, standing: heard, plan });
        return plan;
      }),
  };
}

function namesOf({ members }: Standing): string {
  return members.map(({ node }) => node).join();
}

/** True if all who are not heard are silent, and nobody answers for anything of theirs. */
function isGoneForGood({ members, isGone }: Standing): boolean {
  return members.every(
    ({ node, health, claims }) =>
      health === "heard" ||
      (health === "silent" && claims.every(({ address }) => isGone(node, address))),
  );
}

/** Lists that are the same object have not changed: whoever makes them keeps them until they do. */
function isSameBasis(before: Basis, after: Pick<Basis, "facts" | "standing">): boolean {
  return (
    !dependsOnTime(before.facts) &&
    !dependsOnTime(after.facts) &&
    isSameCluster(before.facts, after.facts) &&
    isSameStanding(before.standing, after.standing)
  );
}

function isSameStanding(before: Standing, after: Standing): boolean {
  return (
    before.claims === after.claims &&
    before.isActive === after.isActive &&
    before.interfaces?.join() === after.interfaces?.join() &&
    isSameSet(before.taking, after.taking) &&
    before.members.length === after.members.length &&
    before.members.every((member, at) => isSameToPlan(member, after.members[at])) &&
    // The wire is asked for those who are late, too, but believed of the silent only.
    (before.verdicts === after.verdicts ||
      before.members.every(({ health }) => health !== "silent"))
  );
}

function isSameCluster(before: Facts, after: Facts): boolean {
  return (
    before.config === after.config &&
    before.services === after.services &&
    before.nodes === after.nodes &&
    before.placement === after.placement &&
    before.ignoreExcludeLabel === after.ignoreExcludeLabel
  );
}

function dependsOnTime({ nodes }: Facts): boolean {
  return nodes.some(({ notReadySince }) => notReadySince !== undefined);
}

function isSameSet(before: ReadonlySet<string>, after: ReadonlySet<string>): boolean {
  return before.size === after.size && [...before].every(one => after.has(one));
}

/** Between threads a list is copied with every word of its member. */
function isSameClaims(before: readonly Claim[], after: readonly Claim[]): boolean {
  if (before === after) return true;
  return (
    before.length === after.length &&
    before.every(({ address, epoch }, at) => {
      const other = after[at];
      return address === other?.address && epoch === other.epoch;
    })
  );
}

/** Whether a member is heard or late is nothing to the plan. */
function isSameToPlan(before: Member, after: Member | undefined): boolean {
  return (
    after !== undefined &&
    before.node === after.node &&
    before.phase === after.phase &&
    isSameClaims(before.claims, after.claims) &&
    (before.health === "silent") === (after.health === "silent") &&
    before.interfaces.join() === after.interfaces.join()
  );
}

/** Of owners that are not heard, what would be this node's: it is to be asked for on the wire. */
export function suspectsFor(facts: Facts, standing: Standing): Suspects {
  return suspectsIn(standing, () => planFor(facts, onlyHeard(standing)));
}

function suspectsIn(standing: Standing, ofHeard: () => Plan): Suspects {
  if (!standing.isActive) return new Map();
  let heirs: Plan | undefined;
  const heirOf = (address: string): string | undefined => {
    heirs ??= ofHeard();
    return heirs.addresses.get(address)?.owner;
  };
  const own = { node: standing.me, claims: standing.claims };
  return suspectsOf(standing.members, { own, heirOf });
}

/** True if this node takes part and all that it knows of do, too, and are heard. */
export function isSettled({ isActive, members }: Standing): boolean {
  return isActive && members.every(({ phase, health }) => phase === "active" && health === "heard");
}

/**
 * What became of the members. silent: some fell silent, and nothing else. turn: somebody came, went, is heard again or
 * has another phase. news: nothing of that.
 */
export type Turn = "news" | "silent" | "turn";

export function turnOf(before: readonly Member[], after: readonly Member[]): Turn {
  const known = new Map(before.map(member => [member.node, member]));
  const changes = after.map(({ node, health, phase }): Turn => {
    const last = known.get(node);
    if (last?.phase !== phase) return "turn";
    if ((last.health === "silent") === (health === "silent")) return "news";
    return health === "silent" ? "silent" : "turn";
  });
  if (before.length !== after.length || changes.includes("turn")) return "turn";
  return changes.includes("silent") ? "silent" : "news";
}

/** As if all were gone who are not heard now. */
function onlyHeard(standing: Standing): Standing {
  return { ...standing, members: standing.members.filter(({ health }) => health === "heard") };
}
