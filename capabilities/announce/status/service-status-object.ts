import { createHash } from "node:crypto";
import { splitKey } from "../../kube/resource";

const NODE_LABEL = "metallb.io/node";
const SERVICE_LABEL = "metallb.io/service-name";
const NAMESPACE_LABEL = "metallb.io/service-namespace";

/** The pod that this runs in: what it says of Services goes when it goes. */
export type OwnPod = { readonly name: string; readonly uid: string };

/** What a node says of a Service: a ServiceL2Status or a ServiceBGPStatus. */
export type ServiceStatusObject = {
  readonly metadata: {
    readonly name?: string | undefined;
    readonly namespace?: string | undefined;
    readonly labels?: Readonly<Record<string, string>> | undefined;
  };
};

/** Whose object of a Service it is. */
export type Author = {
  /** Key of the Service. */
  readonly service: string;
  readonly me: string;
  readonly namespace: string;
  readonly pod?: OwnPod;
};

/** The Service that such an object is about. */
export function serviceKeyOf({ metadata }: ServiceStatusObject): string {
  const labels = metadata.labels ?? {};
  return `${labels[NAMESPACE_LABEL] ?? ""}/${labels[SERVICE_LABEL] ?? ""}`;
}

/** True if the object is that node's. */
export function isOfNode({ metadata }: ServiceStatusObject, node: string): boolean {
  return metadata.labels?.[NODE_LABEL] === labelValue(node);
}

/** The key of such an object. */
export function statusKeyOf({ metadata }: ServiceStatusObject): string {
  return `${metadata.namespace ?? ""}/${metadata.name ?? ""}`;
}

/** The same name for the same Service and node, so that creating it twice cannot make two. */
export function statusName(prefix: "l2" | "bgp", { service, me }: Author): string {
  const hash = createHash("sha256").update(`${service}#${me}`).digest("hex");
  return `${prefix}-${hash.slice(0, 12)}`;
}

/** An object without a status yet, labelled as MetalLB does. */
export function newStatusObject(
  { service, me, namespace, pod }: Author,
  name: string,
): {
  metadata: {
    name: string;
    namespace: string;
    labels: Record<string, string>;
    ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string }[];
  };
  spec: Record<string, never>;
} {
  const { serviceName, serviceNamespace } = subjectOf({ service, me });
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

/** The fields of the status that say whose and about what it is. */
export function subjectOf({ service, me }: Pick<Author, "service" | "me">): {
  node: string;
  serviceName: string;
  serviceNamespace: string;
} {
  const { namespace = "", name } = splitKey(service);
  return { node: me, serviceName: name, serviceNamespace: namespace };
}

/** A label's value has at most 63 characters, a node's name up to 253. */
function labelValue(node: string): string {
  return node.slice(0, 63).replace(/[^a-z0-9]+$/i, "");
}
