import { parseConfig } from "../config/config";
import type { Config } from "../config/config";
import { ipAddressPoolResource } from "../config/kinds/ip-address-pool";
import type { IPAddressPool } from "../config/kinds/ip-address-pool";
import type { KubeClient } from "../kube/client";
import { namespaces } from "../kube/resource";
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
  /** The pools as they were given, valid or not. */
  rawPools(): readonly IPAddressPool[];
};

export type WorldParts = {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly poolStore: Store<IPAddressPool>;
  readonly namespaceStore: Store<Namespace>;
  readonly families: () => ClusterFamilies;
};

export function createWorld(parts: WorldParts): World {
  const { client, namespace, poolStore, namespaceStore, families } = parts;
  const parsed = rememberLast((items: readonly IPAddressPool[]) => configOf(items));

  return {
    cached: () => ({
      config: parsed(poolStore.list()),
      cluster: families(),
      namespaceLabels: name => namespaceStore.get(name)?.metadata?.labels ?? {},
    }),
    live: async name => {
      const [items, own] = await Promise.all([
        client.list(pools, namespace),
        client.get(namespaces, name),
      ]);
      return {
        config: configOf(items),
        cluster: families(),
        namespaceLabels: other =>
          (other === name ? own : namespaceStore.get(other))?.metadata?.labels ?? {},
      };
    },
    rawPools: () => poolStore.list(),
  };
}

function configOf(items: readonly IPAddressPool[]): Config {
  return parseConfig({ pools: items, l2Ads: [] }).config;
}

/** Parsing is done anew only when one of the objects is not the one it was. */
function rememberLast<T, R>(compute: (items: readonly T[]) => R): (items: readonly T[]) => R {
  let last: { items: readonly T[]; result: R } | undefined;
  return items => {
    const isSame =
      last?.items.length === items.length && items.every((item, i) => last?.items[i] === item);
    if (!last || !isSame) last = { items: [...items], result: compute(items) };
    return last.result;
  };
}
