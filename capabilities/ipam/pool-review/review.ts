import { isDeepStrictEqual } from "node:util";
import { parseConfig } from "../../config/config";
import { CONFIG_MAP_NAME } from "../../config/config-map/convert";
import type { IPAddressPool } from "../../config/kinds/ip-address-pool";
import { objectName } from "../../config/raw-object";
import type { KubeClient } from "../../kube/client";
import { isReason } from "../../kube/errors";
import { configMaps, nodes, services } from "../../kube/resource";
import { readServiceCidrs } from "../cluster-families";
import type { Surroundings } from "../situation";
import type { Verdict } from "../validation";
import { pools } from "../world";
import type { World } from "../world";
import { describeImpact, impactOf } from "./impact";
import { neighbourWarnings, overlapRefusal } from "./neighbours";
import type { Neighbours } from "./neighbours";

/** On an IPAddressPool: "true" refuses changes that take an address away from a Service. */
export const PROTECT = "ancho.dev/protect";

export type PoolReviewParts = {
  readonly client: KubeClient;
  /** Where the pools are. */
  readonly namespace: string;
  readonly world: Pick<World, "cached">;
  readonly lbClass: string | undefined;
};

/** A change of a pool: `pool` is absent when it is deleted, `old` when it is created. */
export type PoolChange = {
  readonly pool: IPAddressPool | undefined;
  readonly old: IPAddressPool | undefined;
};

/**
 * Judges a change of a pool against the rest of the cluster, as the API server has it now: manifests are applied
 * in any order and in one breath. Dry runs get the same answer, since nothing is written.
 */
export async function reviewPool(parts: PoolReviewParts, change: PoolChange): Promise<Verdict> {
  if (changesNoAddress(change)) return { allowed: true, warnings: [] };
  const { pool, old } = change;
  const name = (pool ?? old)?.metadata.name;
  const raw = await readPools(parts);
  const others = raw.pools.filter(({ metadata }) => metadata.name !== name);
  const overlap = pool && overlapRefusal(pool, others);
  if (overlap !== undefined) return { allowed: false, message: overlap };
  const warnings = pool ? neighbourWarnings(pool, await readNeighbours(parts.client)) : [];
  const hits = old && (await simulate(parts, { ...raw, others, change }));
  return hits === undefined ? { allowed: true, warnings } : judge(change, hits, warnings);
}

/** What becomes of a change that takes addresses away: `hits` says from whom. */
export function judge(change: PoolChange, hits: string, warnings: readonly string[]): Verdict {
  const { pool, old } = change;
  const object = objectName("IPAddressPool", pool ?? old);
  const verb = pool ? "changed" : "deleted";
  if (!isProtected(change)) {
    return { allowed: true, warnings: [...warnings, `${object}: is ${verb}, and ${hits}`] };
  }
  const message = `${object}: metadata.annotations "${PROTECT}: true" keeps it from being ${verb}, because ${hits}; move those Services first, or remove the annotation by a change of its own.`;
  return { allowed: false, message };
}

type RawPools = { readonly pools: readonly IPAddressPool[]; readonly configMap: unknown };

/** Pools as the API server has them now, and the ConfigMap of old that may hold some, too. */
export async function readPools({
  client,
  namespace,
}: Pick<PoolReviewParts, "client" | "namespace">): Promise<RawPools> {
  const [list, configMap] = await Promise.all([
    client.list(pools, namespace),
    orAbsent(client.get(configMaps, `${namespace}/${CONFIG_MAP_NAME}`)),
  ]);
  return { pools: list, configMap };
}

type Simulation = RawPools & {
  readonly others: readonly IPAddressPool[];
  readonly change: PoolChange;
};

async function simulate(
  { client, world, lbClass }: PoolReviewParts,
  { pools: present, others, configMap, change: { pool } }: Simulation,
): Promise<string | undefined> {
  const cached = world.cached();
  const surroundings = (list: readonly IPAddressPool[]): Surroundings => ({
    ...cached,
    config: parseConfig({ pools: list, l2Ads: [], configMap }).config,
  });
  const before = surroundings(present);
  const after = surroundings(pool ? [...others, pool] : others);
  return describeImpact(impactOf(await client.list(services), before, after, lbClass));
}

async function readNeighbours(client: KubeClient): Promise<Neighbours> {
  const [list, serviceCidrs] = await Promise.all([client.list(nodes), readServiceCidrs(client)]);
  return {
    nodes: list.map(({ metadata, status }) => ({
      name: metadata?.name ?? "",
      addresses: (status?.addresses ?? [])
        .filter(({ type }) => type.endsWith("IP"))
        .map(({ address }) => address),
    })),
    serviceCidrs: serviceCidrs ?? [],
    podCidrs: list.flatMap(({ spec }) => spec?.podCIDRs ?? []),
  };
}

function isProtected({ pool, old }: PoolChange): boolean {
  return [pool, old].some(one => one?.metadata.annotations?.[PROTECT] === "true");
}

/** A status or a label that nobody selects by changes nothing, nor does the last update of what is being deleted. */
function changesNoAddress({ pool, old }: PoolChange): boolean {
  if (!pool) return false;
  if (pool.metadata.deletionTimestamp) return true;
  return old !== undefined && isDeepStrictEqual(pool.spec, old.spec);
}

async function orAbsent<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isReason(error, "NotFound")) return undefined;
    throw error;
  }
}
