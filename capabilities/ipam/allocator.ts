import type { AddressRange, Family, IpAddress } from "../config/address";
import type { Pool } from "../config/config";
import type { WantedFamilies } from "./families";
import { isAvoided } from "./pool-choice";

/** An address and the pool it is of. */
export type Choice = { readonly address: IpAddress; readonly pool: Pool };

/** For one family, the pools to draw an address from, in this order. */
export type Draw = { readonly family: Family; readonly pools: readonly Pool[] };

/** What must be drawn together to serve a Service: one address per entry. */
export type Plan = readonly Draw[];

/** What the allocator must know about addresses that are in use. */
export type TakenAddresses = {
  /** The lowest address >= `from` that nobody holds; undefined if the family has none left. */
  nextFree(family: Family, from: bigint): bigint | undefined;
};

/**
 * The ways to serve a Service, the best first: all families from one pool; else each from the first
 * pool that has one; else, if the Service prefers but does not require both, one family alone, its
 * primary one first.
 */
export function plansFor(
  { families, all }: WantedFamilies,
  pools: readonly Pool[],
): readonly Plan[] {
  const drawAll = (from: readonly Pool[]): Plan =>
    families.map(family => ({ family, pools: from }));
  const together = families.length > 1 && pools.length > 1;
  const onePool = together ? pools.map(pool => drawAll([pool])) : [];
  const single = all || families.length === 1 ? [] : families.map(family => [{ family, pools }]);
  return [...onePool, drawAll(pools), ...single].filter(isPossible);
}

/**
 * The free addresses of a draw, lazily, the lowest of the first pool first; the first `headStart` of a pool come after
 * its others. The same input gives the same sequence. Each step costs a search in `taken`, however large and
 * full the pools are.
 */
export function* candidates(draw: Draw, taken: TakenAddresses, headStart = 0): Generator<Choice> {
  for (const pool of draw.pools) {
    const passed: Choice[] = [];
    for (const choice of freeOf(pool, draw.family, taken)) {
      if (passed.length < headStart) passed.push(choice);
      else yield choice;
    }
    yield* passed.filter(({ address: { family, value } }) => {
      return taken.nextFree(family, value) === value;
    });
  }
}

function* freeOf(pool: Pool, family: Family, taken: TakenAddresses): Generator<Choice> {
  for (const range of sortedRanges(pool, family)) yield* freeIn(range, pool, taken);
}

function* freeIn(range: AddressRange, pool: Pool, taken: TakenAddresses): Generator<Choice> {
  const { family } = range;
  let value = taken.nextFree(family, range.first);
  while (value !== undefined && value <= range.last) {
    const address = { family, value };
    if (!isAvoided(pool, address)) yield { address, pool };
    value = taken.nextFree(family, value + 1n);
  }
}

function isPossible(plan: Plan): boolean {
  return plan.every(({ family, pools }) =>
    pools.some(pool => pool.ranges.some(range => range.family === family)),
  );
}

const rangesOfPool = new WeakMap<Pool, ReadonlyMap<Family, readonly AddressRange[]>>();

/** A pool's ranges of one family in the order of their addresses, adjacent ones joined. */
function sortedRanges(pool: Pool, family: Family): readonly AddressRange[] {
  const known = rangesOfPool.get(pool);
  if (known) return known.get(family) ?? [];
  const sorted = new Map([joined(pool, "ipv4"), joined(pool, "ipv6")]);
  rangesOfPool.set(pool, sorted);
  return sorted.get(family) ?? [];
}

function joined(pool: Pool, family: Family): [Family, readonly AddressRange[]] {
  const result: AddressRange[] = [];
  const own = pool.ranges.filter(range => range.family === family);
  for (const range of own.sort((a, b) => (a.first < b.first ? -1 : 1))) {
    const previous = result.at(-1);
    if (previous && previous.last + 1n >= range.first) {
      const last = previous.last > range.last ? previous.last : range.last;
      result[result.length - 1] = { ...previous, last };
    } else result.push(range);
  }
  return [family, result];
}
