import { createConnectionSource } from "./connection";
import type { ConnectionSource } from "./connection";
import { KubeError } from "./errors";
import { sendRequest } from "./request";
import type { KubeRequest } from "./request";
import { apiVersionOf, collectionPath, keyOf, objectPath, withKind } from "./resource";
import type { ObjectKey, ResourceKind } from "./resource";

/** One operation of a JSON patch (RFC 6902). */
export type JsonPatchOp =
  | { readonly op: "add" | "replace" | "test"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string }
  | { readonly op: "move" | "copy"; readonly from: string; readonly path: string };

/** A delete with preconditions fails with Conflict if the object is not the one that was meant. */
export type Preconditions = { readonly resourceVersion?: string; readonly uid?: string };

/**
 * Calls to the API server. Each rejects with a KubeError, and only with that. Writes are checked
 * strictly: an unknown or doubled field is refused (reason Invalid).
 */
export type KubeClient = {
  /** Reads one object; NotFound if there is none. */
  get<T>(kind: ResourceKind<T>, key: ObjectKey): Promise<T>;
  /** Reads all objects of a kind, or those of one namespace. */
  list<T>(kind: ResourceKind<T>, namespace?: string): Promise<T[]>;
  /** Creates the object; AlreadyExists if the name is taken. kind and apiVersion are filled in. */
  create<T>(kind: ResourceKind<T>, object: T): Promise<T>;
  /** Deletes; NotFound if there is none, Conflict if a precondition does not hold. */
  delete(kind: ResourceKind<unknown>, key: ObjectKey, only?: Preconditions): Promise<void>;
  /**
   * JSON patch. Replacing /metadata/resourceVersion by a stale value fails with Conflict, a `test`
   * that does not hold with Invalid.
   */
  jsonPatch<T>(
    kind: ResourceKind<T>,
    key: ObjectKey,
    operations: readonly JsonPatchOp[],
  ): Promise<T>;
  /** JSON merge patch (RFC 7386): lists are replaced whole, null removes. */
  mergePatch<T>(kind: ResourceKind<T>, key: ObjectKey, patch: object): Promise<T>;
  /** Merge patch of the status subresource; `patch` is the whole object's, e.g. `{status: {…}}`. */
  mergePatchStatus<T>(kind: ResourceKind<T>, key: ObjectKey, patch: object): Promise<T>;
  /** Server-side apply with force: what `object` says is ours, what it said before and not now goes. */
  apply<T>(kind: ResourceKind<T>, object: T, fieldManager: string): Promise<T>;
  /** Closes idle connections; calls after it open new ones. */
  close(): Promise<void>;
};

/** `timeoutMs`: how long one call may take in all (default 10 s). */
export type KubeClientOptions = {
  readonly timeoutMs?: number;
  readonly fieldManager?: string;
  readonly connections?: ConnectionSource;
};

const JSON_PATCH = "application/json-patch+json";
const MERGE_PATCH = "application/merge-patch+json";
const APPLY_PATCH = "application/apply-patch+yaml";

/** A client for the cluster that KUBECONFIG, ~/.kube/config or the pod's service account names. */
export function createKubeClient(options: KubeClientOptions = {}): KubeClient {
  const connections = options.connections ?? createConnectionSource();
  const timeoutMs = options.timeoutMs ?? 10_000;
  const write = { fieldManager: options.fieldManager ?? "ancho", fieldValidation: "Strict" };
  /** The request is made inside the promise, so that a wrong key rejects and does not throw. */
  const call = async <R>(request: () => KubeRequest): Promise<R> =>
    sendRequest<R>(connections, timeoutMs, request());
  const patch = <T>(kind: ResourceKind<T>, key: ObjectKey, patchOf: Patch): Promise<T> =>
    call(() => ({
      what: `patch ${kind.plural}${patchOf.subresource ?? ""} ${key}`,
      method: "PATCH",
      path: `${objectPath(kind, key)}${patchOf.subresource ?? ""}`,
      query: write,
      contentType: patchOf.contentType,
      body: patchOf.body,
    }));

  return {
    get: (kind, key) => call(() => getRequest(kind, key)),
    list: async <T>(kind: ResourceKind<T>, namespace?: string) => {
      const { items } = await call<{ items?: T[] }>(() => listRequest(kind, namespace));
      return (items ?? []).map(item => withKind(kind, item));
    },
    create: (kind, object) =>
      call(() => ({
        what: `create ${kind.plural} ${labelOf(object)}`,
        method: "POST",
        path: collectionOf(kind, object),
        query: write,
        body: typed(kind, object),
      })),
    delete: async (kind, key, only) => {
      await call(() => deleteRequest(kind, key, only));
    },
    jsonPatch: (kind, key, body) => patch(kind, key, { contentType: JSON_PATCH, body }),
    mergePatch: (kind, key, body) => patch(kind, key, { contentType: MERGE_PATCH, body }),
    mergePatchStatus: (kind, key, body) =>
      patch(kind, key, { contentType: MERGE_PATCH, body, subresource: "/status" }),
    apply: (kind, object, fieldManager) =>
      call(() => ({
        what: `apply ${kind.plural} ${labelOf(object)}`,
        method: "PATCH",
        path: objectPath(kind, keyOf(object as Named)),
        query: { ...write, fieldManager, force: "true" },
        contentType: APPLY_PATCH,
        body: typed(kind, object),
      })),
    close: () => connections.close(),
  };
}

type Patch = {
  readonly contentType: string;
  readonly body: unknown;
  readonly subresource?: "/status";
};

type Named = {
  readonly metadata?: {
    readonly namespace?: string;
    readonly name?: string;
    readonly generateName?: string;
  };
};

function getRequest(kind: ResourceKind<unknown>, key: ObjectKey): KubeRequest {
  return { what: `get ${kind.plural} ${key}`, method: "GET", path: objectPath(kind, key) };
}

function listRequest(kind: ResourceKind<unknown>, namespace?: string): KubeRequest {
  const what = `list ${kind.plural}${namespace === undefined ? "" : ` in ${namespace}`}`;
  return { what, method: "GET", path: collectionPath(kind, namespace) };
}

function deleteRequest(
  kind: ResourceKind<unknown>,
  key: ObjectKey,
  preconditions: Preconditions = {},
): KubeRequest {
  return {
    what: `delete ${kind.plural} ${key}`,
    method: "DELETE",
    path: objectPath(kind, key),
    body: { kind: "DeleteOptions", apiVersion: "v1", preconditions },
  };
}

/** For errors: `namespace/name`, or `namespace/prefix*` while the name is yet to be generated. */
function labelOf(object: unknown): string {
  const { namespace, name, generateName = "" } = (object as Named).metadata ?? {};
  return [namespace, name ?? `${generateName}*`].filter(Boolean).join("/");
}

function collectionOf(kind: ResourceKind<unknown>, object: unknown): string {
  const namespace = (object as Named).metadata?.namespace;
  if (kind.namespaced && namespace === undefined) {
    const message = `${kind.plural} ${labelOf(object)}: metadata.namespace is missing, set it`;
    throw new KubeError("Invalid", 0, message);
  }
  return collectionPath(kind, namespace);
}

function typed(kind: ResourceKind<unknown>, object: unknown): object {
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, ...(object as object) };
}
