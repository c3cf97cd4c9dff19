import { isDeepStrictEqual } from "node:util";
import { parseConfig } from "../config/config";
import type { ParsedConfig } from "../config/config";
import type { ConfigError } from "../config/config-error";
import { CONFIG_MAP_NAME } from "../config/config-map/convert";
import { ipAddressPoolResource } from "../config/kinds/ip-address-pool";
import type { IPAddressPool } from "../config/kinds/ip-address-pool";
import type { KubeClient } from "../kube/client";
import { isReason } from "../kube/errors";
import { configMaps, namespaces } from "../kube/resource";
import type { ResourceKind } from "../kube/resource";
import type { Store } from "../kube/store";
import type { ClusterFamilies } from "./families";
import type { Surroundings } from "./situation";

export const pools: ResourceKind<IPAddressPool> = ipAddressPoolResource;

type Namespace = NonNullable<(typeof namespaces)["__object"]>;

/** The parts of the cluster that decide addresses, from caches, or, where it matters, as they are now. */
export type World = {
  /** From the caches: free, and a few milliseconds behind. */
  cached(): Surroundings;
  /**
   * Read from the API server. For what was just applied, and before a refusal: "that pool does not exist"
   * must not be said of a pool that was created in the same breath.
   */
  live(namespace: string): Promise<Surroundings>;
  /** What is wrong with the configuration in the caches, and is left out of it. */
  errors(): readonly ConfigError[];
};

export type WorldParts = {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly poolStore: Store<IPAddressPool>;
  /** The ConfigMap of MetalLB 0.12 and older, and nothing else. */
  readonly configMapStore: Store<unknown>;
  readonly namespaceStore: Store<Namespace>;
  readonly families: () => ClusterFamilies;
};

export function createWorld(parts: WorldParts): World {
  const { client, namespace, poolStore, configMapStore, namespaceStore, families } = parts;
  const parse = rememberLast(parseAll);
  const parsed = (): ParsedConfig => parse(poolStore.list(), configMapStore.list()[0]);

  return {
    cached: () => ({
      config: parsed().config,
      cluster: families(),
      namespaceLabels: name => namespaceStore.get(name)?.metadata?.labels ?? {},
    }),
    errors: () => {
      const last = parsed();
      return last.ok ? [] : last.errors;
    },
    live: async name => {
      const [items, configMap, own] = await Promise.all([
        client.list(pools, namespace),
        readConfigMap(client, namespace),
        client.get(namespaces, name),
      ]);
      return {
        config: parseAll(items, configMap).config,
        cluster: families(),
        namespaceLabels: other =>
          (other === name ? own : namespaceStore.get(other))?.metadata?.labels ?? {},
      };
    },
  };
}

function parseAll(items: readonly IPAddressPool[], configMap: unknown): ParsedConfig {
  return parseConfig({ pools: items, l2Ads: [], configMap });
}

/**
 * Do two objects of one pool say the same, apart from the status? We write that ourselves, and as often as addresses
 * come and go.
 */
export function isSamePool(a: IPAddressPool | undefined, b: IPAddressPool | undefined): boolean {
  if (a === b) return true;
  if (!a || !b || a.metadata.uid !== b.metadata.uid) return false;
  const { generation, labels, annotations } = a.metadata;
  return (
    generation !== undefined &&
    generation === b.metadata.generation &&
    isDeepStrictEqual([labels, annotations], [b.metadata.labels, b.metadata.annotations])
  );
}

async function readConfigMap(client: KubeClient, namespace: string): Promise<unknown> {
  try {
    return await client.get(configMaps, `${namespace}/${CONFIG_MAP_NAME}`);
  } catch (error) {
    if (isReason(error, "NotFound")) return undefined;
    throw error;
  }
}

type Read<R> = (items: readonly IPAddressPool[], configMap: unknown) => R;

/** Parsing is done anew only when one of the objects does not say what it said. */
function rememberLast<R>(compute: Read<R>): Read<R> {
  let last:
    | { items: readonly IPAddressPool[]; readonly configMap: unknown; readonly result: R }
    | undefined;
  return (items, configMap) => {
    const isSame =
      last?.configMap === configMap &&
      last?.items.length === items.length &&
      items.every((item, i) => isSamePool(item, last?.items[i]));
    if (last && isSame) last.items = items;
    else last = { items, configMap, result: compute(items, configMap) };
    return last.result;
  };
}
