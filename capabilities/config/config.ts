import { rangeContains } from "./address";
import type { IpAddress } from "./address";
import type { ConfigError, Parsed } from "./config-error";
import { mergeConfigMap } from "./config-map/merge";
import { ipAddressPoolResource } from "./kinds/ip-address-pool";
import { l2AdvertisementResource } from "./kinds/l2-advertisement";
import { parseL2Ad, resolvePools } from "./l2-ad";
import type { L2Ad, L2AdDraft } from "./l2-ad";
import { overlapBetween, parsePool } from "./pool";
import type { Pool } from "./pool";
import { readBgp } from "./bgp/bgp-config";
import type { BgpAd } from "./bgp/advertisement";
import type { BgpPeer } from "./bgp/peer";
import { duplicateName, objectName, originOf } from "./raw-object";

export { formatConfigError } from "./config-error";
export type { L2Ad } from "./l2-ad";
export type { Pool } from "./pool";

/** Everything that is configured and valid; frozen through and through. */
export type Config = {
  /** Sorted by name; no address is in two of them. */
  readonly pools: readonly Pool[];
  /** Sorted by name. */
  readonly l2Ads: readonly L2Ad[];
  /** Sorted by name. */
  readonly bgpPeers: readonly BgpPeer[];
  /** Sorted by name. */
  readonly bgpAds: readonly BgpAd[];
};

/** Untrusted objects, as a watch or a file has them, in any order. */
export type RawConfig = {
  readonly pools: readonly unknown[];
  readonly l2Ads: readonly unknown[];
  readonly bgpPeers?: readonly unknown[];
  readonly bgpAds?: readonly unknown[];
  readonly communities?: readonly unknown[];
  /** Undefined: not looked at. */
  readonly bfdProfiles?: readonly unknown[];
  /** Secrets that BGPPeers may name. */
  readonly secrets?: readonly unknown[];
  /** The ConfigMap of MetalLB 0.12 and older, if there is one. */
  readonly configMap?: unknown;
};

/** A configuration, and what had to be left out of it. */
export type ParsedConfig = {
  readonly config: Config;
  /** Parts of the ConfigMap that resources have taken the place of: not wrong, but to be cleaned up. */
  readonly notices: readonly ConfigError[];
} & ({ readonly ok: true } | { readonly ok: false; readonly errors: readonly ConfigError[] });

/**
 * Turns resources into a configuration. A wrong resource is left out and reported, and takes no other one down.
 * Of two pools that overlap the older one stays (by creation time, then by name), so that a new mistake does not
 * take addresses away from Services. What the ConfigMap says counts as younger than any resource. The result does
 * not depend on the order of the lists.
 */
export function parseConfig(raw: RawConfig): ParsedConfig {
  const { bgpPeers = [], bgpAds = [], communities = [], secrets = [] } = raw;
  const given = {
    ...{ IPAddressPool: raw.pools, L2Advertisement: raw.l2Ads },
    ...{ BGPPeer: bgpPeers, BGPAdvertisement: bgpAds, Community: communities },
    BFDProfile: raw.bfdProfiles ?? [],
  };
  const { resources, notices, errors: converted } = mergeConfigMap(given, raw.configMap);
  const pools = collect(ipAddressPoolResource.kind, resources.IPAddressPool, parsePool);
  const l2Ads = collect(l2AdvertisementResource.kind, resources.L2Advertisement, parseL2Ad);
  const apart = withoutOverlaps(pools.values);
  const bgp = readBgp(
    {
      peers: [...resources.BGPPeer].sort(byAge),
      ads: [...resources.BGPAdvertisement].sort(byAge),
      communities: [...resources.Community].sort(byAge),
      bfdProfiles: raw.bfdProfiles && [...resources.BFDProfile].sort(byAge),
      secrets,
    },
    apart.pools,
  );
  const config = deepFreeze({
    pools: apart.pools.sort(byName),
    ...{ bgpPeers: bgp.peers, bgpAds: bgp.ads },
    l2Ads: l2Ads.values.map(({ value }) => resolvePools(value, apart.pools)).sort(byName),
  });
  const errors = [
    ...[...converted, ...pools.errors, ...apart.errors],
    ...[...l2Ads.errors, ...bgp.errors],
  ].sort(byPlace);
  const result = { config, notices };
  return errors.length === 0 ? { ok: true, ...result } : { ok: false, errors, ...result };
}

/** The pool that an address is of, whether or not the pool would give it. */
export function poolOf(config: Config, address: IpAddress): Pool | undefined {
  return config.pools.find(pool => pool.ranges.some(range => rangeContains(range, address)));
}

type Named = { readonly name: string };
type Sourced<T> = { readonly value: T; readonly object: string };

function collect<T extends Pool | L2AdDraft>(
  kind: string,
  raws: readonly unknown[],
  parse: (raw: unknown) => Parsed<T>,
): { readonly values: readonly Sourced<T>[]; readonly errors: readonly ConfigError[] } {
  const values: Sourced<T>[] = [];
  const errors: ConfigError[] = [];
  const names = new Set<string>();
  for (const raw of [...raws].sort(byAge)) {
    const parsed = parse(raw);
    const object = objectName(kind, raw);
    if (!parsed.ok) errors.push(...parsed.errors);
    else if (names.has(parsed.value.name)) errors.push(duplicateName(object, parsed.value.name));
    else {
      names.add(parsed.value.name);
      values.push({ value: parsed.value, object });
    }
  }
  return { values, errors };
}

function withoutOverlaps(candidates: readonly Sourced<Pool>[]): {
  readonly pools: Pool[];
  readonly errors: readonly ConfigError[];
} {
  const pools: Pool[] = [];
  const errors: ConfigError[] = [];
  for (const { value: pool, object } of candidates) {
    const error = pools.map(other => overlapError(pool, other, object)).find(e => e !== undefined);
    if (error) errors.push(error);
    else pools.push(pool);
  }
  return { pools, errors };
}

function overlapError(pool: Pool, other: Pool, object: string): ConfigError | undefined {
  const overlap = overlapBetween(pool, other);
  if (!overlap) return undefined;
  return {
    object,
    field: `spec.addresses[${overlap.index}]`,
    value: overlap.own,
    problem: `overlaps ${overlap.theirs} of IPAddressPool ${other.name}`,
    remedy: "take the addresses out of one of the two pools",
  };
}

// The last key makes the order total for lists that no API server has checked for double names.
function byAge(a: unknown, b: unknown): number {
  return compare(ageKey(a), ageKey(b));
}

function ageKey(raw: unknown): string {
  const { metadata } = (raw ?? {}) as {
    metadata?: { creationTimestamp?: unknown; name?: unknown };
  };
  const created = metadata?.creationTimestamp;
  const time = created instanceof Date ? created.toISOString() : created;
  // RFC 3339 with whole seconds, as the API server writes it, or the same with milliseconds.
  const written = typeof time === "string" ? time.replace(/(\.\d+)?Z$/, "") : "~";
  const age = originOf(raw) === undefined ? written : "~~";
  return [age, String(metadata?.name), JSON.stringify(raw) ?? ""].join("\0");
}

function byName(a: Named, b: Named): number {
  return compare(a.name, b.name);
}

function byPlace(a: ConfigError, b: ConfigError): number {
  return compare(a.object, b.object) || compare(a.field, b.field) || compare(a.problem, b.problem);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
