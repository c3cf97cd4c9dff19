import { formatAddress } from "../config/address";
import type { IpAddress } from "../config/address";
import { IP_ALLOCATED_FROM_POOL } from "../config/annotations";
import { inFamilyOrder } from "./service";
import type { Service } from "./service";

/** Where a Service stands with its addresses. */
export type Outcome = {
  readonly addresses: readonly IpAddress[];
  /** Names of the pools that the addresses are of. */
  readonly pools: readonly string[];
  /** Machine-readable, for the condition: `Assigned`, or why not. */
  readonly reason: string;
  /** For people; empty if all is well. */
  readonly problem: string;
  /** Whether what the status says without an address to put there was ours, and is to be taken away. */
  readonly isStatusOurs: boolean;
};

export type StatusEvent = {
  readonly type: "Normal" | "Warning";
  readonly reason: "IPAllocated" | "AllocationFailed" | "ClearAssignment";
  readonly message: string;
};

/** What to write; no patch if the status says it already. Events tell of changes only. */
export type StatusChange = {
  readonly patch: object | undefined;
  readonly events: readonly StatusEvent[];
};

/** The condition of a Service that says whether it has its addresses, and if not, why. */
export const ADDRESS_ASSIGNED = "AddressAssigned";

type Ingress = { readonly ip?: string; readonly ipMode?: string; readonly hostname?: string };
type Condition = NonNullable<NonNullable<Service["status"]>["conditions"]>[number];

/** Compares a Service's status with where it stands; the patch is for the status subresource. */
export function statusChange(service: Service, outcome: Outcome, now: Date): StatusChange {
  const before = ingressBefore(service);
  const conditions = conditionsBefore(service);
  const ingress = ingressOf(outcome, before);
  const condition = conditionOf(outcome, conditions, now);
  const same = {
    isSameIngress: JSON.stringify(before.map(essence)) === JSON.stringify(ingress.map(essence)),
    isSameCondition: conditions.includes(condition),
  };
  const annotations = poolAnnotation(service, outcome);
  const events = eventsOf(service, outcome, same);
  if (same.isSameIngress && same.isSameCondition && !annotations)
    return { patch: undefined, events };
  const all = [...conditions.filter(isNotAddressAssigned), condition];
  return {
    patch: {
      metadata: { ...version(service), ...(annotations ? { annotations } : {}) },
      status: {
        ...(same.isSameIngress ? {} : { loadBalancer: ingress.length > 0 ? { ingress } : null }),
        ...(same.isSameCondition ? {} : { conditions: all }),
      },
    },
    events,
  };
}

/** The patch that takes our addresses and condition off a Service that is ours no more, if they are there. */
export function clearStatus(service: Service, ours: readonly IpAddress[]): object | undefined {
  const texts = ours.map(formatAddress);
  const ingress = ingressBefore(service);
  const conditions = conditionsBefore(service);
  const rest = ingress.filter(({ ip }) => ip === undefined || !texts.includes(ip));
  const others = conditions.filter(isNotAddressAssigned);
  const annotations = service.metadata?.annotations?.[IP_ALLOCATED_FROM_POOL]
    ? { annotations: { [IP_ALLOCATED_FROM_POOL]: null } }
    : {};
  const isClean = rest.length === ingress.length && others.length === conditions.length;
  if (isClean && !("annotations" in annotations)) return undefined;
  return {
    metadata: { ...version(service), ...annotations },
    status: {
      loadBalancer: rest.length > 0 ? { ingress: rest } : null,
      conditions: others.length > 0 ? others : null,
    },
  };
}

/** With it, a merge patch is refused if somebody has changed the object since. */
function version(service: Service): { readonly resourceVersion?: string } {
  const resourceVersion = service.metadata?.resourceVersion;
  return resourceVersion === undefined ? {} : { resourceVersion };
}

function ingressBefore(service: Service): readonly Ingress[] {
  return service.status?.loadBalancer?.ingress ?? [];
}

function conditionsBefore(service: Service): readonly Condition[] {
  return service.status?.conditions ?? [];
}

/** The pool's name on the Service, as MetalLB writes it; undefined if it is right already. */
function poolAnnotation(
  service: Service,
  { addresses, pools }: Outcome,
): Readonly<Record<string, string | null>> | undefined {
  const pool = addresses.length > 0 ? [...new Set(pools)].join(",") : undefined;
  const isSame = service.metadata?.annotations?.[IP_ALLOCATED_FROM_POOL] === pool;
  return isSame ? undefined : { [IP_ALLOCATED_FROM_POOL]: pool ?? null };
}

function ingressOf(outcome: Outcome, before: readonly Ingress[]): readonly Ingress[] {
  if (outcome.addresses.length === 0) return outcome.isStatusOurs ? [] : before;
  return inFamilyOrder(outcome.addresses).map(address => ({
    ip: formatAddress(address),
    ipMode: "VIP",
  }));
}

/** The condition as it was, if it still says the truth. */
function conditionOf(
  { addresses, reason, problem }: Outcome,
  conditions: readonly Condition[],
  now: Date,
): Condition {
  const status = problem === "" ? "True" : "False";
  const texts = inFamilyOrder(addresses).map(formatAddress);
  const message = problem === "" ? `The Service has ${texts.join(" and ")}` : problem;
  const before = conditions.find(({ type }) => type === ADDRESS_ASSIGNED);
  if (before?.status === status && before.reason === reason && before.message === message) {
    return before;
  }
  // Whole seconds: the API server refuses fractions in metav1.Time when it reads strictly.
  const time = now.toISOString().replace(/\.\d+Z$/, "Z") as unknown as Date;
  const lastTransitionTime = before?.status === status ? before.lastTransitionTime : time;
  return { type: ADDRESS_ASSIGNED, status, reason, message, lastTransitionTime };
}

function eventsOf(
  service: Service,
  { addresses, problem }: Outcome,
  { isSameIngress, isSameCondition }: { isSameIngress: boolean; isSameCondition: boolean },
): readonly StatusEvent[] {
  const title = `${service.metadata?.namespace ?? ""}/${service.metadata?.name ?? ""}`;
  const events: StatusEvent[] = [];
  if (!isSameIngress) events.push(ingressEvent(title, addresses, problem));
  if (!isSameCondition && problem !== "") {
    const message = `Failed to allocate IP for "${title}": ${problem}`;
    events.push({ type: "Warning", reason: "AllocationFailed", message });
  }
  return events;
}

function ingressEvent(
  title: string,
  addresses: readonly IpAddress[],
  problem: string,
): StatusEvent {
  if (addresses.length === 0) {
    const message = `The address of "${title}" was taken away: ${problem}`;
    return { type: "Warning", reason: "ClearAssignment", message };
  }
  const texts = inFamilyOrder(addresses).map(address => `"${formatAddress(address)}"`);
  return { type: "Normal", reason: "IPAllocated", message: `Assigned IP [${texts.join(" ")}]` };
}

function essence({ ip, ipMode = "VIP", hostname }: Ingress): unknown {
  return [ip, ipMode, hostname];
}

function isNotAddressAssigned({ type }: Condition): boolean {
  return type !== ADDRESS_ASSIGNED;
}
