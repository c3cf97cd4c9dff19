import { formatConfigError } from "../config/config";
import type { IPAddressPool } from "../config/kinds/ip-address-pool";
import { ipAddressPoolResource } from "../config/kinds/ip-address-pool";
import type { VirtualIP } from "../config/kinds/virtual-ip";
import { objectName } from "../config/raw-object";
import type { KubeClient } from "../kube/client";
import { isReason } from "../kube/errors";
import { poolStatusPatch, poolUsage } from "./pool-status";
import { pools } from "./world";
import type { World } from "./world";

export type PoolReconcileParts = {
  readonly client: KubeClient;
  readonly world: Pick<World, "cached" | "errors">;
  /** The pool as the watch has it, or undefined. */
  readonly cachedPool: (key: string) => IPAddressPool | undefined;
  readonly cachedVips: () => readonly VirtualIP[];
  readonly now: () => number;
};

/** Writes into a pool's status how much of it is in use, and whether it is used at all. */
export async function reconcilePool(parts: PoolReconcileParts, key: string): Promise<void> {
  const { client, world, cachedPool, cachedVips, now } = parts;
  const raw = cachedPool(key);
  if (!raw || raw.metadata.deletionTimestamp) return;
  const pool = world.cached().config.pools.find(({ name }) => name === raw.metadata.name);
  const object = objectName(ipAddressPoolResource.kind, raw);
  const errors = world.errors().filter(error => error.object === object);
  const findings = {
    usage: pool && poolUsage(pool, cachedVips()),
    problem: errors.map(formatConfigError).join(" "),
  };
  const patch = poolStatusPatch(raw, findings, new Date(now()));
  if (!patch) return;
  try {
    await client.mergePatchStatus(pools, key, patch);
  } catch (error) {
    // It is gone, or the watch is behind and will bring us here again.
    if (!isReason(error, "NotFound") && !isReason(error, "Conflict")) throw error;
  }
}
