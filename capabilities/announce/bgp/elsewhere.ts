import { bgpAdvertisementResource } from "../../config/kinds/bgp-advertisement";
import { bgpPeerResource } from "../../config/kinds/bgp-peer";
import type { ConfigError } from "../../config/config-error";
import { objectName } from "../../config/raw-object";
import { matchesAny } from "../../config/selector";
import type { LabelSelector } from "../../config/selector";

type Labels = Readonly<Record<string, string>>;

/**
 * What is wrong for a node with these labels: mistakes in BGPPeers and BGPAdvertisements that select other nodes are
 * theirs, so that one of them does not hold up a change for all nodes. An object whose selectors cannot be read is
 * everybody's.
 */
export function errorsHere(
  errors: readonly ConfigError[],
  raw: { readonly bgpPeers: readonly unknown[]; readonly bgpAds: readonly unknown[] },
  labels: Labels | undefined,
): readonly ConfigError[] {
  const elsewhere = new Set([
    ...titles(bgpPeerResource.kind, raw.bgpPeers, labels),
    ...titles(bgpAdvertisementResource.kind, raw.bgpAds, labels),
  ]);
  return errors.filter(({ object }) => !elsewhere.has(object));
}

function titles(
  kind: string,
  raws: readonly unknown[],
  labels: Labels | undefined,
): readonly string[] {
  return raws.filter(raw => isElsewhere(raw, labels)).map(raw => objectName(kind, raw));
}

function isElsewhere(raw: unknown, labels: Labels | undefined): boolean {
  try {
    const { nodeSelectors = [] } = (raw as { spec: { nodeSelectors?: LabelSelector[] } }).spec;
    return labels !== undefined && !matchesAny(nodeSelectors, labels);
  } catch {
    return false;
  }
}
