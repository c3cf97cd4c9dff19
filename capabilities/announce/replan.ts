import type { Candidate } from "./election";
import type { Refusal } from "./eligibility";
import { kept } from "./kept";
import type { Contest, Group } from "./placement";
import { planAddresses } from "./plan";
import type { Plan, PlanInput, Verdict } from "./plan";

/** A plan, and what it was made of. */
export type Planned = { readonly input: PlanInput; readonly plan: Plan };

/**
 * The plan for what differs from the last one only in who answers for what, and by nodes that are not alive any more:
 * the same as a plan made anew, with less work, since only groups that this can change are thought about.
 *
 * @returns undefined if more is different
 */
export function replanAddresses(last: Planned, input: PlanInput): Plan | undefined {
  const gone = goneBetween(last.input, input);
  if (!gone || !isSameCluster(last.input, input)) return undefined;
  const { plan } = last;
  const others = [...last.input.interfaces.keys(), ...input.interfaces.keys()];
  const changed = others.filter(name => !hasSameInterfaces(name, last.input, input));
  const doubtful = new Set([...gone, ...changed]);
  const { open, load } = sortOut(plan, { gone, doubtful, holders: input.holders });
  const isOpen = (address: string): boolean => open.has(address);
  const services = input.services.filter(({ addresses }) => addresses.some(isOpen));
  const part = planAddresses({ ...input, services, load });
  const names = input.nodes.map(({ name }) => name).filter(name => gone.has(name));
  const without = lessNodes(names);
  return {
    addresses: new Map([
      ...[...plan.addresses].filter(([address]) => !isOpen(address)),
      ...part.addresses,
    ]),
    // Both have the same order.
    verdicts: merge(plan.verdicts, part.verdicts, one => isOpen(one.address), without.verdict),
    groups: merge(
      plan.groups,
      part.groups,
      ({ contests }) => contests.some(({ address }) => isOpen(address)),
      without.group,
    ),
  };
}

/** Nodes that were alive; undefined if others are alive that were not, or one of these has other interfaces. */
function goneBetween(before: PlanInput, after: PlanInput): ReadonlySet<string> | undefined {
  if (before.alive === "unknown" || after.alive === "unknown") return undefined;
  const [was, is] = [before.alive, after.alive];
  const isSame = [...is].every(name => was.has(name) && hasSameInterfaces(name, before, after));
  return isSame ? new Set([...was].filter(name => !is.has(name))) : undefined;
}

function hasSameInterfaces(name: string, before: PlanInput, after: PlanInput): boolean {
  return before.interfaces.get(name)?.join() === after.interfaces.get(name)?.join();
}

/** What the cluster says, but for the time. */
type Cluster = Pick<
  PlanInput,
  "config" | "services" | "nodes" | "placement" | "ignoreExcludeLabel"
>;

/** True if it says the same as before, whatever the time: a node that is not Ready is judged by how long it is so. */
export function isSameCluster(before: Cluster, after: Cluster): boolean {
  return (
    after.nodes.every(({ notReadySince }) => notReadySince === undefined) &&
    before.config === after.config &&
    before.services === after.services &&
    before.nodes === after.nodes &&
    before.placement === after.placement &&
    before.ignoreExcludeLabel === after.ignoreExcludeLabel
  );
}

type Change = Pick<PlanInput, "holders"> & {
  readonly gone: ReadonlySet<string>;
  /** Nodes that may not be what they were as holders that are not alive. */
  readonly doubtful: ReadonlySet<string>;
};

/** The addresses to be placed anew, and how many groups each node has of the others. */
function sortOut(
  plan: Plan,
  change: Change,
): { readonly open: ReadonlySet<string>; readonly load: ReadonlyMap<string, number> } {
  const open = new Set<string>();
  const load = new Map<string, number>();
  const isAffected = affectedBy(plan, change);
  for (const { contests } of plan.groups) {
    if (contests.some(isAffected)) contests.forEach(({ address }) => open.add(address));
    else {
      const owners = contests.flatMap(({ address }) => plan.addresses.get(address)?.owner ?? []);
      for (const node of new Set(owners)) load.set(node, (load.get(node) ?? 0) + 1);
    }
  }
  return { open, load };
}

/**
 * An address that its owner answers for stays with it, as long as the same nodes answer and are alive: with fewer nodes
 * the best of its candidates are the same ones less those that are gone.
 */
function affectedBy(plan: Plan, change: Change): (contest: Contest) => boolean {
  const { gone, doubtful } = change;
  const isSaidAnew = gone.size === 0 ? () => false : namesNodesIn(plan);
  return ({ address, holders: before }) => {
    const holders = change.holders.get(address) ?? [];
    if (!isSameHolders(before, holders)) return true;
    const owner = plan.addresses.get(address)?.owner;
    const isHeld = owner === undefined || holders.some(({ node }) => node === owner);
    return !isHeld || holders.some(({ node }) => doubtful.has(node)) || isSaidAnew(address);
  };
}

/**
 * Addresses of which it may be said otherwise which nodes are refused, though they stay where they are: one of several
 * Services may have lost all that can deliver it, and who has no owner may have a sentence that names each node.
 */
function namesNodesIn({ verdicts }: Plan): (address: string) => boolean {
  const sole = new Map<string, boolean>();
  for (const { address, owner, refusals } of verdicts)
    sole.set(address, !sole.has(address) && (owner !== undefined || refusals.size === 0));
  return address => sole.get(address) !== true;
}

function isSameHolders(before: Contest["holders"], after: Contest["holders"]): boolean {
  return (
    before.length === after.length &&
    before.every(({ node, epoch }, at) => node === after[at]?.node && epoch === after[at].epoch)
  );
}

type LessNodes = {
  readonly verdict: (verdict: Verdict) => Verdict;
  readonly group: (group: Group) => Group;
};

/** What is said of others where these nodes are not alive any more. Most of it is shared by many addresses. */
function lessNodes(names: readonly string[]): LessNodes {
  if (names.length === 0) return { verdict: one => one, group: one => one };
  const candidatesOf = new Map<readonly Candidate[], readonly Candidate[]>();
  const refusalsOf = new Map<Verdict["refusals"], Verdict["refusals"]>();
  const fewer = (all: readonly Candidate[]): readonly Candidate[] =>
    kept(candidatesOf, all, () => all.filter(({ node }) => !names.includes(node)));
  const more = (refusals: Verdict["refusals"]): Verdict["refusals"] =>
    kept(refusalsOf, refusals, () => {
      const dead = names.map((name): [string, Refusal] => [name, "notAlive"]);
      return new Map([...refusals, ...dead]);
    });
  return {
    // Without an owner nothing was said of any node.
    verdict: one => (one.owner === undefined ? one : { ...one, refusals: more(one.refusals) }),
    group: ({ key, contests }) => ({
      key,
      contests: contests.map(one => ({ ...one, candidates: fewer(one.candidates) })),
    }),
  };
}

/** The first list with those that are anew from the second, one for one. */
function merge<T>(
  all: readonly T[],
  anew: readonly T[],
  isNew: (one: T) => boolean,
  keep: (one: T) => T,
): readonly T[] {
  const next = anew.values();
  return all.map(one => {
    if (!isNew(one)) return keep(one);
    const { value } = next.next();
    return value ?? one;
  });
}
