import { createHash } from "node:crypto";
import type { ServiceL2Status } from "../../config/kinds/service-l2-status";
import { splitKey } from "../../kube/resource";

const NODE_LABEL = "metallb.io/node";
const SERVICE_LABEL = "metallb.io/service-name";
const NAMESPACE_LABEL = "metallb.io/service-namespace";

/** The pod that this runs in: its ServiceL2Statuses go when it goes. */
export type OwnPod = { readonly name: string; readonly uid: string };

/** One change of the ServiceL2Status objects. */
export type StatusOp =
  | { readonly op: "create"; readonly object: ServiceL2Status }
  | { readonly op: "patch"; readonly key: string; readonly patch: object }
  | { readonly op: "delete"; readonly key: string };

export type ServiceStatusInput = {
  /** Key of the Service. */
  readonly service: string;
  readonly me: string;
  readonly namespace: string;
  readonly pod?: OwnPod;
  /** The nodes that the plan gives the Service's addresses to. */
  readonly owners: ReadonlySet<string>;
  /** Names of the interfaces on which this node answers for it. */
  readonly interfaces: readonly string[];
  /** All ServiceL2Statuses that there are. */
  readonly present: readonly ServiceL2Status[];
};

/**
 * What to change so that one ServiceL2Status per answering node exists. The object of this node is this node's;
 * those of others are removed when this node took over, since the former owner may be gone for good.
 */
export function serviceStatusOps(input: ServiceStatusInput): readonly StatusOp[] {
  const { service, me, owners, interfaces } = input;
  const ours = input.present.filter(object => serviceKeyOf(object) === service);
  const own = ours.filter(object => object.metadata.labels?.[NODE_LABEL] === labelValue(me));
  if (!owners.has(me)) return own.map(deletion);
  const name = statusName(service, me);
  const kept = own.find(object => object.metadata.name === name);
  const wanted = interfaces.map(text => ({ name: text }));
  const status = { ...statusOf(service, me), interfaces: wanted };
  const isRight = kept && JSON.stringify(kept.status?.interfaces ?? []) === JSON.stringify(wanted);
  const isComplete = isRight && kept.status?.node === me;
  return [
    ...(kept ? [] : [{ op: "create", object: newObject(input, name) } as const]),
    ...(isComplete
      ? []
      : [{ op: "patch", key: `${input.namespace}/${name}`, patch: { status } } as const]),
    ...ours.filter(object => object !== kept && !isOfOtherOwner(object, owners, me)).map(deletion),
  ];
}

/** The Service that a ServiceL2Status is about. */
export function serviceKeyOf({ metadata }: ServiceL2Status): string {
  const labels = metadata.labels ?? {};
  return `${labels[NAMESPACE_LABEL] ?? ""}/${labels[SERVICE_LABEL] ?? ""}`;
}

function isOfOtherOwner(object: ServiceL2Status, owners: ReadonlySet<string>, me: string): boolean {
  const label = object.metadata.labels?.[NODE_LABEL];
  return [...owners].some(owner => owner !== me && labelValue(owner) === label);
}

function deletion(object: ServiceL2Status): StatusOp {
  return { op: "delete", key: `${object.metadata.namespace ?? ""}/${object.metadata.name ?? ""}` };
}

function newObject(
  { service, me, namespace, pod }: ServiceStatusInput,
  name: string,
): ServiceL2Status {
  const { serviceName, serviceNamespace } = statusOf(service, me);
  const labels = {
    [NODE_LABEL]: labelValue(me),
    [SERVICE_LABEL]: serviceName,
    [NAMESPACE_LABEL]: serviceNamespace,
  };
  const ownerReferences = pod && [{ apiVersion: "v1", kind: "Pod", ...pod }];
  return {
    metadata: { name, namespace, labels, ...(ownerReferences ? { ownerReferences } : {}) },
    spec: {},
  };
}

function statusOf(
  service: string,
  node: string,
): { node: string; serviceName: string; serviceNamespace: string } {
  const { namespace = "", name } = splitKey(service);
  return { node, serviceName: name, serviceNamespace: namespace };
}

/** The same name for the same Service and node, so that creating it twice cannot make two. */
function statusName(service: string, node: string): string {
  return `l2-${createHash("sha256").update(`${service}#${node}`).digest("hex").slice(0, 12)}`;
}

/** A label's value has at most 63 characters, a node's name up to 253. */
function labelValue(node: string): string {
  return node.slice(0, 63).replace(/[^a-z0-9]+$/i, "");
}
