import { alivePeers, holdersOf, holdersTaking, suspectsOf, withoutReplaced } from "./holders";
import { kept, keptFor } from "./kept";
import type { Claim, Health, Member } from "./membership/membership";
import type { Suspects, Suspicion } from "./membership/witness";
import { planAddresses } from "./plan";
import type { Plan, PlanInput } from "./plan";
import type { Urgency } from "./plan-soon";
import { isSameCluster, replanAddresses } from "./replan";
import type { Planned } from "./replan";

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
  return planAddresses(inputFor(facts, inForce(standing)));
}

/** Asked of the same list several times for each plan. */
const membersInForce = keptFor(withoutReplaced);

/** Only with claims that nobody has taken over since. */
function inForce(standing: Standing): Standing {
  return { ...standing, members: membersInForce(standing.members) };
}

function inputFor(facts: Facts, standing: Standing): PlanInput {
  const { me, isActive, members, claims, isGone } = standing;
  const own = { node: me, claims: isActive ? claims : [] };
  const interfaces = new Map(members.map(member => [member.node, member.interfaces]));
  if (standing.interfaces) interfaces.set(me, standing.interfaces);
  // What is claimed already is this node's by that claim, for as long as nobody has a later one.
  const claimed = new Set(claims.filter(({ epoch }) => epoch > 0).map(({ address }) => address));
  const taking = new Set([...standing.taking].filter(address => !claimed.has(address)));
  const holders = holdersTaking(holdersOf({ members, own, isGone }), me, taking);
  return { ...facts, alive: aliveOf(standing), interfaces, holders };
}

/** What a plan is made of, as far as it can change without anything else having changed. */
type Basis = { readonly facts: Facts; readonly standing: Standing };

/** Mostly it is one of the others, and now this one and now that one, that is late. */
const KEPT_OF_REST = 10;

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
  let last: (Basis & Planned) | undefined;
  /** What would be if the others were gone, by who is left. */
  const ofRest = new Map<string, Basis & Planned>();

  function make(facts: Facts, standing: Standing): Basis & Planned {
    const input = inputFor(facts, standing);
    const again = last && replanAddresses(last, input);
    return { facts, standing, input, plan: again ?? planAddresses(input) };
  }

  function keptOfRest(facts: Facts, standing: Standing): (Basis & Planned) | undefined {
    const known = ofRest.get(namesOf(standing));
    return known && isSameBasis(known, { facts, standing }) ? known : undefined;
  }

  function planOfRest(facts: Facts, standing: Standing): Plan {
    const known = keptOfRest(facts, standing);
    if (known) return known.plan;
    const found = make(facts, standing);
    if (ofRest.size >= KEPT_OF_REST) ofRest.clear();
    ofRest.set(namesOf(standing), found);
    return found.plan;
  }

  return {
    plan: (facts, given) => {
      const standing = inForce(given);
      if (last && isSameBasis(last, { facts, standing })) return last.plan;
      // What was thought of when an owner was late has come about.
      const known = areSilentGone(standing)
        ? keptOfRest(facts, without(standing, ["silent"]))
        : undefined;
      last = known ? { ...known, standing } : make(facts, standing);
      return last.plan;
    },
    suspects: (facts, standing) => suspectsIn(inForce(standing), rest => planOfRest(facts, rest)),
  };
}

function namesOf({ members }: Standing): string {
  return members.map(({ node }) => node).join();
}

/** True if nobody answers for anything of those who are silent. */
function areSilentGone({ members, isGone }: Standing): boolean {
  return members.every(
    ({ node, health, claims }) =>
      health !== "silent" || claims.every(({ address }) => isGone(node, address)),
  );
}

/** Lists that are the same object have not changed: whoever makes them keeps them until they do. */
function isSameBasis(before: Basis, after: Basis): boolean {
  return (
    isSameCluster(before.facts, after.facts) && isSameStanding(before.standing, after.standing)
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

/**
 * Of owners that are not heard, what would be this node's: it is to be asked for on the wire. Of who is silent that is
 * what it will have if they are gone; who is late inherits, too, and may inherit from who is late as well.
 */
export function suspectsFor(facts: Facts, standing: Standing): Suspects {
  return suspectsIn(inForce(standing), rest => planFor(facts, rest));
}

function suspectsIn(standing: Standing, planOf: (rest: Standing) => Plan): Suspects {
  if (!standing.isActive) return new Map();
  const plans = new Map<Health, Plan>();
  const heirOf = (address: string, health: Health): string | undefined => {
    const lost = health === "late" ? (["late", "silent"] as const) : (["silent"] as const);
    return kept(plans, health, () => planOf(without(standing, lost))).addresses.get(address)?.owner;
  };
  const own = { node: standing.me, claims: standing.claims };
  return suspectsOf(standing.members, { own, heirOf });
}

/** True if this node takes part and all that it knows of do, too, and are heard. */
export function isSettled({ isActive, members }: Standing): boolean {
  return isActive && members.every(({ phase, health }) => phase === "active" && health === "heard");
}

/**
 * What became of the members. late: some are late, or heard again in time, and nothing else. silent: some fell silent.
 * turn: somebody came, went, is heard again or has another phase. news: nothing of that.
 */
export type Turn = "late" | "news" | "silent" | "turn";

export function turnOf(before: readonly Member[], after: readonly Member[]): Turn {
  const known = new Map(before.map(member => [member.node, member]));
  const changes = after.map((member): Turn => {
    const { node, health, phase } = member;
    const last = known.get(node);
    if (last?.phase !== phase) return "turn";
    if ((last.health === "silent") !== (health === "silent"))
      return health === "silent" ? "silent" : "turn";
    return isSameToPlan(last, member) ? "late" : "news";
  });
  if (before.length !== after.length || changes.includes("turn")) return "turn";
  return (["silent", "news"] as const).find(turn => changes.includes(turn)) ?? "late";
}

/**
 * How soon a plan is wanted. Whether who fell silent is gone the wire says: until then nothing is to be done, and what other
 * heirs take meanwhile is no reason to make this one wait for the processor.
 */
export function urgencyOf(turn: Exclude<Turn, "late">, suspicion: Suspicion): Urgency {
  if (turn === "turn" || (turn === "silent" && suspicion === "verdict")) return "now";
  return turn === "silent" || suspicion === "asked" ? "later" : "soon";
}

/** As if all were gone who are so. */
function without(standing: Standing, lost: readonly Health[]): Standing {
  return { ...standing, members: standing.members.filter(({ health }) => !lost.includes(health)) };
}
