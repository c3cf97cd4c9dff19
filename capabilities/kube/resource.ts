import type { kind, KubernetesObject } from "kubernetes-fluent-client";
import { KubeError } from "./errors";

/**
 * Names a kind of the Kubernetes API: enough to build its URL. `T` is the type of its objects;
 * `__object` exists for the type checker only and is never set.
 */
export type ResourceKind<T> = {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly __object?: T;
};

/** An object's name among its kind: `namespace/name`, or `name` if it is cluster-scoped. */
export type ObjectKey = string;

type Named = { readonly metadata?: { readonly namespace?: string; readonly name?: string } };

/** The key of an object. Throws if it has no name: an object from the API always has one. */
export function keyOf(object: Named): ObjectKey {
  const name = object.metadata?.name;
  if (name === undefined || name === "") {
    throw new KubeError("Invalid", 0, "metadata.name is missing: this object has no key");
  }
  const namespace = object.metadata?.namespace;
  return namespace === undefined || namespace === "" ? name : `${namespace}/${name}`;
}

/** The parts of a key; `namespace` is absent for a cluster-scoped object. */
export function splitKey(key: ObjectKey): { namespace?: string; name: string } {
  const slash = key.indexOf("/");
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** The `apiVersion` that objects of this kind carry. */
export function apiVersionOf(resource: ResourceKind<unknown>): string {
  return resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
}

/** URL path of the kind's collection, in one namespace or in all. */
export function collectionPath(resource: ResourceKind<unknown>, namespace?: string): string {
  const root = resource.group === "" ? "/api" : `/apis/${resource.group}`;
  const scope =
    namespace === undefined || !resource.namespaced
      ? ""
      : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}/${resource.version}${scope}/${resource.plural}`;
}

/** URL path of one object. Throws if the key does not fit the kind's scope. */
export function objectPath(resource: ResourceKind<unknown>, key: ObjectKey): string {
  const { namespace, name } = splitKey(key);
  if (resource.namespaced !== (namespace !== undefined) || /^\.{0,2}$/.test(name)) {
    const wanted = resource.namespaced ? "namespace/name" : "name";
    throw new KubeError("Invalid", 0, `${resource.plural}: key "${key}" must be ${wanted}`);
  }
  return `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`;
}

/** Items of a LIST carry neither kind nor apiVersion; this gives them back, in place. */
export function withKind<T>(resource: ResourceKind<T>, object: T): T {
  const item = object as KubernetesObject;
  item.kind ??= resource.kind;
  item.apiVersion ??= apiVersionOf(resource);
  return object;
}

export const services: ResourceKind<kind.Service> = core("Service", "services");
export const nodes: ResourceKind<kind.Node> = core("Node", "nodes", false);
export const namespaces: ResourceKind<kind.Namespace> = core("Namespace", "namespaces", false);
export const events: ResourceKind<kind.CoreEvent> = core("Event", "events");
export const configMaps: ResourceKind<kind.ConfigMap> = core("ConfigMap", "configmaps");
export const secrets: ResourceKind<kind.Secret> = core("Secret", "secrets");
export const roles: ResourceKind<kind.Role> = {
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "Role",
  plural: "roles",
  namespaced: true,
};
export const endpointSlices: ResourceKind<kind.EndpointSlice> = {
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
  namespaced: true,
};

function core<T>(kindName: string, plural: string, namespaced = true): ResourceKind<T> {
  return { group: "", version: "v1", kind: kindName, plural, namespaced };
}
