import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { Log as peprLog } from "pepr";
import { CONFIG_MAP_NAME } from "../config/config-map/convert";
import type { IPAddressPool } from "../config/kinds/ip-address-pool";
import type { VirtualIP } from "../config/kinds/virtual-ip";
import { createKubeClient } from "../kube/client";
import type { KubeClient } from "../kube/client";
import { createEventRecorder } from "../kube/events";
import { startHttp } from "../kube/http";
import { runForLeader } from "../kube/leader";
import type { Leader } from "../kube/leader";
import { createLogger } from "../kube/log";
import { configMaps, namespaces, services } from "../kube/resource";
import { watchStore } from "../kube/store";
import { keepControllerState } from "./controller-state";
import { keepBgpSecrets } from "./bgp-secrets";
import { createClaims, virtualIPs } from "./claims";
import { readClusterFamilies } from "./cluster-families";
import { createConfigMapReport } from "./config-map-report";
import type { ClusterFamilies } from "./families";
import { createHooks } from "./hooks";
import type { Hooks } from "./hooks";
import { createLedger } from "./ledger";
import type { Ledger } from "./ledger";
import { createIpamMetrics } from "./metrics";
import type { IpamMetrics } from "./metrics";
import type { PoolReviewParts } from "./pool-review/review";
import { startReconciler } from "./reconciler";
import type { Reconciler } from "./reconciler";
import { reserveStatuses } from "./reserve";
import { readSettings } from "./settings";
import type { Settings } from "./settings";
import type { ValidationParts } from "./validation";
import { keepWebhookConnections } from "./webhook-connections";
import { createWorld, isSamePool, pools } from "./world";

/** What Pepr's callbacks work with. */
export type Runtime = {
  readonly admission: ValidationParts;
  readonly poolReview: PoolReviewParts;
  /** Only in Pepr's watcher. */
  readonly reconciler: Reconciler | undefined;
  /** To be told of a pool that was created, changed or deleted (`undefined`). */
  readonly noticePool: PoolNotice;
};

let started: Runtime | undefined;

/** The running IPAM. Pepr calls nobody before `startIpam` is done. */
export function runtime(): Runtime {
  if (!started) throw new Error("IPAM: startIpam() has not finished");
  return started;
}

const log = createLogger("ipam");
const FAMILIES_REFRESH_MS = 300_000;
const CONFIG_REPORT_MS = 5_000;
/** Held by the watcher that reconciles, in the namespace of the pools. */
const LEASE = "ancho-reconciler";

/**
 * Connects to the cluster and resolves when every cache has been filled, so that admission never
 * answers from an empty one. While the API server is away, it goes on trying.
 */
export async function startIpam(): Promise<void> {
  // Seven lines of Pepr's for every request cost more than the decision that they are about.
  if (peprLog.level === "info") peprLog.level = "warn";
  keepWebhookConnections();
  const settings = readSettings(process.env);
  const client = createKubeClient();
  const ledger = createLedger();
  const claims = createClaims(client, ledger);
  const families = await watchFamilies(client);
  const hooks = createHooks();
  const vipStore = watchStore<VirtualIP>(virtualIPs, {
    log,
    onChange: (name, vip) => {
      const before = hooks.beforeVip(name);
      if (vip) ledger.observe(vip);
      else ledger.forget(name);
      hooks.onVip(name, vip, before);
    },
  });
  const noticePool = createPoolNotice(hooks);
  const poolStore = watchStore<IPAddressPool>(pools, {
    namespace: settings.namespace,
    log,
    onChange: (key, pool) => {
      noticePool(key, pool);
    },
  });
  const configMapStore = watchStore(configMaps, {
    namespace: settings.namespace,
    fieldSelector: { "metadata.name": CONFIG_MAP_NAME },
    log,
    onChange: () => {
      hooks.onPool();
    },
  });
  const namespaceStore = watchStore(namespaces, {
    log,
    onChange: () => {
      hooks.onNamespace();
    },
  });
  const stores = [vipStore, poolStore, configMapStore, namespaceStore];
  await Promise.all(stores.map(store => store.synced));
  const { namespace, lbClass, rejectsWaiting } = settings;
  const sources = { poolStore, configMapStore, namespaceStore };
  const world = createWorld({ client, namespace, ...sources, families });
  const common = { world, ledger, claims, lbClass, now: () => Date.now(), log };
  const watching: { reconciler?: Reconciler } = {};
  const metrics = createIpamMetrics({
    isLeading: () => watching.reconciler?.isLeading() ?? false,
    config: () => world.cached().config,
    vips: () => vipStore.list(),
    errorCount: () => world.errors().length,
  });
  const reconciler = settings.isWatcher
    ? await startReconciler({
        ...common,
        ...{ client, hooks, vipStore, poolStore, metrics, events: recorder(client) },
        elect: onLead => elect(client, namespace, onLead),
      })
    : undefined;
  if (reconciler) {
    watching.reconciler = reconciler;
    giveWayOnExit(reconciler);
    await serveMetrics(metrics, settings);
    const isLeading = (): boolean => reconciler.isLeading();
    const report = { ...sources, isLeading, events: recorder(client), log };
    const reportConfigMap = createConfigMapReport(report);
    const state = keepControllerState({ ...report, client, namespace });
    const secrets = keepBgpSecrets({ client, namespace, isLeading, log });
    setInterval(() => {
      reportConfigMap();
      state.changed();
      secrets.changed();
    }, CONFIG_REPORT_MS).unref();
  }
  if (!reconciler) await reserveInUse(client, ledger, hooks);
  const poolReview = { client, namespace, world, lbClass };
  started = { admission: { ...common, rejectsWaiting }, poolReview, reconciler, noticePool };
  log.info({ families: families(), pools: poolStore.list().length }, "IPAM is ready");
}

function serveMetrics({ registry }: IpamMetrics, { metricsPort }: Settings): Promise<unknown> {
  const isReady = (): boolean => started !== undefined;
  return startHttp({ host: "::", port: metricsPort, registry, isReady, setBy: "METRICS_PORT" });
}

type PoolNotice = (key: string, pool: IPAddressPool | undefined) => void;

/** Tells changes of pools from changes of their statuses, which nothing depends on. */
function createPoolNotice(hooks: Hooks): PoolNotice {
  const known = new Map<string, IPAddressPool>();
  return (key, pool) => {
    const isSame = pool !== undefined && isSamePool(known.get(key), pool);
    if (pool) known.set(key, pool);
    else known.delete(key);
    if (isSame) hooks.onPoolStatus();
    else hooks.onPool();
  };
}

function elect(client: KubeClient, namespace: string, onLead: () => void): Leader {
  const identity = `${hostname()}_${randomUUID()}`;
  return runForLeader({ client, namespace, name: LEASE, identity, onLead, log });
}

/** Pepr ends the process on SIGTERM as soon as its server is closed; the Lease goes back before. */
function giveWayOnExit(reconciler: Reconciler): void {
  process.prependOnceListener("SIGTERM", () => {
    reconciler.stop().catch((error: unknown) => {
      log.warn({ err: error }, "the Lease was not given back; it ends by itself");
    });
  });
}

function recorder(client: KubeClient): ReturnType<typeof createEventRecorder> {
  return createEventRecorder(client, "ancho", undefined, log);
}

/** Also admission must not give away what Services had before there were VirtualIPs. */
async function reserveInUse(client: KubeClient, ledger: Ledger, hooks: Hooks): Promise<void> {
  const reserve = async (): Promise<void> => {
    reserveStatuses(await client.list(services), ledger, Date.now());
  };
  hooks.onPool = () => {
    reserve().catch((error: unknown) => {
      log.warn({ err: error }, "Services could not be listed");
    });
  };
  await reserve();
}

/** Reads the cluster's families, and again now and then: a second one can be added to a cluster. */
async function watchFamilies(client: KubeClient): Promise<() => ClusterFamilies> {
  let families = await untilDone(() => readClusterFamilies(client));
  const refresh = (): void => {
    readClusterFamilies(client).then(
      read => (families = read),
      (error: unknown) => {
        log.warn({ err: error }, "the cluster's address families could not be read");
      },
    );
  };
  setInterval(refresh, FAMILIES_REFRESH_MS).unref();
  return () => families;
}

async function untilDone<T>(action: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await action();
    } catch (error) {
      log.warn({ err: error }, "the API server does not answer yet, trying again");
      await sleep(1_000);
    }
  }
}
