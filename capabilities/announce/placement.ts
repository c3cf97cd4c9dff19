import { rankCandidates } from "./election";
import type { Candidate } from "./election";
import type { Holder } from "./holders";
import { keptFor } from "./kept";

/**
 * How addresses are given to nodes. spread: whoever answers goes on, and what nobody answers for goes to the
 * node with the fewest. hash: MetalLB's, the first of `rankCandidates` whatever was before.
 */
export type Placement = "spread" | "hash";

/** An address, the nodes that may answer for it, and those that do now. */
export type Contest = {
  readonly address: string;
  readonly candidates: readonly Candidate[];
  readonly holders: readonly Holder[];
};

/** Addresses that belong on one node where the same nodes may answer for them; `key` is the first of them. */
export type Group = { readonly key: string; readonly contests: readonly Contest[] };

/**
 * Decides who answers for each address; addresses without candidates are left out. Nodes that see the same
 * decide the same. A higher score always wins: it is an administrator's wish.
 *
 * @param groups in an order that is the same everywhere
 * @param load how many groups each node has beside these
 */
export function placeAddresses(
  groups: readonly Group[],
  placement: Placement,
  load: ReadonlyMap<string, number> = NO_LOAD,
): ReadonlyMap<string, string> {
  return placement === "hash" ? placeByHash(groups) : placeSpread(groups, load);
}

const NO_LOAD: ReadonlyMap<string, number> = new Map();

function placeByHash(groups: readonly Group[]): ReadonlyMap<string, string> {
  return new Map(
    groups.flatMap(({ key, contests }) =>
      contests.flatMap(({ address, candidates }): [string, string][] => {
        const [first] = rankCandidates(candidates, key);
        return first ? [[address, first.node]] : [];
      }),
    ),
  );
}

/** Those who answer first, so that all that is new sees how much everybody has. */
function placeSpread(
  groups: readonly Group[],
  before: ReadonlyMap<string, number>,
): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  const load = new Map(before);

  /** Gives a node what it may have of these; the rest is returned. */
  function give(node: string, contests: readonly Contest[]): readonly Contest[] {
    for (const contest of contests) if (isFor(contest, node)) owners.set(contest.address, node);
    load.set(node, (load.get(node) ?? 0) + 1);
    return contests.filter(contest => !isFor(contest, node));
  }

  const open = groups.map(({ key, contests }) => {
    let rest: readonly Contest[] = contests.map(withBestOnly);
    for (let node = keeper(rest, key); node !== undefined; node = keeper(rest, key)) {
      rest = give(node, rest);
    }
    return { key, contests: rest };
  });
  for (const { key, contests } of open) {
    let rest = contests.filter(({ candidates }) => candidates.length > 0);
    for (let [first] = rest; first; [first] = rest) {
      rest = [...give(leastLoaded(first.candidates, load, key), rest)];
    }
  }
  return owners;
}

/**
 * The holder that keeps a group: who took an address last, since it knew of the one before and not the other
 * way round; then who has more of it; then by hash. Both sides of a duel compute the same.
 */
function keeper(contests: readonly Contest[], key: string): string | undefined {
  const [first, ...others] = contests;
  if (!first) return undefined;
  if (others.length === 0 && first.holders.length < 2) {
    // At rest it is so with every address.
    const [holder] = first.holders;
    return holder && isFor(first, holder.node) ? holder.node : undefined;
  }
  const held = new Map<string, { readonly epoch: number; readonly count: number }>();
  for (const contest of contests) {
    for (const { node, epoch } of contest.holders.filter(holder => isFor(contest, holder.node))) {
      const known = held.get(node) ?? { epoch: 0, count: 0 };
      held.set(node, { epoch: Math.max(known.epoch, epoch), count: known.count + 1 });
    }
  }
  const ranked = rankCandidates(
    [...held.keys()].map(node => ({ node, score: 0 })),
    key,
  ).map(({ node }) => ({ node, ...(held.get(node) ?? { epoch: 0, count: 0 }) }));
  return ranked.sort((a, b) => b.epoch - a.epoch || b.count - a.count)[0]?.node;
}

function leastLoaded(
  candidates: readonly Candidate[],
  load: ReadonlyMap<string, number>,
  key: string,
): string {
  const loads = candidates.map(({ node }) => load.get(node) ?? 0);
  const least = Math.min(...loads);
  return (
    rankCandidates(
      candidates.filter((_, at) => loads[at] === least),
      key,
    )[0]?.node ?? ""
  );
}

function withBestOnly(contest: Contest): Contest {
  const candidates = bestOf(contest.candidates);
  return candidates === contest.candidates ? contest : { ...contest, candidates };
}

/** Of a thousand addresses most have the same candidates. */
const bestOf = keptFor((candidates: readonly Candidate[]): readonly Candidate[] => {
  const best = Math.max(...candidates.map(({ score }) => score));
  const found = candidates.filter(({ score }) => score === best);
  return found.length === candidates.length ? candidates : found;
});

function isFor({ candidates }: Contest, node: string): boolean {
  return candidates.some(candidate => candidate.node === node);
}
