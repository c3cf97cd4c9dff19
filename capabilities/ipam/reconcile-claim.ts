import type { Holder, VirtualIP } from "../config/kinds/virtual-ip";
import { DEFAULT_RECLAIM_AFTER_MS } from "../config/reclaim-after";
import { parseVipName } from "../config/vip-name";
import { services } from "../kube/resource";
import type { Result } from "../kube/work-queue";
import { holderTitle, isPending, isUnnamedClaimOf, pendingMsLeft } from "./claim";
import { isInConflict, isReleased, isStrangers, serviceKeysOf } from "./ledger";
import { assignedAddresses } from "./marks";
import { readService } from "./reconcile-service";
import type { ReconcileParts } from "./reconcile-service";
import { includesAddress, isOurs, statusAddresses } from "./service";
import { isSummarized } from "./summary";
import { hasPool, keptUntil } from "./vip";

export type ClaimReconcileParts = Pick<
  ReconcileParts,
  "client" | "world" | "ledger" | "claims" | "lbClass" | "now" | "log"
> & { readonly wakeService: (key: string) => void };

/**
 * Makes one VirtualIP as it should be: it says who holds it, and claims that no Service has
 * come for are collected.
 */
export async function reconcileClaim(
  parts: ClaimReconcileParts,
  name: string,
): Promise<Result | undefined> {
  const address = parseVipName(name);
  const vip = address && parts.ledger.get(address);
  if (!vip) return undefined;
  const wait = pendingWait(vip, parts.now());
  if (wait !== undefined && wait > 0) return { requeueAfterMs: wait };
  if (vip.spec.holders.length === 0) return keepOrCollect(parts, vip);
  for (const holder of vip.spec.holders.filter(isPending)) {
    // Whoever has a name is judged by the reconciliation of that Service.
    if (holder.name) parts.wakeService(`${holder.namespace}/${holder.name}`);
    else await collectUnnamed(parts, vip, holder);
  }
  if (isStrangers(vip)) serviceKeysOf(vip).forEach(parts.wakeService);
  if (wait === undefined) await summarize(parts, vip);
  return undefined;
}

/**
 * What nobody holds stays for as long as it is kept for the Service that had it, and while a host outside the cluster
 * has it: its VirtualIP is what keeps others from being given the address.
 */
async function keepOrCollect(
  parts: ClaimReconcileParts,
  vip: VirtualIP,
): Promise<Result | undefined> {
  if (isInConflict(vip)) {
    await summarize(parts, vip);
    return undefined;
  }
  const poollessMs = (await isWaitedFor(parts, vip)) ? DEFAULT_RECLAIM_AFTER_MS : 0;
  const left = keptUntil(vip, parts.world.cached().config, undefined, poollessMs) - parts.now();
  if (!isReleased(vip) || left <= 0) {
    await parts.claims.release(vip, () => false);
    return undefined;
  }
  await summarize(parts, vip);
  return { requeueAfterMs: left };
}

/** Did the Service that had it lose it with its pool? */
async function isWaitedFor(
  { client, world, lbClass }: ClaimReconcileParts,
  vip: VirtualIP,
): Promise<boolean> {
  const { released } = vip.spec;
  if (!released || hasPool(vip, world.cached())) return false;
  const live = await readService(client, `${released.namespace}/${released.name}`);
  return isOurs(live, lbClass);
}

/** How long the oldest pending claim of the VirtualIP may wait yet; undefined if none is pending. */
function pendingWait(vip: VirtualIP, now: number): number | undefined {
  const waits = vip.spec.holders.filter(isPending).map(holder => pendingMsLeft(holder, now));
  return waits.length === 0 ? undefined : Math.min(...waits);
}

/** A claim that was made before the API server had generated the Service's name. */
async function collectUnnamed(
  { client, claims, wakeService, lbClass, log }: ClaimReconcileParts,
  vip: VirtualIP,
  holder: Holder,
): Promise<void> {
  const address = parseVipName(vip.metadata.name ?? "");
  if (!address) return;
  const candidates = await client.list(services, holder.namespace);
  const owner = candidates.find(
    service =>
      isOurs(service, lbClass) &&
      isUnnamedClaimOf(holder, service, holder.namespace) &&
      includesAddress([...assignedAddresses(service), ...statusAddresses(service)], address),
  );
  if (owner) {
    wakeService(`${holder.namespace}/${owner.metadata?.name ?? ""}`);
    return;
  }
  log.info(
    { vip: vip.metadata.name, holder: holderTitle(holder) },
    "no Service came for the claim",
  );
  await claims.release(vip, other => other.claimId === holder.claimId);
}

/** Whoever changes the holders says so in the same write; what is left is a stranger, and what older versions wrote. */
async function summarize({ claims }: ClaimReconcileParts, vip: VirtualIP): Promise<void> {
  if (!isSummarized(vip)) await claims.summarize(vip);
}
