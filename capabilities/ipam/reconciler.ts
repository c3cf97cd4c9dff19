import type { IPAddressPool } from "../config/kinds/ip-address-pool";
import type { VirtualIP } from "../config/kinds/virtual-ip";
import type { Leader } from "../kube/leader";
import { services } from "../kube/resource";
import type { Store } from "../kube/store";
import { watchStore } from "../kube/store";
import { createWorkQueue } from "../kube/work-queue";
import type { WorkQueue } from "../kube/work-queue";
import type { Hooks } from "./hooks";
import { isInConflict, serviceKeysOf } from "./ledger";
import type { IpamMetrics } from "./metrics";
import { reconcileClaim } from "./reconcile-claim";
import { reconcilePool } from "./reconcile-pool";
import { reconcileService } from "./reconcile-service";
import type { ReconcileParts } from "./reconcile-service";
import { reserveStatuses } from "./reserve";
import { isOurs } from "./service";
import type { Service } from "./service";
import { addressOf } from "./vip";

/** The part of IPAM that Pepr's watcher runs. */
export type Reconciler = {
  /** Whether this watcher is the one that works. */
  isLeading(): boolean;
  stop(): Promise<void>;
};

export type ReconcilerParts = Omit<ReconcileParts, "cachedService" | "waiting"> & {
  readonly hooks: Hooks;
  readonly vipStore: Store<VirtualIP>;
  readonly poolStore: Store<IPAddressPool>;
  readonly metrics: Pick<IpamMetrics, "countUpdate">;
  /** Enters the election; `onLead` is called each time this process begins to lead. */
  readonly elect: (onLead: () => void) => Leader;
};

/** All that events may have missed is found by then. */
const SWEEP_MS = 60_000;
/** A VirtualIP is looked at when it has settled. Nobody waits for it; a stranger that has the address is another matter. */
const CLAIM_LOOK_MS = 1_000;
/**
 * What follows a create must not stand in the way of the next one: few at once, and a rest after each as long as it
 * took if that was short, so that most of an API server's time is left to those who wait for an answer.
 */
const SERVICE_PACE = { concurrency: 4, rest: 1 };
const CLAIM_PACE = { concurrency: 2, rest: 1 };
/** Pools' counters follow at this distance, so that a thousand claims are some writes and not a thousand. */
const POOL_STATUS_MS = 1_000;

/**
 * Turns changes into keys, and keys into work: one queue for Services, one for VirtualIPs, one for pools. Of several
 * watchers only the elected one works; the others keep their caches warm and drop the keys. Everything
 * is looked at when it begins to lead and once per sweep, so a lost event costs time and nothing else.
 */
export async function startReconciler(parts: ReconcilerParts): Promise<Reconciler> {
  const { ledger, vipStore, hooks, log } = parts;
  const waiting = new Set<string>();
  let wakeService: (key: string) => void = () => undefined;
  const store = watchStore(services, {
    log,
    onChange: key => {
      wakeService(key);
    },
  });
  await store.synced;
  const election: { leader?: Leader } = {};
  const isLeading = (): boolean => election.leader?.isLeading() ?? false;
  const { serviceQueue, claimQueue, poolQueue } = createQueues(parts, store, waiting, isLeading);
  const addService = (key: string): void => {
    serviceQueue.add(key);
  };
  wakeService = addService;

  const countPools = (): void => {
    for (const { metadata } of parts.poolStore.list()) {
      poolQueue.addAfter(`${metadata.namespace ?? ""}/${metadata.name ?? ""}`, POOL_STATUS_MS);
    }
  };

  function wakeAll(): void {
    countPools();
    ledger.released().forEach(vip => {
      claimQueue.add(vip.metadata.name ?? "");
    });
    const ours = store.list().filter(service => isOurs(service, parts.lbClass));
    reserveStatuses(ours, ledger, parts.now());
    for (const { metadata } of ours) {
      serviceQueue.add(`${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`);
    }
  }

  function sweep(): void {
    if (vipStore.isConnected()) ledger.resync(vipStore.list());
    const vips = vipStore.list();
    vips.forEach(vip => {
      claimQueue.add(vip.metadata.name ?? "");
    });
    vips.flatMap(serviceKeysOf).forEach(addService);
    wakeAll();
  }

  const wakeWaiting = (): void => {
    waiting.forEach(addService);
  };
  hooks.beforeVip = name => holdersOf(ledger, name);
  hooks.onVip = (name, vip, before) => {
    claimQueue.addAfter(name, vip && isInConflict(vip) ? 0 : CLAIM_LOOK_MS);
    countPools();
    const after = vip ? serviceKeysOf(vip) : [];
    const gone = before.filter(key => !after.includes(key));
    gone.forEach(addService);
    if (!vip || gone.length > 0) wakeWaiting();
  };
  hooks.onPool = wakeAll;
  hooks.onPoolStatus = countPools;
  hooks.onNamespace = wakeWaiting;
  const leader = parts.elect(sweep);
  election.leader = leader;
  const timer = setInterval(() => {
    if (isLeading()) sweep();
  }, SWEEP_MS);
  return {
    isLeading,
    stop: async () => {
      clearInterval(timer);
      store.stop();
      await Promise.all([serviceQueue, claimQueue, poolQueue].map(queue => queue.stop()));
      await leader.stop();
    },
  };
}

function createQueues(
  parts: ReconcilerParts,
  store: Store<Service>,
  waiting: Set<string>,
  isLeading: () => boolean,
): Readonly<Record<"serviceQueue" | "claimQueue" | "poolQueue", WorkQueue>> {
  const { log } = parts;
  const serviceParts = { ...parts, waiting, cachedService: (key: string) => store.get(key) };
  const backoff = { baseMs: 50, maxMs: 30_000 };
  const serviceQueue = createWorkQueue({
    name: "services",
    reconcile: async key => {
      if (!isLeading()) return undefined;
      try {
        const result = await reconcileService(serviceParts, key);
        parts.metrics.countUpdate("done");
        return result;
      } catch (error) {
        parts.metrics.countUpdate("failed");
        throw error;
      }
    },
    ...SERVICE_PACE,
    backoff,
    log,
  });
  const claimParts = {
    ...parts,
    wakeService: (key: string) => {
      serviceQueue.add(key);
    },
  };
  const claimQueue = createWorkQueue({
    name: "claims",
    reconcile: async name => (isLeading() ? reconcileClaim(claimParts, name) : undefined),
    ...CLAIM_PACE,
    backoff,
    log,
  });
  const poolParts = {
    ...parts,
    cachedPool: (key: string) => parts.poolStore.get(key),
    cachedVips: () => parts.vipStore.list(),
  };
  const poolQueue = createWorkQueue({
    name: "pools",
    reconcile: async key => {
      if (isLeading()) await reconcilePool(poolParts, key);
    },
    backoff,
    log,
  });
  return { serviceQueue, claimQueue, poolQueue };
}

function holdersOf(ledger: ReconcilerParts["ledger"], name: string): readonly string[] {
  const [address] = addressOf({ metadata: { name } } as VirtualIP);
  const vip = address && ledger.get(address);
  return vip ? serviceKeysOf(vip) : [];
}
