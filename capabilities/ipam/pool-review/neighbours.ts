import {
  formatAddress,
  parseAddress,
  parseRange,
  rangeContains,
  rangesOverlap,
} from "../../config/address";
import type { AddressRange } from "../../config/address";
import { formatConfigError } from "../../config/config";
import { overlapBetween, parsePool } from "../../config/pool";
import type { Pool } from "../../config/pool";
import { objectName, originOf } from "../../config/raw-object";

/** What else in the cluster has addresses. */
export type Neighbours = {
  readonly nodes: readonly { readonly name: string; readonly addresses: readonly string[] }[];
  /** Prefixes that Services get their cluster addresses from. */
  readonly serviceCidrs: readonly string[];
  /** Prefixes that nodes give their Pods addresses from. */
  readonly podCidrs: readonly string[];
};

/** A pool with addresses of another one, in words; undefined if there is none. */
export function overlapRefusal(raw: unknown, others: readonly unknown[]): string | undefined {
  const mine = parsePool(raw);
  if (!mine.ok) return undefined;
  for (const other of others) {
    const theirs = parsePool(other);
    if (!theirs.ok || theirs.value.name === mine.value.name) continue;
    const overlap = overlapBetween(mine.value, theirs.value);
    if (!overlap || originOf(other) !== undefined) continue;
    return formatConfigError({
      object: objectName("IPAddressPool", raw),
      field: `spec.addresses[${overlap.index}]`,
      value: overlap.own,
      problem: `overlaps ${overlap.theirs} of IPAddressPool ${theirs.value.name}`,
      remedy: "take the addresses out of one of the two pools",
    });
  }
  return undefined;
}

/**
 * Warnings of a pool that has addresses which something else in the cluster uses already. Some networks are made
 * so on purpose, so it is not refused.
 */
export function neighbourWarnings(raw: unknown, neighbours: Neighbours): readonly string[] {
  const parsed = parsePool(raw);
  if (!parsed.ok) return [];
  const pool = parsed.value;
  const warn = (index: number, value: string, problem: string): string =>
    formatConfigError({
      object: objectName("IPAddressPool", raw),
      field: `spec.addresses[${index}]`,
      value,
      problem,
      remedy: "take those addresses out of the pool",
    });
  const texts = entriesOf(raw);
  const say = (index: number, problem: string): string => warn(index, texts[index] ?? "", problem);
  return [
    ...nodeClashes(pool, neighbours).map(({ index, problem }) => say(index, problem)),
    ...cidrClashes(pool, neighbours.serviceCidrs, "the cluster addresses of Services").map(
      ({ index, problem }) => say(index, problem),
    ),
    ...cidrClashes(pool, neighbours.podCidrs, "the addresses of Pods").map(({ index, problem }) =>
      say(index, problem),
    ),
  ];
}

type Clash = { readonly index: number; readonly problem: string };

function nodeClashes({ ranges }: Pool, { nodes }: Neighbours): readonly Clash[] {
  return nodes
    .flatMap(({ name, addresses }) =>
      addresses.flatMap((text): readonly Clash[] => {
        const address = parseAddress(text);
        const index = address ? ranges.findIndex(range => rangeContains(range, address)) : -1;
        if (!address || index < 0) return [];
        return [{ index, problem: `holds ${formatAddress(address)}, an address of node ${name}` }];
      }),
    )
    .slice(0, MOST_CLASHES);
}

/** As many of one sort as a reader will want to see. */
const MOST_CLASHES = 5;

function cidrClashes({ ranges }: Pool, cidrs: readonly string[], what: string): readonly Clash[] {
  return cidrs
    .flatMap((cidr): readonly Clash[] => {
      const other = parseRange(cidr);
      if ("error" in other) return [];
      const index = ranges.findIndex((range: AddressRange) => rangesOverlap(range, other));
      return index < 0 ? [] : [{ index, problem: `overlaps ${cidr}, ${what}` }];
    })
    .slice(0, MOST_CLASHES);
}

function entriesOf(raw: unknown): readonly string[] {
  return (raw as { readonly spec: { readonly addresses: readonly string[] } }).spec.addresses;
}
