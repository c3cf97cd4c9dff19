import type { ConfigError, Parsed } from "../config-error";
import { bgpAdvertisementResource } from "../kinds/bgp-advertisement";
import { bgpPeerResource } from "../kinds/bgp-peer";
import type { Pool } from "../pool";
import { duplicateName, objectName } from "../raw-object";
import { readBgpAd } from "./advertisement";
import type { BgpAd } from "./advertisement";
import { readBfdProfiles } from "./bfd-profile";
import { readAliases } from "./communities";
import { readPeer } from "./peer";
import type { BgpPeer } from "./peer";

/** Untrusted objects, the oldest first. */
export type RawBgp = {
  readonly peers: readonly unknown[];
  readonly ads: readonly unknown[];
  readonly communities: readonly unknown[];
  /** Undefined: not looked at, and no peer is blamed for naming one. */
  readonly bfdProfiles?: readonly unknown[] | undefined;
  /** Secrets that peers may name, in any order. */
  readonly secrets: readonly unknown[];
};

/** What is valid, sorted by name, and what had to be left out. */
export type BgpConfig = {
  readonly peers: readonly BgpPeer[];
  readonly ads: readonly BgpAd[];
  readonly errors: readonly ConfigError[];
};

/** Reads the BGP part of a configuration; what names something that is not there yet waits for it. */
export function readBgp(raw: RawBgp, pools: readonly Pool[]): BgpConfig {
  const { aliases, errors } = readAliases(raw.communities);
  const bfd = raw.bfdProfiles && readBfdProfiles(raw.bfdProfiles);
  const peers = collect(bgpPeerResource.kind, raw.peers, one =>
    readPeer(one, raw.secrets, bfd?.profiles),
  );
  const ads = collect(bgpAdvertisementResource.kind, raw.ads, one =>
    readBgpAd(one, { pools, aliases }),
  );
  return {
    peers: peers.values,
    ads: ads.values,
    errors: [...errors, ...(bfd?.errors ?? []), ...peers.errors, ...ads.errors],
  };
}

function collect<T extends { readonly name: string }>(
  kind: string,
  raws: readonly unknown[],
  parse: (raw: unknown) => Parsed<T>,
): { readonly values: readonly T[]; readonly errors: readonly ConfigError[] } {
  const values = new Map<string, T>();
  const errors: ConfigError[] = [];
  for (const raw of raws) {
    const parsed = parse(raw);
    if (!parsed.ok) errors.push(...parsed.errors);
    else if (values.has(parsed.value.name)) {
      errors.push(duplicateName(objectName(kind, raw), parsed.value.name));
    } else values.set(parsed.value.name, parsed.value);
  }
  const sorted = [...values.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { values: sorted, errors };
}
