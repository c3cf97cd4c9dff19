import { describe, expect, it } from "vitest";
import { ipAddressPoolSchema } from "../config/kinds/ip-address-pool";
import type { IPAddressPool } from "../config/kinds/ip-address-pool";
import { KubeError } from "../kube/errors";
import { configMaps, namespaces } from "../kube/resource";
import type { Store } from "../kube/store";
import { createFakeCluster } from "./fake-cluster";
import type { FakeCluster } from "./fake-cluster";
import type { ClusterFamilies } from "./families";
import { rawPool } from "./fixtures";
import type { Surroundings } from "./situation";
import { createWorld, isSamePool, pools } from "./world";
import type { World } from "./world";

const NAMESPACE = "metallb-system";
const OLD_FORMAT = `address-pools:\n- {name: old, protocol: layer2, addresses: [10.9.0.0/30]}`;

type Namespace = NonNullable<(typeof namespaces)["__object"]>;

const poolOf = (name: string, ...addresses: string[]): IPAddressPool =>
  ipAddressPoolSchema.parse(rawPool(name, addresses));

const configMapOf = (config: string): object => ({
  metadata: { name: "config", namespace: NAMESPACE },
  data: { config },
});

/** A cache whose content is in the test's hand. */
function storeOf<T>(items: { list: readonly T[] }, nameOf: (item: T) => string): Store<T> {
  return {
    get: key => items.list.find(item => nameOf(item) === key),
    list: () => items.list,
    synced: Promise.resolve(),
    hasSynced: () => true,
    isConnected: () => true,
    stop: () => undefined,
  };
}

type Scene = {
  readonly cluster: FakeCluster;
  readonly world: World;
  readonly cache: {
    pools: { list: readonly IPAddressPool[] };
    configMaps: { list: readonly unknown[] };
    namespaces: { list: readonly Namespace[] };
    families: ClusterFamilies;
  };
};

function setUp(): Scene {
  const cluster = createFakeCluster();
  const cache: Scene["cache"] = {
    pools: { list: [] },
    configMaps: { list: [] },
    namespaces: { list: [] },
    families: ["ipv4"],
  };
  const world = createWorld({
    client: cluster.client,
    namespace: NAMESPACE,
    poolStore: storeOf(cache.pools, ({ metadata }) => metadata.name ?? ""),
    configMapStore: storeOf(cache.configMaps, () => "config"),
    namespaceStore: storeOf(cache.namespaces, ({ metadata }) => metadata?.name ?? ""),
    families: () => cache.families,
  });
  return { cluster, world, cache };
}

const poolNames = ({ config }: Surroundings): readonly string[] =>
  config.pools.map(({ name }) => name);

describe("the world from the caches", () => {
  it("is what the caches hold at that moment", () => {
    const { world, cache } = setUp();
    expect(poolNames(world.cached())).toEqual([]);
    cache.pools.list = [poolOf("b", "10.0.1.0/30"), poolOf("a", "10.0.0.0/30")];
    cache.families = ["ipv6", "ipv4"];
    expect(poolNames(world.cached())).toEqual(["a", "b"]);
    expect(world.cached().cluster).toEqual(["ipv6", "ipv4"]);
  });

  it("has the pools of the old ConfigMap beside the resources", () => {
    const { world, cache } = setUp();
    cache.pools.list = [poolOf("new", "10.0.0.0/30")];
    cache.configMaps.list = [configMapOf(OLD_FORMAT)];
    expect(poolNames(world.cached())).toEqual(["new", "old"]);
  });

  it("has the labels of namespaces, and none for one that is not known", () => {
    const { world, cache } = setUp();
    cache.namespaces.list = [{ metadata: { name: "shop", labels: { team: "a" } } }];
    const { namespaceLabels } = world.cached();
    expect(namespaceLabels("shop")).toEqual({ team: "a" });
    expect(namespaceLabels("other")).toEqual({});
  });

  it("metallb 154: is parsed once for the same objects, and anew for another object, more or fewer", () => {
    const { world, cache } = setUp();
    const list = [poolOf("a", "10.0.0.0/30")];
    cache.pools.list = list;
    const first = world.cached().config;
    cache.pools.list = [...list];
    expect(world.cached().config).toBe(first);
    cache.pools.list = [poolOf("a", "10.0.0.0/29")];
    expect(world.cached().config).not.toBe(first);
    cache.pools.list = [...list, poolOf("b", "10.0.1.0/30")];
    expect(poolNames(world.cached())).toEqual(["a", "b"]);
    cache.pools.list = list;
    cache.configMaps.list = [configMapOf(OLD_FORMAT)];
    expect(poolNames(world.cached())).toEqual(["a", "old"]);
  });

  it("leaves a wrong pool out, keeps the others, and says what is wrong", () => {
    const { world, cache } = setUp();
    cache.pools.list = [poolOf("a", "10.0.0.0/30")];
    expect(world.errors()).toEqual([]);
    cache.pools.list = [poolOf("a", "10.0.0.0/30"), poolOf("wrong", "10.0.0.300/30")];
    expect(poolNames(world.cached())).toEqual(["a"]);
    expect(world.errors()).toMatchObject([
      { object: "IPAddressPool metallb-system/wrong", field: "spec.addresses[0]" },
    ]);
  });

  it("is not parsed anew for a status that was written, and is for a label", () => {
    const { world, cache } = setUp();
    const pool = poolOf("a", "10.0.0.0/30");
    const metadata = { ...pool.metadata, uid: "u", generation: 1 };
    cache.pools.list = [{ ...pool, metadata }];
    const first = world.cached().config;
    cache.pools.list = [{ ...pool, metadata, status: { assignedIPv4: 1 } }];
    expect(world.cached().config).toBe(first);
    cache.pools.list = [{ ...pool, metadata: { ...metadata, labels: { team: "a" } } }];
    expect(world.cached().config.pools[0]?.labels).toEqual({ team: "a" });
  });
});

describe("two objects of one pool", () => {
  const pool = poolOf("a", "10.0.0.0/30");
  const at = (metadata: object): IPAddressPool => ({
    ...pool,
    metadata: { ...pool.metadata, uid: "u", generation: 1, ...metadata },
  });

  it.each<[string, IPAddressPool | undefined, boolean]>([
    ["the same but for the version", at({ resourceVersion: "9" }), true],
    ["another generation", at({ generation: 2 }), false],
    ["another uid", at({ uid: "v" }), false],
    ["another annotation", at({ annotations: { a: "b" } }), false],
    ["none", undefined, false],
    ["without a generation", pool, false],
  ])("say the same? %s", (_, other, expected) => {
    expect(isSamePool(at({}), other)).toBe(expected);
    expect(isSamePool(other, at({}))).toBe(expected);
  });
});

describe("the world as the API server has it", () => {
  it("knows what the caches have not heard of yet, of the pools' namespace only", async () => {
    const { cluster, world } = setUp();
    await cluster.client.create(pools, poolOf("a", "10.0.0.0/30"));
    await cluster.client.create(configMaps, configMapOf(OLD_FORMAT));
    const elsewhere = poolOf("elsewhere", "10.0.1.0/30");
    elsewhere.metadata.namespace = "shop";
    await cluster.client.create(pools, elsewhere);
    await cluster.client.create(namespaces, { metadata: { name: "shop", labels: { team: "a" } } });
    const live = await world.live("shop");
    expect(poolNames(live)).toEqual(["a", "old"]);
    expect(live.namespaceLabels("shop")).toEqual({ team: "a" });
    expect(poolNames(world.cached())).toEqual([]);
  });

  it("has other namespaces' labels from the cache", async () => {
    const { cluster, world, cache } = setUp();
    await cluster.client.create(namespaces, { metadata: { name: "shop" } });
    cache.namespaces.list = [
      { metadata: { name: "shop", labels: { stale: "yes" } } },
      { metadata: { name: "other", labels: { team: "b" } } },
    ];
    const { namespaceLabels } = await world.live("shop");
    expect(namespaceLabels("shop")).toEqual({});
    expect(namespaceLabels("other")).toEqual({ team: "b" });
  });

  it("is not made up when the API server does not answer", async () => {
    const { cluster, world } = setUp();
    await cluster.client.create(namespaces, { metadata: { name: "shop" } });
    Object.assign(cluster.client, {
      get: () => Promise.reject(new KubeError("Unreachable", 0, "refused")),
    });
    await expect(world.live("shop")).rejects.toMatchObject({ reason: "Unreachable" });
  });
});
