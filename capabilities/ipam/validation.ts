import { isDeepStrictEqual } from "node:util";
import { formatAddress } from "../config/address";
import {
  ADDRESS_POOL,
  ALLOW_SHARED_IP,
  LOAD_BALANCER_IPS,
  readAnnotation,
} from "../config/annotations";
import type { IpAddress } from "../config/address";
import { poolOf } from "../config/config";
import type { Pool } from "../config/config";
import type { Holder } from "../config/kinds/virtual-ip";
import type { AdmissionParts } from "./admission";
import { holderOf, isSameHolder, isUnnamedClaimOf, joinRefusal } from "./claim";
import type { JoinRefusal } from "./claim";
import { assignedAddresses } from "./marks";
import { formatRefusal } from "./refusal";
import type { Refusal } from "./refusal";
import { fieldOf } from "./request";
import { includesAddress, isOurs, serviceTitle, statusAddresses } from "./service";
import type { Service } from "./service";
import { describeSituation, waitReason } from "./situation";
import type { Situation, SituationResult } from "./situation";

/** The final object, after all other webhooks, as Validate gets it. */
export type Review = {
  readonly service: Service;
  readonly old: Service | undefined;
  readonly namespace: string;
};

export type ValidationParts = AdmissionParts & {
  /** Whether a new Service that would have to wait for an address is refused. */
  readonly rejectsWaiting: boolean;
};

export type Verdict =
  | { readonly allowed: true; readonly warnings: readonly string[] }
  | { readonly allowed: false; readonly message: string };

const FINE: Verdict = { allowed: true, warnings: [] };

/**
 * Refuses what can never work as written, and admits what only has to wait, with a warning. An update
 * that changes nothing of what is checked is admitted, so that a Service can be edited whatever became of
 * the pools since.
 */
export async function validateService(parts: ValidationParts, review: Review): Promise<Verdict> {
  const { service, old, namespace } = review;
  if (!isOurs(service, parts.lbClass) || service.metadata?.deletionTimestamp) return FINE;
  if (old && isDeepStrictEqual(checkedParts(service), checkedParts(old))) return FINE;
  const described = await describe(parts, review);
  const title = serviceTitle(service, namespace);
  if (!described.ok) return { allowed: false, message: formatRefusal(title, described.refusal) };
  const refusal = await checkHolders(parts, described.situation, review);
  if (refusal) return { allowed: false, message: formatRefusal(title, refusal) };
  return judgeWaiting(parts, described.situation, review);
}

/** Judged by the caches; a refusal only by what the API server says now. */
async function describe(
  { world }: AdmissionParts,
  { service, namespace }: Review,
): Promise<SituationResult> {
  const cached = describeSituation(service, namespace, world.cached());
  return cached.ok ? cached : describeSituation(service, namespace, await world.live(namespace));
}

/** Would those who hold the asked-for addresses, and those who share its own, let the Service in? */
async function checkHolders(
  { claims, now }: AdmissionParts,
  situation: Situation,
  { service, old, namespace }: Review,
): Promise<Refusal | undefined> {
  const { request } = situation;
  const mine = holderOf(service, { namespace, now: now() });
  const isMine = (holder: Holder): boolean =>
    isSameHolder(holder, mine) || isUnnamedClaimOf(holder, service, namespace);
  const shared = old && request.sharingKey ? assignedAddresses(service) : [];
  for (const address of [...request.addresses, ...shared]) {
    const holders = (await claims.read(address))?.spec.holders ?? [];
    const isAsked = includesAddress(request.addresses, address);
    if (!isAsked && !holders.some(isMine)) continue;
    const sharing = sharingOf(situation, address);
    const refusal = joinRefusal(holders, { mine, sharing, isMine });
    const field = isAsked ? request.field : fieldOf(service, ALLOW_SHARED_IP);
    if (refusal) return heldRefusal(field, address, refusal);
  }
  return undefined;
}

function sharingOf({ config }: Situation, address: IpAddress): Pool["sharing"] {
  return poolOf(config, address)?.sharing ?? "all";
}

/** Words for an address that others hold and do not let this Service join. */
export function heldRefusal(
  field: string,
  address: IpAddress,
  { by, problem, remedy }: JoinRefusal,
): Refusal {
  const code = by.sharingKey ? "SharingRefused" : "AddressHeld";
  return { code, field, value: formatAddress(address), problem, remedy };
}

/** What is said to the author of a Service that has to wait. Who waits already is not refused an edit for it. */
export function judgeWaiting(
  { rejectsWaiting, lbClass }: Pick<ValidationParts, "rejectsWaiting" | "lbClass">,
  situation: Situation,
  review: Review,
): Verdict {
  if (hasAddress(situation, review)) return FINE;
  const title = serviceTitle(review.service, review.namespace);
  const { text } = waitReason(situation);
  if (rejectsWaiting && !isOurs(review.old, lbClass)) {
    const remedy = "give an IPAddressPool that is open to it more addresses, or delete a Service";
    return { allowed: false, message: `Service ${title} has no address: ${text}; ${remedy}` };
  }
  const wait = `Service ${title} has no address yet: ${text}; it will get one as soon as there is one`;
  return { allowed: true, warnings: [wait] };
}

function hasAddress({ request }: Situation, { service, old }: Review): boolean {
  const known = [request.addresses, assignedAddresses(service), statusAddresses(old)];
  return known.some(addresses => addresses.length > 0);
}

/** The parts of a Service that the checks depend on. */
function checkedParts({ spec, metadata }: Service): unknown {
  const annotation = (key: string): string | undefined =>
    readAnnotation(metadata?.annotations, key);
  return [
    spec?.type,
    spec?.loadBalancerClass,
    spec?.loadBalancerIP,
    spec?.ipFamilies,
    spec?.ipFamilyPolicy,
    annotation(LOAD_BALANCER_IPS),
    annotation(ADDRESS_POOL),
    annotation(ALLOW_SHARED_IP),
    annotation(ALLOW_SHARED_IP) ? [spec?.ports, spec?.selector, spec?.externalTrafficPolicy] : [],
  ];
}
