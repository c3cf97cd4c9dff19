import { formatRange, parseRange, rangesOverlap } from "./address";
import type { AddressRange } from "./address";
import type { Parsed } from "./config-error";
import { ipAddressPoolResource, ipAddressPoolSchema } from "./kinds/ip-address-pool";
import type { IPAddressPool } from "./kinds/ip-address-pool";
import { objectName, readObject } from "./raw-object";
import { matchesSelector } from "./selector";
import type { LabelSelector } from "./selector";
import { parseReclaimAfter, reclaimFindings } from "./reclaim-after";
import { duplicates, selectorFindings } from "./selector-rules";
import type { Finding } from "./selector-rules";
import { parseSharing, sharingFindings } from "./sharing-guard";
import type { SharingGuard } from "./sharing-guard";

/** Which Services a pool is for. All three lists empty: every Service. */
type ServiceAllocation = {
  /** The lowest number is tried first; 0 comes after all others. */
  readonly priority: number;
  readonly namespaces: readonly string[];
  readonly namespaceSelectors: readonly LabelSelector[];
  readonly serviceSelectors: readonly LabelSelector[];
};

/** A validated IPAddressPool. */
export type Pool = {
  readonly name: string;
  /** In the order of `spec.addresses`; no two of them overlap. */
  readonly ranges: readonly AddressRange[];
  readonly autoAssign: boolean;
  readonly avoidBuggyIPs: boolean;
  readonly serviceAllocation?: ServiceAllocation;
  readonly labels: Readonly<Record<string, string>>;
  /** How long a freed address is kept for the Service that had it, in ms. */
  readonly reclaimAfterMs: number;
  /** Who may join those who hold an address; a pool whose annotation makes no sense is left out. */
  readonly sharing: SharingGuard;
};

/** Reads one IPAddressPool by itself; overlaps with other pools are `parseConfig`'s to find. */
export function parsePool(raw: unknown): Parsed<Pool> {
  const read = readObject(ipAddressPoolSchema, ipAddressPoolResource.kind, raw);
  if (!read.ok) return read;
  const { metadata, spec } = read.value;
  const ranges = spec.addresses.map(parseRange);
  const findings = [
    ...nameFindings(metadata.name),
    ...ranges.flatMap((range, i) => rangeFinding(range, spec.addresses[i], i)),
    ...overlapFindings(ranges, spec.addresses),
    ...allocationFindings(spec.serviceAllocation),
    ...reclaimFindings(metadata.annotations),
    ...sharingFindings(metadata.annotations),
  ];
  if (findings.length > 0) {
    const object = objectName(ipAddressPoolResource.kind, raw);
    return { ok: false, errors: findings.map(finding => ({ object, ...finding })) };
  }
  return { ok: true, value: poolFrom(read.value, ranges.filter(isRange)) };
}

function poolFrom({ metadata, spec }: IPAddressPool, ranges: readonly AddressRange[]): Pool {
  const { autoAssign, avoidBuggyIPs, serviceAllocation } = spec;
  const pool = {
    name: metadata.name ?? "",
    ranges,
    autoAssign,
    avoidBuggyIPs,
    labels: metadata.labels ?? {},
    sharing: parseSharing(metadata.annotations) ?? "namespace",
    reclaimAfterMs: parseReclaimAfter(metadata.annotations) ?? 0,
  };
  if (!serviceAllocation) return pool;
  const { priority = 0, namespaces = [] } = serviceAllocation;
  const { namespaceSelectors = [], serviceSelectors = [] } = serviceAllocation;
  return {
    ...pool,
    serviceAllocation: { priority, namespaces, namespaceSelectors, serviceSelectors },
  };
}

/** An object that has no name yet (generateName) cannot be referred to; only a config file holds one. */
export function nameFindings(name: string | undefined): readonly Finding[] {
  if (name) return [];
  return [{ field: "metadata.name", value: name, problem: "is missing", remedy: "give it a name" }];
}

type MaybeRange = ReturnType<typeof parseRange>;

function isRange(range: MaybeRange): range is AddressRange {
  return !("error" in range);
}

function rangeFinding(range: MaybeRange, value: unknown, index: number): readonly Finding[] {
  if (isRange(range)) return [];
  const field = `spec.addresses[${index}]`;
  return [{ field, value, problem: range.error, remedy: range.remedy }];
}

function overlapFindings(
  ranges: readonly MaybeRange[],
  addresses: readonly string[],
): readonly Finding[] {
  return ranges.flatMap((range, i) => {
    if (!isRange(range)) return [];
    const earlier = ranges.findIndex((o, j) => j < i && isRange(o) && rangesOverlap(o, range));
    if (earlier === -1) return [];
    const problem = `overlaps spec.addresses[${earlier}] "${addresses[earlier] ?? ""}"`;
    const remedy = "write each address once";
    return [{ field: `spec.addresses[${i}]`, value: addresses[i], problem, remedy }];
  });
}

function allocationFindings(
  allocation: IPAddressPool["spec"]["serviceAllocation"],
): readonly Finding[] {
  if (!allocation) return [];
  const field = "spec.serviceAllocation";
  return [
    ...duplicates(allocation.namespaces, `${field}.namespaces`, name => name),
    ...selectorFindings(allocation.namespaceSelectors, `${field}.namespaceSelectors`),
    ...selectorFindings(allocation.serviceSelectors, `${field}.serviceSelectors`),
  ];
}

/** The first of a pool's ranges that overlaps one of another pool's, as texts for a message. */
export function overlapBetween(
  pool: Pool,
  other: Pool,
): { readonly index: number; readonly own: string; readonly theirs: string } | undefined {
  for (const [index, range] of pool.ranges.entries()) {
    const theirs = other.ranges.find(candidate => rangesOverlap(candidate, range));
    if (theirs) return { index, own: formatRange(range), theirs: formatRange(theirs) };
  }
  return undefined;
}

/**
 * Names of the pools that an advertisement means, sorted: those that it names and those that its selectors match;
 * all, if it has neither.
 */
export function meantPools(
  by: {
    readonly names: readonly string[] | undefined;
    readonly selectors: readonly LabelSelector[] | undefined;
  },
  pools: readonly Pool[],
): readonly string[] {
  const { names = [], selectors = [] } = by;
  const isMeant = ({ name, labels }: Pool): boolean =>
    names.includes(name) || selectors.some(selector => matchesSelector(selector, labels));
  const all = names.length === 0 && selectors.length === 0;
  return pools
    .filter(pool => all || isMeant(pool))
    .map(({ name }) => name)
    .sort();
}
