import { parseConfig } from "../config/config";
import type { Config } from "../config/config";
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
  const parsed = rememberLast(configOf);

  return {
    cached: () => ({
      config: parsed(poolStore.list(), configMapStore.list()[0]),
      cluster: families(),
      namespaceLabels: name => namespaceStore.get(name)?.metadata?.labels ?? {},
    }),
    live: async name => {
      const [items, configMap, own] = await Promise.all([
        client.list(pools, namespace),
        readConfigMap(client, namespace),
        client.get(namespaces, name),
      ]);
      return {
        config: configOf(items, configMap),
        cluster: families(),
        namespaceLabels: other =>
          (other === name ? own : namespaceStore.get(other))?.metadata?.labels ?? {},
      };
    },
  };
}

function configOf(items: readonly IPAddressPool[], configMap: unknown): Config {
  return parseConfig({ pools: items, l2Ads: [], configMap }).config;
}

async function readConfigMap(client: KubeClient, namespace: string): Promise<unknown> {
  try {
    return await client.get(configMaps, `${namespace}/${CONFIG_MAP_NAME}`);
  } catch (error) {
    if (isReason(error, "NotFound")) return undefined;
    throw error;
  }
}

type Read<T, R> = (items: readonly T[], configMap: unknown) => R;

/** Parsing is done anew only when one of the objects is not the one it was. */
function rememberLast<T, R>(compute: Read<T, R>): Read<T, R> {
  let last: { objects: readonly unknown[]; result: R } | undefined;
  return (items, configMap) => {
    const objects = [configMap, ...items];
    const isSame =
      last?.objects.length === objects.length &&
      objects.every((object, i) => last?.objects[i] === object);
    if (!last || !isSame) last = { objects, result: compute(items, configMap) };
    return last.result;
  };
}
