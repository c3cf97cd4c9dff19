import type { AddressRange, Family } from "../address";
import { formatRange } from "../address";
import { rangeToCidrs } from "../cidrs";
import type { Parsed } from "../config-error";
import { bgpAdvertisementResource } from "../kinds/bgp-advertisement";
import type { BGPAdvertisement } from "../kinds/bgp-advertisement";
import { meantPools, nameFindings } from "../pool";
import type { Pool } from "../pool";
import { objectName } from "../raw-object";
import type { LabelSelector } from "../selector";
import type { Finding } from "../selector-rules";
import { parseBgpAdvertisement } from "../validators/bgp";
import { resolveCommunities } from "./communities";
import type { Aliases, Communities } from "./communities";
import { weighsEndpoints } from "./weight";

/** Which addresses are advertised to which routers, and how. */
export type BgpAd = Communities & {
  readonly name: string;
  /** Names of the pools, resolved and sorted; empty: none. */
  readonly pools: readonly string[];
  /** Length of the advertised prefixes; 32 and 128 advertise each address. */
  readonly aggregationLength: Readonly<Record<Family, number>>;
  readonly localPref?: number;
  /** Names of peers; empty: all. */
  readonly peers: readonly string[];
  /** Nodes that advertise; empty: all. */
  readonly nodeSelectors: readonly LabelSelector[];
  /** Routes say how many endpoints the node has. */
  readonly weighsEndpoints: boolean;
  /** Services that are advertised; empty: all that have an address of the pools. */
  readonly serviceSelectors: readonly LabelSelector[];
};

/** Reads one BGPAdvertisement beside the pools and the names of communities. */
export function readBgpAd(
  raw: unknown,
  { pools, aliases }: { readonly pools: readonly Pool[]; readonly aliases: Aliases },
): Parsed<BgpAd> {
  const read = parseBgpAdvertisement(raw);
  if (!read.ok) return read;
  const { metadata, spec } = read.value;
  const object = objectName(bgpAdvertisementResource.kind, raw);
  const communities = resolveCommunities(spec.communities ?? [], aliases, object);
  const by = { names: spec.ipAddressPools, selectors: spec.ipAddressPoolSelectors };
  const names = meantPools(by, pools);
  const findings = [
    ...nameFindings(metadata.name),
    ...selectedFindings(spec),
    ...pools
      .filter(({ name }) => names.includes(name))
      .flatMap(pool => aggregationFindings(spec, pool)),
  ].map(finding => ({ object, ...finding }));
  if (!communities.ok) return { ok: false, errors: [...findings, ...communities.errors] };
  if (findings.length > 0) return { ok: false, errors: findings };
  const ad = { name: metadata.name ?? "", pools: names, ...communities.value };
  const weighs = weighsEndpoints(metadata.annotations);
  return { ok: true, value: { ...ad, ...termsOf(spec), weighsEndpoints: weighs } };
}

function termsOf(
  spec: BGPAdvertisement["spec"],
): Omit<BgpAd, "name" | "pools" | "weighsEndpoints" | keyof Communities> {
  const { localPref, peers = [], nodeSelectors = [], serviceSelectors = [] } = spec;
  return {
    aggregationLength: { ipv4: spec.aggregationLength, ipv6: spec.aggregationLengthV6 },
    ...(localPref === undefined ? {} : { localPref }),
    ...{ peers, nodeSelectors, serviceSelectors },
  };
}

/** The API server checks this by CEL, too; what comes from a file has never been there. */
function selectedFindings(spec: BGPAdvertisement["spec"]): readonly Finding[] {
  const isWhole = spec.aggregationLength === 32 && spec.aggregationLengthV6 === 128;
  if (isWhole || !spec.serviceSelectors?.length) return [];
  const field = spec.aggregationLength === 32 ? "aggregationLengthV6" : "aggregationLength";
  return [
    {
      field: `spec.${field}`,
      value: spec[field],
      problem: "would carry Services that serviceSelectors leave out",
      remedy: "remove it, or remove serviceSelectors",
    },
  ];
}

const FIELDS = { ipv4: "aggregationLength", ipv6: "aggregationLengthV6" } as const;

/**
 * A prefix wider than what a pool owns would draw in traffic for others. MetalLB's rule: no wider than the widest
 * prefix of each entry.
 */
function aggregationFindings(spec: BGPAdvertisement["spec"], pool: Pool): readonly Finding[] {
  return pool.ranges.flatMap((range): readonly Finding[] => {
    const field = FIELDS[range.family];
    const widest = widestLength(range);
    if (spec[field] >= widest) return [];
    return [
      {
        field: `spec.${field}`,
        value: spec[field],
        problem: `is wider than ${formatRange(range)} of IPAddressPool ${pool.name}`,
        remedy: `write at least ${widest}`,
      },
    ];
  });
}

function widestLength(range: AddressRange): number {
  return Math.min(...rangeToCidrs(range).map(({ length }) => length));
}
