import { localPrefConflict, sameRouterConflict } from "../../config/bgp/conflicts";
import type { NodeLabels } from "../../config/bgp/conflicts";
import { formatConfigError, parseConfig } from "../../config/config";
import type { RawConfig } from "../../config/config";
import type { ConfigError } from "../../config/config-error";
import { objectName } from "../../config/raw-object";

/** Kinds that are judged beside the rest of the configuration. */
export type ReviewedKind = "BGPPeer" | "BGPAdvertisement" | "Community";

type Raw = { readonly metadata?: { readonly name?: string; readonly namespace?: string } };

/** What there is in the cluster beside the change. */
export type BgpSurroundings = Pick<
  Required<RawConfig>,
  "pools" | "bgpPeers" | "bgpAds" | "communities" | "configMap"
> & { readonly nodes: readonly NodeLabels[] };

const LISTS = {
  ...{ BGPPeer: "bgpPeers", BGPAdvertisement: "bgpAds", Community: "communities" },
} as const satisfies Record<ReviewedKind, keyof BgpSurroundings>;

/**
 * Why an object is refused beside the others, in sentences; undefined if it is not. Judged is the configuration as it
 * would be, with the object as the youngest of it; what is only missing may still come.
 */
export function bgpRefusal(
  kind: ReviewedKind,
  raw: Raw,
  surroundings: BgpSurroundings,
): string | undefined {
  const list = LISTS[kind];
  const { name, namespace = "" } = raw.metadata ?? {};
  const others = (surroundings[list] as readonly Raw[]).filter(one => one.metadata?.name !== name);
  const metadata = Object.entries(raw.metadata ?? {}).filter(
    ([key]) => key !== "creationTimestamp",
  );
  const youngest = { ...raw, metadata: Object.fromEntries(metadata) };
  const parsed = parseConfig({ ...surroundings, l2Ads: [], [list]: [...others, youngest] });
  const object = objectName(kind, raw);
  const own = (parsed.ok ? [] : parsed.errors).filter(
    error => error.object === object && error.mayComeLater !== true,
  );
  const { bgpAds, bgpPeers, pools } = parsed.config;
  const context = { pools, nodes: surroundings.nodes };
  const errors: readonly (ConfigError | undefined)[] = [
    ...own,
    ...pairs(kind === "BGPAdvertisement" ? bgpAds : [], name).map(([mine, other]) =>
      localPrefConflict(mine, other, context, namespace),
    ),
    ...pairs(kind === "BGPPeer" ? bgpPeers : [], name).map(([mine, other]) =>
      sameRouterConflict(mine, other, context.nodes, namespace),
    ),
  ];
  const sentences = errors.flatMap(error => (error ? [formatConfigError(error)] : []));
  return sentences.length > 0 ? sentences.join(" ") : undefined;
}

/** The one of that name beside each other one. */
function pairs<T extends { readonly name: string }>(
  all: readonly T[],
  name: string | undefined,
): readonly (readonly [T, T])[] {
  const mine = all.find(one => one.name === name);
  return mine ? all.filter(one => one !== mine).map(other => [mine, other] as const) : [];
}

/** Why a BFDProfile may not be deleted: a peer without it would have no session. */
export function bfdProfileDeletionRefusal(raw: Raw, peers: readonly unknown[]): string | undefined {
  const name = raw.metadata?.name ?? "";
  const users = (peers as readonly (Raw & { readonly spec?: { readonly bfdProfile?: string } })[])
    .filter(({ spec }) => spec?.bfdProfile === name)
    .map(({ metadata }) => metadata?.name ?? "");
  if (users.length === 0) return undefined;
  const object = objectName("BFDProfile", raw);
  return `${object}: is used by BGPPeer ${users.sort().join(", ")}; take it out of there first.`;
}
