import { rankCandidates } from "./election";
import type { Candidate } from "./election";
import type { Contest, Group } from "./placement";
import type { Plan } from "./plan";

/** One planned move that makes the spread more even: a group, that is, all addresses of it at once. */
export type Rebalance = {
  readonly addresses: readonly string[];
  readonly from: string;
  readonly to: string;
  /** A sentence without a full stop. */
  readonly cause: string;
};

/**
 * The move that evens out most: from the node with the most groups to one with at least two fewer that may have all of
 * the group and is preferred as much. Undefined when there is none; then nothing moves until something changes. Nodes that see the
 * same choose the same.
 */
export function nextRebalance({ addresses, groups }: Plan): Rebalance | undefined {
  const ownerOf = (address: string): string | undefined => addresses.get(address)?.owner;
  const owned = groups.flatMap(group => {
    const owner = soleOwner(group, ownerOf);
    return owner === undefined ? [] : [{ group, owner }];
  });
  const load = new Map<string, number>();
  for (const { owner } of owned) load.set(owner, (load.get(owner) ?? 0) + 1);
  const loadOf = (node: string): number => load.get(node) ?? 0;
  const moves = owned.flatMap(({ group, owner }) => {
    const to = isCandidate(group, owner) ? lightest(group, loadOf) : undefined;
    return to === undefined ? [] : [{ group, from: owner, to, gain: loadOf(owner) - loadOf(to) }];
  });
  const most = Math.max(...moves.map(({ gain }) => gain));
  const best = moves.find(({ gain }) => gain === most && gain >= 2);
  if (!best) return undefined;
  const { group, from, to } = best;
  const cause = `rebalance: ${from} had ${loadOf(from)} and ${to} ${loadOf(to)}`;
  return { addresses: group.contests.map(({ address }) => address), from, to, cause };
}

/** The node that owns all of a group. */
function soleOwner(
  { contests }: Group,
  ownerOf: (address: string) => string | undefined,
): string | undefined {
  const owners = new Set(contests.map(({ address }) => ownerOf(address)));
  const [first] = owners;
  return owners.size === 1 ? first : undefined;
}

/** Of the nodes that may have all of the group, the one with the fewest; of equal ones the first by hash. */
function lightest(group: Group, loadOf: (node: string) => number): string | undefined {
  const [first] = group.contests;
  if (!first) return undefined;
  const nodes = bestOf(first).filter(({ node }) => isCandidate(group, node));
  const ranked = rankCandidates(nodes, group.key).map(({ node }) => node);
  const least = Math.min(...ranked.map(loadOf));
  return ranked.find(node => loadOf(node) === least);
}

function isCandidate({ contests }: Group, node: string): boolean {
  return contests.every(contest => bestOf(contest).some(one => one.node === node));
}

function bestOf({ candidates }: Contest): readonly Candidate[] {
  const best = Math.max(...candidates.map(({ score }) => score));
  return candidates.filter(({ score }) => score === best);
}
