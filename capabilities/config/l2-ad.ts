import type { Parsed } from "./config-error";
import { l2AdvertisementResource, l2AdvertisementSchema } from "./kinds/l2-advertisement";
import type { L2Advertisement } from "./kinds/l2-advertisement";
import type { Pool } from "./pool";
import { meantPools, nameFindings } from "./pool";
import { objectName, readObject } from "./raw-object";
import { matchesAny, matchesSelector } from "./selector";
import type { LabelSelector } from "./selector";
import { duplicates, inSelector, selectorFindings } from "./selector-rules";
import type { Finding } from "./selector-rules";

/** Nodes that announce rather than others, and how much rather (1 … 100). */
type PreferredNode = { readonly weight: number; readonly preference: LabelSelector };

/** A validated L2Advertisement. */
export type L2Ad = {
  readonly name: string;
  /** Names of the pools it announces, resolved and sorted; empty: none. */
  readonly pools: readonly string[];
  /** Nodes that may announce; empty: all. */
  readonly nodeSelectors: readonly LabelSelector[];
  /** Interfaces that announce; empty: all that can. */
  readonly interfaces: readonly string[];
  /** Services that are announced; empty: all that hold an address of the pools. */
  readonly serviceSelectors: readonly LabelSelector[];
  readonly preferredNodes: readonly PreferredNode[];
};

/** An L2Advertisement before its pools are known. */
export type L2AdDraft = Omit<L2Ad, "pools"> & {
  readonly poolNames: readonly string[];
  readonly poolSelectors: readonly LabelSelector[];
};

/** Reads one L2Advertisement by itself. */
export function parseL2Ad(raw: unknown): Parsed<L2AdDraft> {
  const read = readObject(l2AdvertisementSchema, l2AdvertisementResource.kind, raw);
  if (!read.ok) return read;
  const findings = [...nameFindings(read.value.metadata.name), ...specFindings(read.value.spec)];
  if (findings.length > 0) {
    const object = objectName(l2AdvertisementResource.kind, raw);
    return { ok: false, errors: findings.map(finding => ({ object, ...finding })) };
  }
  return { ok: true, value: draftFrom(read.value) };
}

/**
 * The advertisement with the pools that it means: those it names and those that its selectors match; all, if it
 * has neither. A name of no pool is not an error, since pools and advertisements are applied in any order.
 */
export function resolvePools(draft: L2AdDraft, pools: readonly Pool[]): L2Ad {
  const { poolNames, poolSelectors, ...ad } = draft;
  return { ...ad, pools: meantPools({ names: poolNames, selectors: poolSelectors }, pools) };
}

/**
 * How much the advertisement prefers a node with these labels: the sum of the weights that match, 0 for a
 * node that it does not allow. Several advertisements of one Service add up.
 */
export function preferenceFor(ad: L2Ad, nodeLabels: Readonly<Record<string, string>>): number {
  if (!matchesAny(ad.nodeSelectors, nodeLabels)) return 0;
  return ad.preferredNodes
    .filter(({ preference }) => matchesSelector(preference, nodeLabels))
    .reduce((sum, { weight }) => sum + weight, 0);
}

function specFindings(spec: L2Advertisement["spec"]): readonly Finding[] {
  return [
    ...duplicates(spec.ipAddressPools, "spec.ipAddressPools", name => name),
    ...selectorFindings(spec.ipAddressPoolSelectors, "spec.ipAddressPoolSelectors"),
    ...selectorFindings(spec.nodeSelectors, "spec.nodeSelectors"),
    ...selectorFindings(spec.serviceSelectors, "spec.serviceSelectors"),
    ...(spec.preferredNodeSelectors ?? []).flatMap(({ preference }, i) =>
      inSelector(preference, `spec.preferredNodeSelectors[${i}].preference`),
    ),
  ];
}

function draftFrom({ metadata, spec }: L2Advertisement): L2AdDraft {
  return {
    name: metadata.name ?? "",
    poolNames: spec.ipAddressPools ?? [],
    poolSelectors: spec.ipAddressPoolSelectors ?? [],
    nodeSelectors: spec.nodeSelectors ?? [],
    interfaces: [...new Set(spec.interfaces ?? [])],
    serviceSelectors: spec.serviceSelectors ?? [],
    preferredNodes: spec.preferredNodeSelectors ?? [],
  };
}
