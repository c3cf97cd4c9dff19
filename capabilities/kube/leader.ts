import { systemClock } from "./clock";
import type { Clock } from "./clock";
import type { KubeClient } from "./client";
import { isReason } from "./errors";
import { leaseSpec, nextLeaseStep, sight } from "./lease";
import type { Lease, Sighting } from "./lease";
import type { Log } from "./log";
import type { ResourceKind } from "./resource";

export const leases: ResourceKind<Lease> = {
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  namespaced: true,
};

export type LeaderOptions = {
  readonly client: Pick<KubeClient, "get" | "create" | "jsonPatch">;
  readonly namespace: string;
  readonly name: string;
  /** Different in every process. */
  readonly identity: string;
  /** Called each time this process begins to lead. */
  readonly onLead: () => void;
  readonly log: Log;
  readonly clock?: Clock;
};

/**
 * One of several processes, elected by a Lease. It saves work and doubled events; it is no lock:
 * whoever leads must still write conditionally, for a frozen leader can wake up after its time.
 */
export type Leader = {
  /** False from a second before another process may take over. */
  isLeading(): boolean;
  /** Gives the Lease back at once, so that nobody has to wait for its end. */
  stop(): Promise<void>;
};

/** A dead leader is replaced after this time and at most one more tick. */
const DURATION_SECONDS = 5;
const TICK_MS = 1000;

export function runForLeader(options: LeaderOptions): Leader {
  const { client, namespace, name, identity, onLead, log, clock = systemClock } = options;
  const key = `${namespace}/${name}`;
  let seen: Sighting | undefined;
  let leadsUntilMs = -Infinity;
  let isStopped = false;
  let ticking: Promise<void> = Promise.resolve();
  let cancel = (): void => undefined;

  const isLeading = (): boolean => !isStopped && clock.now() < leadsUntilMs;

  async function read(): Promise<Lease | undefined> {
    try {
      return await client.get(leases, key);
    } catch (error) {
      if (isReason(error, "NotFound")) return undefined;
      throw error;
    }
  }

  async function write(lease: Lease | undefined, nowMs: number): Promise<void> {
    const spec = leaseSpec(lease?.spec, identity, DURATION_SECONDS, nowMs);
    if (lease) await swapSpec(lease, spec);
    else await client.create(leases, { metadata: { namespace, name }, spec });
  }

  async function swapSpec({ metadata }: Lease, spec: object): Promise<void> {
    await client.jsonPatch(leases, key, [
      { op: "replace", path: "/metadata/resourceVersion", value: metadata.resourceVersion },
      { op: "add", path: "/spec", value: spec },
    ]);
  }

  async function campaign(): Promise<void> {
    const startMs = clock.now();
    const lease = await read();
    seen = sight(seen, lease, startMs);
    const step = nextLeaseStep(lease, seen, identity, startMs);
    if (step.do === "wait") return;
    await write(lease, startMs);
    const wasLeading = isLeading();
    // Others count from when they see the write; we count from before it, and end a tick earlier.
    leadsUntilMs = startMs + DURATION_SECONDS * 1000 - TICK_MS;
    if (wasLeading || !isLeading()) return;
    log.info({ lease: key, identity }, "leading");
    onLead();
  }

  async function tick(): Promise<void> {
    try {
      await campaign();
    } catch (error) {
      const isLost = isReason(error, "Conflict") || isReason(error, "AlreadyExists");
      if (!isLost) log.warn({ lease: key, problem: String(error) }, "the Lease cannot be had");
    }
    if (!isStopped) cancel = clock.after(TICK_MS, schedule);
  }

  function schedule(): void {
    ticking = tick();
  }

  schedule();
  return {
    isLeading,
    stop: async () => {
      const wasLeading = isLeading();
      isStopped = true;
      cancel();
      await ticking;
      const lease = wasLeading ? await read() : undefined;
      if (lease?.spec?.holderIdentity !== identity) return;
      await swapSpec(lease, { ...lease.spec, holderIdentity: "" });
    },
  };
}
