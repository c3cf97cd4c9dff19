import type { kind } from "kubernetes-fluent-client";
import { formatAddress, parseAddress } from "../config/address";
import { ALLOW_SHARED_IP, readAnnotation } from "../config/annotations";
import { keyOf } from "../kube/resource";

/** What the plan needs to know of a Service of type LoadBalancer. */
export type ServiceFacts = {
  /** namespace/name */
  readonly key: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The addresses in its status, canonical text. */
  readonly addresses: readonly string[];
  /** externalTrafficPolicy Local: only nodes with an endpoint can deliver. */
  readonly isLocal: boolean;
  /** It carries the sharing annotation, whatever its value. */
  readonly isShared: boolean;
  /** Some endpoint, on any node or none, can serve. */
  readonly hasEndpoint: boolean;
  /** Nodes with an endpoint that can serve. */
  readonly endpointNodes: ReadonlySet<string>;
  /** How many of them each node has. */
  readonly endpointCounts: ReadonlyMap<string, number>;
};

/** What the plan and the membership need to know of a Node. */
export type NodeFacts = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly isNetworkUnavailable: boolean;
  /** It has the taint that says that it was shut down for good (KEP-2268). */
  readonly isOutOfService: boolean;
  /** Since when it is not Ready, ms since 1970; undefined if it is, or was never said to be. */
  readonly notReadySince: number | undefined;
  /** Its InternalIPs, canonical text. */
  readonly addresses: readonly string[];
};

/** A node with this label, whatever its value, is not to receive traffic from outside. */
export const EXCLUDE_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers";

/** An administrator says that a node is shut down and does not come back by itself. */
export const OUT_OF_SERVICE_TAINT = "node.kubernetes.io/out-of-service";

const SERVICE_NAME_LABEL = "kubernetes.io/service-name";

/** Key of the Service that an EndpointSlice belongs to; undefined if it belongs to none. */
export function serviceKeyOf({ metadata }: kind.EndpointSlice): string | undefined {
  const service = metadata?.labels?.[SERVICE_NAME_LABEL];
  return service === undefined ? undefined : `${metadata?.namespace ?? ""}/${service}`;
}

/**
 * Reads a Service; undefined for one that is not ours to announce: of another type, of another
 * loadBalancerClass, or without an address.
 *
 * @param slices the Service's own
 * @param loadBalancerClass the class to serve; undefined: Services without a class
 */
export function serviceFacts(
  service: kind.Service,
  slices: readonly kind.EndpointSlice[],
  loadBalancerClass: string | undefined,
): ServiceFacts | undefined {
  const { spec, metadata = {} } = service;
  if (spec?.type !== "LoadBalancer" || spec.loadBalancerClass !== loadBalancerClass) {
    return undefined;
  }
  const addresses = addressesOf(service);
  if (addresses.length === 0) return undefined;
  const key = keyOf(service as Parameters<typeof keyOf>[0]);
  const endpoints = slices.flatMap(slice => slice.endpoints ?? []).filter(canServe);
  return {
    key,
    labels: metadata.labels ?? {},
    addresses,
    isLocal: spec.externalTrafficPolicy === "Local",
    isShared: readAnnotation(metadata.annotations, ALLOW_SHARED_IP) !== undefined,
    hasEndpoint: endpoints.length > 0,
    ...byNode(endpoints.flatMap(({ nodeName }) => nodeName ?? [])),
  };
}

function byNode(names: readonly string[]): Pick<ServiceFacts, "endpointNodes" | "endpointCounts"> {
  const endpointCounts = new Map<string, number>();
  for (const name of names) endpointCounts.set(name, (endpointCounts.get(name) ?? 0) + 1);
  return { endpointNodes: new Set(endpointCounts.keys()), endpointCounts };
}

/** Reads a Node. */
export function nodeFacts(node: kind.Node): NodeFacts {
  const { conditions = [], addresses = [] } = node.status ?? {};
  const internal = addresses.filter(({ type }) => type === "InternalIP");
  return {
    name: node.metadata?.name ?? "",
    labels: node.metadata?.labels ?? {},
    isNetworkUnavailable: conditions.some(
      ({ type, status }) => type === "NetworkUnavailable" && status === "True",
    ),
    isOutOfService: (node.spec?.taints ?? []).some(({ key }) => key === OUT_OF_SERVICE_TAINT),
    notReadySince: notReadySince(conditions),
    addresses: canonical(internal.map(({ address }) => address)),
  };
}

type NodeCondition = NonNullable<NonNullable<kind.Node["status"]>["conditions"]>[number];

function notReadySince(conditions: readonly NodeCondition[]): number | undefined {
  const ready = conditions.find(({ type }) => type === "Ready");
  if (!ready || ready.status === "True" || ready.lastTransitionTime === undefined) return undefined;
  const since = new Date(ready.lastTransitionTime).getTime();
  return Number.isNaN(since) ? undefined : since;
}

type Endpoint = kind.EndpointSlice["endpoints"][number];

// Absent means ready (EndpointSlice API); an endpoint that terminates but still serves counts too.
function canServe({ conditions }: Endpoint): boolean {
  return (conditions?.ready ?? true) || conditions?.serving === true;
}

function addressesOf({ status }: kind.Service): readonly string[] {
  return canonical((status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip));
}

function canonical(texts: readonly (string | undefined)[]): readonly string[] {
  return texts.flatMap(text => {
    const address = text === undefined ? undefined : parseAddress(text);
    return address ? formatAddress(address) : [];
  });
}
