import { poolOf } from "../config/config";
import type { Holder, VirtualIP } from "../config/kinds/virtual-ip";
import { DEFAULT_RECLAIM_AFTER_MS } from "../config/reclaim-after";
import type { KubeClient } from "../kube/client";
import { isReason } from "../kube/errors";
import type { EventRecorder } from "../kube/events";
import { services, splitKey } from "../kube/resource";
import type { Log } from "../kube/log";
import type { Result } from "../kube/work-queue";
import type { Choice } from "./allocator";
import { holderOf, isPending, isSameHolder, isUnnamedClaimOf, pendingMsLeft } from "./claim";
import { createClaimer } from "./claimer";
import type { Claims, IsMine } from "./claims";
import { isStrangers } from "./ledger";
import type { Ledger } from "./ledger";
import { assignedAddresses, isMarked } from "./marks";
import { marksPatch } from "./marks-patch";
import { isAvoided, poolsToTry } from "./pool-choice";
import type { Refusal } from "./refusal";
import { serve } from "./serve";
import { includesAddress, isOurs, sameAddresses, statusAddresses } from "./service";
import type { Service } from "./service";
import { clearStatus, statusChange } from "./service-status";
import type { Outcome, StatusEvent } from "./service-status";
import { describeSituation, requestedChoices, usableChoices, waitReason } from "./situation";
import type { Situation } from "./situation";
import { heldRefusal } from "./validation";
import { addressOf, hasPool, heldAddresses, keptUntil } from "./vip";
import type { World } from "./world";

/** What the reconciler needs of its process. */
export type ReconcileParts = {
  readonly client: KubeClient;
  readonly world: World;
  readonly ledger: Ledger;
  readonly claims: Claims;
  readonly events: EventRecorder;
  readonly lbClass: string | undefined;
  /** The Service as the watch has it, or undefined. */
  readonly cachedService: (key: string) => Service | undefined;
  /** Services to look at again when an address becomes free. */
  readonly waiting: Set<string>;
  readonly now: () => number;
  readonly log: Log;
};

/** A Service that waits is looked at now and then even if nothing wakes it. */
const WAIT_RECHECK_MS = 60_000;
/** What has changed under us is looked at again soon. */
const CHANGED_RECHECK_MS = 200;

/**
 * Makes one Service as it should be, from nothing but what is there: claims confirmed or made, status
 * and condition written, claims that it does not use released. Needs no admission to have happened.
 */
export async function reconcileService(
  parts: ReconcileParts,
  key: string,
): Promise<Result | undefined> {
  const service = parts.cachedService(key);
  if (!service || service.metadata?.deletionTimestamp || !isOurs(service, parts.lbClass)) {
    parts.waiting.delete(key);
    return letGo(parts, key);
  }
  return serveService(parts, key, service);
}

/** For a Service that is gone, or no LoadBalancer of ours any more. */
async function letGo(parts: ReconcileParts, key: string): Promise<Result | undefined> {
  const vips = parts.ledger.heldBy(key);
  const poolless = parts.ledger.keptFor(key).filter(vip => !hasPool(vip, parts.world.cached()));
  if (vips.length + poolless.length === 0) return undefined;
  // The cache may be behind, and an address that is freed wrongly is lost.
  const live = await readService(parts.client, key);
  if (isOurs(live, parts.lbClass)) {
    // A finalizer keeps it: until it is gone, traffic may still come.
    return live?.metadata?.deletionTimestamp ? undefined : { requeueAfterMs: CHANGED_RECHECK_MS };
  }
  const patch = live && clearStatus(live, vips.flatMap(addressOf));
  if (patch) await parts.client.mergePatchStatus(services, key, patch);
  for (const vip of poolless) await parts.claims.release(vip, () => false);
  return releaseAll(parts, key, vips);
}

async function serveService(
  parts: ReconcileParts,
  key: string,
  service: Service,
): Promise<Result | undefined> {
  const { client, now } = parts;
  const result = await findAddresses(parts, key, service);
  const { outcome } = result;
  if (result.isWaiting) parts.waiting.add(key);
  else parts.waiting.delete(key);
  const { patch, events } = statusChange(service, outcome, new Date(now()));
  const written = patch ? await client.mergePatchStatus(services, key, patch) : service;
  await emit(parts, service, events);
  if (shouldRemark(service, result)) {
    await client.mergePatch(services, key, marksPatch(written, outcome.addresses));
  }
  const unused = parts.ledger
    .heldBy(key)
    .filter(vip => !addressOf(vip).some(address => includesAddress(outcome.addresses, address)));
  const release = await releaseUnused(parts, key, unused, written);
  return release ?? (result.isWaiting ? { requeueAfterMs: WAIT_RECHECK_MS } : undefined);
}

type Finding = {
  readonly outcome: Outcome;
  readonly isWaiting: boolean;
  readonly isRequest: boolean;
};

async function findAddresses(
  parts: ReconcileParts,
  key: string,
  service: Service,
): Promise<Finding> {
  const { namespace = "" } = splitKey(key);
  const described = describeSituation(service, namespace, parts.world.cached());
  const held = heldAddresses(parts.ledger.heldBy(key), service.metadata?.uid);
  const isStatusOurs = statusAddresses(service).some(
    address => includesAddress(held.confirmed, address) || isMarked(service),
  );
  const mine = holderOf(service, { namespace, now: parts.now() });
  const isMine: IsMine = holder =>
    isSameHolder(holder, mine) || isUnnamedClaimOf(holder, service, namespace);
  const it: Subject = { parts, key, service, held, isStatusOurs, mine, isMine };
  if (!described.ok) return refused(it, described.refusal, await keptOnRefusal(it));
  const { situation } = described;
  return situation.request.addresses.length > 0
    ? holdRequested(it, situation)
    : draw(it, situation);
}

type Subject = {
  readonly parts: ReconcileParts;
  readonly key: string;
  readonly service: Service;
  readonly held: ReturnType<typeof heldAddresses>;
  readonly isStatusOurs: boolean;
  readonly mine: Holder;
  readonly isMine: IsMine;
};

/** What the user asked for, or nothing new: another address would not be what he asked for. */
async function holdRequested(it: Subject, situation: Situation): Promise<Finding> {
  const choices = requestedChoices(situation);
  for (const choice of choices) {
    const { mine, isMine } = it;
    const result = await it.parts.claims.hold(choice, "requested", mine, isMine);
    if (!result.ok) {
      const refusal = heldRefusal(situation.request.field, choice.address, result.refusal);
      return { ...refused(it, refusal, await keptOnRefusal(it)), isWaiting: true };
    }
  }
  return found(it, choices, { isWaiting: false, isRequest: true });
}

async function draw(it: Subject, situation: Situation): Promise<Finding> {
  const { parts, key, service, held, mine, isMine } = it;
  const inStatus = statusAddresses(service);
  const known = [
    ...inStatus.filter(address => includesAddress(held.confirmed, address)),
    ...held.confirmed,
    ...inStatus,
    ...assignedAddresses(service),
    ...held.pending,
    ...parts.ledger.keptFor(key).flatMap(addressOf),
  ];
  const usable = known.filter(address => {
    const vip = parts.ledger.get(address);
    return !vip || !isStrangers(vip);
  });
  const current = usableChoices(situation, usable, [...held.confirmed, ...inStatus]);
  const pools = poolsToTry(situation.config, situation.request, situation.facts);
  const { claims, ledger, now } = parts;
  const claimer = createClaimer({ claims, ledger, mine, isMine, now });
  const { choices, isComplete } = await serve({ want: situation.want, current, pools }, claimer);
  const isServed = isComplete || (!situation.want.all && choices.length > 0);
  if (isServed) return found(it, choices, { isWaiting: !isComplete, isRequest: false });
  const { code, text } = waitReason(situation);
  const waiting = found(it, choices, { isWaiting: true, isRequest: false });
  return { ...waiting, outcome: { ...waiting.outcome, reason: code, problem: text } };
}

function found(
  { isStatusOurs }: Subject,
  choices: readonly Choice[],
  flags: { readonly isWaiting: boolean; readonly isRequest: boolean },
): Finding {
  const outcome = {
    addresses: choices.map(({ address }) => address),
    pools: choices.map(({ pool }) => pool.name),
    reason: "Assigned",
    problem: "",
    isStatusOurs,
  };
  return { ...flags, outcome };
}

/**
 * A request that cannot be met takes nothing away: the Service keeps the address that it had, unless no pool has it
 * any more, or the Service no longer agrees with those who share it.
 */
async function keptOnRefusal(it: Subject): Promise<readonly Choice[]> {
  const { parts, service, held, mine, isMine } = it;
  const inStatus = statusAddresses(service);
  const { config } = parts.world.cached();
  const still = held.confirmed.filter(address => includesAddress(inStatus, address));
  const choices = still.flatMap(address => {
    const pool = poolOf(config, address);
    return pool && !isAvoided(pool, address) ? [{ address, pool }] : [];
  });
  const results = await Promise.all(
    choices.map(choice => parts.claims.hold(choice, "already assigned", mine, isMine)),
  );
  return choices.filter((_, i) => results[i]?.ok);
}

function refused(it: Subject, refusal: Refusal, kept: readonly Choice[]): Finding {
  const { field, value, problem, remedy, code } = refusal;
  const finding = found(it, kept, { isWaiting: false, isRequest: true });
  const text = `${field} "${value}" ${problem}; ${remedy}`;
  return { ...finding, outcome: { ...finding.outcome, reason: code, problem: text } };
}

/** A mark that says an address which the Service does not have would mislead its reader. */
function shouldRemark(service: Service, { outcome, isRequest }: Finding): boolean {
  return (
    !isRequest &&
    isMarked(service) &&
    outcome.addresses.length > 0 &&
    !sameAddresses(assignedAddresses(service), outcome.addresses)
  );
}

async function releaseUnused(
  parts: ReconcileParts,
  key: string,
  vips: readonly VirtualIP[],
  written: Service,
): Promise<Result | undefined> {
  if (vips.length === 0) return undefined;
  const live = await readService(parts.client, key);
  const isSame = live?.metadata?.resourceVersion === written.metadata?.resourceVersion;
  // Its pool may be gone to come back under another name.
  return isSame
    ? releaseAll(parts, key, vips, DEFAULT_RECLAIM_AFTER_MS)
    : { requeueAfterMs: CHANGED_RECHECK_MS };
}

/** Confirmed claims at once; a pending one when its time is over, since its request may be under way. */
async function releaseAll(
  { claims, world, now }: ReconcileParts,
  key: string,
  vips: readonly VirtualIP[],
  poollessMs = 0,
): Promise<Result | undefined> {
  const isNamed: IsMine = holder => `${holder.namespace}/${holder.name ?? ""}` === key;
  const isYoung: IsMine = holder => isPending(holder) && pendingMsLeft(holder, now()) > 0;
  const waits: number[] = [];
  for (const vip of vips) {
    const young = vip.spec.holders.filter(holder => isNamed(holder) && isYoung(holder));
    waits.push(...young.map(holder => pendingMsLeft(holder, now())));
    const isLeaving: IsMine = holder => isNamed(holder) && !isYoung(holder);
    const isKept = keptUntil(vip, world.cached().config, now(), poollessMs) > now();
    await claims.release(vip, isLeaving, isKept ? now() : undefined);
  }
  return waits.length > 0 ? { requeueAfterMs: Math.min(...waits) } : undefined;
}

/** The Service as the API server has it; undefined if it is gone. */
export async function readService(client: KubeClient, key: string): Promise<Service | undefined> {
  try {
    return await client.get(services, key);
  } catch (error) {
    if (isReason(error, "NotFound")) return undefined;
    throw error;
  }
}

async function emit(
  { events, log }: ReconcileParts,
  service: Service,
  list: readonly StatusEvent[],
): Promise<void> {
  const { name = "", namespace = "", uid = "" } = service.metadata ?? {};
  for (const { type, reason, message } of list) {
    log.info({ service: `${namespace}/${name}`, reason }, message);
    const subject = { apiVersion: "v1", kind: "Service", name, namespace, uid };
    await events.emit(subject, type, reason, message);
  }
}
