import { parseConfig } from "../config/config";
import type { VirtualIP } from "../config/kinds/virtual-ip";
import { services } from "../kube/resource";
import { createClaims, virtualIPs } from "./claims";
import { createFakeCluster } from "./fake-cluster";
import type { FakeCluster } from "./fake-cluster";
import type { ClusterFamilies } from "./families";
import { createLedger } from "./ledger";
import { reconcileClaim } from "./reconcile-claim";
import { reconcileService } from "./reconcile-service";
import type { ReconcileParts } from "./reconcile-service";
import { reserveStatuses } from "./reserve";
import { statusAddresses } from "./service";
import { formatAddress } from "../config/address";
import type { Service } from "./service";
import type { World } from "./world";

/** For tests: IPAM over a fake cluster, its watches immediate, its time in hand. */
export type Harness = {
  readonly cluster: FakeCluster;
  readonly parts: ReconcileParts;
  /** Events so far, as "reason message". */
  readonly events: string[];
  setPools(...pools: readonly object[]): void;
  advance(ms: number): void;
  /** Creates or replaces a Service, as if admission had not seen it. */
  put(service: Service): Promise<void>;
  remove(key: string): Promise<void>;
  service(key: string): Service;
  /** Addresses in a Service's status. */
  addresses(key: string): readonly string[];
  /** Names of the VirtualIPs that somebody holds. */
  claims(): readonly string[];
  /** Addresses that are kept for Services that had them, as "address namespace/name", sorted. */
  kept(): readonly string[];
  /** Reconciles everything there is, and all that this wakes, until nothing changes any more. */
  settle(): Promise<void>;
  /** A process that starts anew: it knows what the cluster has and no more. */
  restart(): void;
};

export function createHarness(...pools: readonly object[]): Harness {
  const cluster = createFakeCluster();
  const ledger = { current: createLedger() };
  const cached = new Map<string, Service>();
  const events: string[] = [];
  const families: ClusterFamilies = ["ipv4", "ipv6"];
  let config = parseConfig({ pools, l2Ads: [] }).config;
  let now = Date.parse("2026-01-01T00:00:00Z");

  const surroundings = (): ReturnType<World["cached"]> => ({
    config,
    cluster: families,
    namespaceLabels: () => ({}),
  });
  const parts = partsFor();

  function partsFor(): ReconcileParts {
    return {
      client: cluster.client,
      world: {
        cached: surroundings,
        live: () => Promise.resolve(surroundings()),
        errors: () => [],
      },
      ledger: ledger.current,
      claims: createClaims(cluster.client, ledger.current),
      events: {
        emit: (_, __, reason, message) => {
          events.push(`${reason} ${message}`);
          return Promise.resolve();
        },
      },
      lbClass: undefined,
      cachedService: key => cached.get(key),
      waiting: new Set(),
      now: () => now,
      log: {
        debug: () => undefined,
        info: () => undefined,
        warn: () => undefined,
        error: () => undefined,
      },
    };
  }

  cluster.onChange = (plural, key, object) => {
    if (plural === "services") {
      if (object) cached.set(key, object as Service);
      else cached.delete(key);
    } else if (object) ledger.current.observe(object as VirtualIP);
    else ledger.current.forget(key);
  };

  async function pass(): Promise<void> {
    const held = cluster.all(virtualIPs).flatMap(vip => vip.spec.holders);
    const keys = new Set([
      ...cached.keys(),
      ...held.map(({ namespace, name }) => `${namespace}/${name ?? ""}`),
    ]);
    reserveStatuses([...cached.values()], ledger.current, now);
    for (const key of [...keys].sort()) await reconcileService(parts, key);
    for (const { metadata } of cluster.all(virtualIPs)) {
      const wakeService = (): void => undefined;
      await reconcileClaim({ ...parts, wakeService }, metadata.name ?? "");
    }
  }

  const find = (key: string): Service => {
    const service = cached.get(key);
    if (!service) throw new Error(`there is no Service ${key}`);
    return service;
  };

  return {
    cluster,
    parts,
    events,
    setPools: (...raw) => {
      config = parseConfig({ pools: raw, l2Ads: [] }).config;
    },
    advance: ms => {
      now += ms;
    },
    put: async service => {
      const key = `${service.metadata?.namespace ?? ""}/${service.metadata?.name ?? ""}`;
      const before = cached.get(key);
      if (!before) await cluster.client.create(services, service);
      else {
        const old = Object.keys(before.metadata?.annotations ?? {}).map(name => [name, null]);
        const annotations = {
          ...Object.fromEntries(old),
          ...service.metadata?.annotations,
        } as object;
        await cluster.client.mergePatch(services, key, {
          spec: service.spec,
          metadata: { annotations },
        });
      }
    },
    remove: key => cluster.client.delete(services, key),
    service: find,
    addresses: key => statusAddresses(find(key)).map(formatAddress),
    claims: () =>
      cluster
        .all(virtualIPs)
        .filter(({ spec }) => spec.holders.length > 0)
        .map(({ metadata }) => metadata.name ?? ""),
    kept: () =>
      cluster
        .all(virtualIPs)
        .flatMap(({ spec: { address, holders, released } }) =>
          released && holders.length === 0
            ? [`${address} ${released.namespace}/${released.name}`]
            : [],
        )
        .sort(),
    settle: async () => {
      for (let round = 0; round < 10; round++) {
        const before = cluster.writes.length;
        await pass();
        if (cluster.writes.length === before) return;
      }
      throw new Error(`still changing things: ${cluster.writes.slice(-8).join("; ")}`);
    },
    restart: () => {
      ledger.current = createLedger();
      cluster.all(virtualIPs).forEach(vip => {
        ledger.current.observe(vip);
      });
      Object.assign(parts, partsFor());
    },
  };
}
