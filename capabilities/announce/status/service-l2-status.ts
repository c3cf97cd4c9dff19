import type { ServiceL2Status } from "../../config/kinds/service-l2-status";
import {
  isOfNode,
  newStatusObject,
  serviceKeyOf,
  statusKeyOf,
  statusName,
  subjectOf,
} from "./service-status-object";
import type { Author } from "./service-status-object";
import type { StatusOp } from "./status-ops";

export type ServiceStatusInput = Author & {
  /** The nodes that the plan gives the Service's addresses to. */
  readonly owners: ReadonlySet<string>;
  /** Names of the interfaces on which this node answers for it. */
  readonly interfaces: readonly string[];
  /** All ServiceL2Statuses that there are. */
  readonly present: readonly ServiceL2Status[];
  /** Nodes that are not heard and may be well all the same: on the other side of a divided LAN. */
  readonly unheard?: ReadonlySet<string>;
  /** When this node took the last of the Service's addresses, RFC 3339. */
  readonly since?: string;
};

/**
 * What to change so that one ServiceL2Status per answering node exists. The object of this node is this node's;
 * those of others are removed when this node took over, since the former owner may be gone for good.
 */
export function serviceStatusOps(input: ServiceStatusInput): readonly StatusOp<ServiceL2Status>[] {
  const { service, me, owners, interfaces } = input;
  const ours = input.present.filter(object => serviceKeyOf(object) === service);
  const own = ours.filter(object => isOfNode(object, me));
  if (!owners.has(me)) return own.map(deletion);
  const name = statusName("l2", input);
  const kept = own.find(object => object.metadata.name === name);
  const wanted = interfaces.map(text => ({ name: text }));
  const status = { ...subjectOf(input), interfaces: wanted };
  const isRight = kept && JSON.stringify(kept.status?.interfaces ?? []) === JSON.stringify(wanted);
  const isComplete = isRight && kept.status?.node === me;
  return [
    ...(kept ? [] : [{ op: "create", object: newStatusObject(input, name) } as const]),
    ...(isComplete
      ? []
      : [{ op: "patch", key: `${input.namespace}/${name}`, patch: { status } } as const]),
    ...ours
      .filter(object => object !== kept && !isOfOtherOwner(object, owners, me))
      .filter(object => !isOfOtherSide(object, input))
      .map(deletion),
  ];
}

/** A node that is not heard made it after this one took over: it answers, too, and would only make it again. */
function isOfOtherSide(
  object: ServiceL2Status,
  { unheard = NOBODY, since }: ServiceStatusInput,
): boolean {
  const { creationTimestamp } = object.metadata;
  if (since === undefined || creationTimestamp === undefined) return false;
  const isLater = new Date(creationTimestamp).getTime() >= wholeSecond(since);
  return isLater && [...unheard].some(node => isOfNode(object, node));
}

const NOBODY: ReadonlySet<string> = new Set();

/** The API server writes when an object was made in whole seconds. */
function wholeSecond(time: string): number {
  return Math.floor(new Date(time).getTime() / 1000) * 1000;
}

function isOfOtherOwner(object: ServiceL2Status, owners: ReadonlySet<string>, me: string): boolean {
  return [...owners].some(owner => owner !== me && isOfNode(object, owner));
}

function deletion(object: ServiceL2Status): StatusOp<ServiceL2Status> {
  return { op: "delete", key: statusKeyOf(object) };
}
