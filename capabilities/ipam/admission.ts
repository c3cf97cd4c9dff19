import type { PeprMutateRequest, a } from "pepr";
import type { Holder } from "../config/kinds/virtual-ip";
import type { Log } from "../kube/log";
import type { Choice } from "./allocator";
import { holderOf, isSameHolder } from "./claim";
import { createClaimer, createDryClaimer } from "./claimer";
import type { Claims } from "./claims";
import type { Ledger } from "./ledger";
import { assignedAddresses, isMarked, removeAllMarks, removeMarks, writeMarks } from "./marks";
import { poolsToTry } from "./pool-choice";
import { serve } from "./serve";
import type { Claimer, Served } from "./serve";
import { inFamilyOrder, isOurs, sameAddresses, statusAddresses } from "./service";
import type { Service } from "./service";
import { parseRequest } from "./request";
import { describeSituation, requestedChoices, usableChoices } from "./situation";
import type { Situation } from "./situation";
import { addressOf, heldAddresses } from "./vip";
import type { World } from "./world";

/** What admission needs of its process. */
export type AdmissionParts = {
  readonly world: World;
  readonly ledger: Ledger;
  readonly claims: Claims;
  readonly lbClass: string | undefined;
  readonly now: () => number;
  readonly log: Log;
};

type MutateRequest = PeprMutateRequest<a.Service>;

/** Admission has 5 s in all; what takes longer is left to the reconciler. */
const BUDGET_MS = 3_000;

type Case = {
  readonly service: Service;
  readonly old: Service | undefined;
  readonly namespace: string;
  readonly mine: Holder;
  readonly isDryRun: boolean;
  readonly deadline: number;
};

/**
 * The fast path: gives a Service its address in the answer to its own creation, and keeps it through
 * updates. It never fails a request: what it cannot do is left to Validate to refuse, or to the reconciler
 * to do.
 */
export async function mutateService(parts: AdmissionParts, req: MutateRequest): Promise<void> {
  const service = req.Raw;
  const old = req.OldResource as Service | undefined;
  if (service.metadata?.deletionTimestamp) return;
  if (!isOurs(service, parts.lbClass)) {
    if (service.spec?.type !== "LoadBalancer" && isMarked(service)) removeAllMarks(service);
    return;
  }
  const namespace = service.metadata?.namespace ?? req.Request.namespace ?? "default";
  const now = parts.now();
  await assign(parts, {
    service,
    old,
    namespace,
    mine: holderOf(service, { namespace, claimId: req.Request.uid, now }),
    isDryRun: req.IsDryRun === true,
    deadline: now + BUDGET_MS,
  });
}

async function assign(parts: AdmissionParts, it: Case): Promise<void> {
  const described = describeSituation(it.service, it.namespace, parts.world.cached(), it.old);
  const claimer = claimerFor(parts, it);
  if (described.ok && described.situation.request.addresses.length > 0) {
    await claimRequested(described.situation, claimer, it);
    return;
  }
  const first = described.ok && (await serveCase(parts, described.situation, it, claimer));
  const served = first && isEnough(first) ? first : await serveLive(parts, it, claimer);
  if (served && served.choices.length > 0) mark(it, served);
}

/** What was just applied together with the Service may not have reached the caches yet. */
async function serveLive(
  parts: AdmissionParts,
  it: Case,
  claimer: Claimer,
): Promise<Served | undefined> {
  const live = await parts.world.live(it.namespace);
  const described = describeSituation(it.service, it.namespace, live, it.old);
  if (!described.ok) return undefined;
  if (described.situation.request.addresses.length > 0) {
    await claimRequested(described.situation, claimer, it);
    return undefined;
  }
  return serveCase(parts, described.situation, it, claimer);
}

function isEnough({ choices }: Served): boolean {
  return choices.length > 0;
}

function serveCase(
  { ledger }: AdmissionParts,
  situation: Situation,
  { service, old, namespace }: Case,
  claimer: Claimer,
): Promise<Served> {
  const name = service.metadata?.name;
  const vips = name ? ledger.heldBy(`${namespace}/${name}`) : [];
  const held = heldAddresses(vips, service.metadata?.uid);
  const before = old && parseRequest(old);
  const known = [
    ...held.confirmed,
    ...assignedAddresses(service),
    ...assignedAddresses(old),
    ...(before?.ok ? before.request.addresses : []),
    ...statusAddresses(old),
    ...held.pending,
    ...(name ? ledger.keptFor(`${namespace}/${name}`) : []).flatMap(addressOf),
  ];
  const current = usableChoices(situation, known, [...held.confirmed, ...statusAddresses(old)]);
  const pools = poolsToTry(situation.config, situation.request, situation.facts);
  return serve({ want: situation.want, current, pools }, claimer);
}

/** The user's own choice is claimed, all or nothing; the words in which he wrote it stay. */
async function claimRequested(situation: Situation, claimer: Claimer, it: Case): Promise<void> {
  removeMarks(it.service);
  const held: Choice[] = [];
  for (const choice of requestedChoices(situation)) {
    if (await claimer.keep(choice)) held.push(choice);
    else break;
  }
  const isAll = held.length === situation.request.addresses.length;
  if (!isAll && !it.old) for (const choice of held) await claimer.undo(choice);
}

/** A Service that has its address in the status only (made without admission) is left as it is. */
function mark({ service, old }: Case, { choices }: Served): void {
  const addresses = inFamilyOrder(choices.map(({ address }) => address));
  const isUnmarked = old && !isMarked(old) && !isMarked(service);
  if (isUnmarked && sameAddresses(addresses, statusAddresses(old))) return;
  writeMarks(service, addresses);
}

function claimerFor(parts: AdmissionParts, it: Case): Claimer {
  const { claims, ledger, now } = parts;
  const { mine, isDryRun, deadline, service } = it;
  const options = { claims, ledger, mine, now, deadline };
  if (isDryRun) return createDryClaimer(options);
  const claimer = createClaimer(options);
  const uid = service.metadata?.uid;
  return {
    ...claimer,
    // On update the Service may hold the address for good already; that must not become pending again.
    keep: async choice => {
      const holders = ledger.get(choice.address)?.spec.holders ?? [];
      const isConfirmed = holders.some(
        holder => uid !== undefined && holder.uid === uid && isSameHolder(holder, mine),
      );
      return isConfirmed || (await claimer.keep(choice));
    },
  };
}
