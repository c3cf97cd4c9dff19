import { fetch } from "kubernetes-fluent-client";
import { createConnectionSource } from "./connection";
import type { ConnectionSource } from "./connection";
import { toKubeError } from "./errors";
import type { KubeError } from "./errors";
import { apiVersionOf, collectionPath, objectPath, withKind } from "./resource";
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

type Request = {
  readonly what: string;
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly contentType?: string;
};

const JSON_TYPE = "application/json";
const JSON_PATCH = "application/json-patch+json";
const MERGE_PATCH = "application/merge-patch+json";
const APPLY_PATCH = "application/apply-patch+yaml";

/** A client for the cluster that KUBECONFIG, ~/.kube/config or the pod's service account names. */
export function createKubeClient(options: KubeClientOptions = {}): KubeClient {
  const connections = options.connections ?? createConnectionSource();
  const timeoutMs = options.timeoutMs ?? 10_000;
  const write = { fieldManager: options.fieldManager ?? "ancho", fieldValidation: "Strict" };
  const call = <R>(request: Request): Promise<R> => send<R>(connections, timeoutMs, request);

  function patch<T>(
    kind: ResourceKind<T>,
    key: ObjectKey,
    contentType: string,
    { body, subresource = "" }: { body: unknown; subresource?: string },
  ): Promise<T> {
    const what = `patch ${kind.plural}${subresource} ${key}`;
    const path = `${objectPath(kind, key)}${subresource}`;
    return call<T>({ what, method: "PATCH", path, query: write, contentType, body });
  }

  return {
    get: (kind, key) =>
      call({ what: `get ${kind.plural} ${key}`, method: "GET", path: objectPath(kind, key) }),
    list: async <T>(kind: ResourceKind<T>, namespace?: string) => {
      const what = `list ${kind.plural}${namespace === undefined ? "" : ` in ${namespace}`}`;
      const path = collectionPath(kind, namespace);
      const { items } = await call<{ items?: T[] }>({ what, method: "GET", path });
      return (items ?? []).map(item => withKind(kind, item));
    },
    create: (kind, object) => {
      const { what, path } = target("create", kind, object);
      const body = typed(kind, object);
      return call({ what, method: "POST", path, query: write, body });
    },
    delete: async (kind, key, only = {}) => {
      await call({
        what: `delete ${kind.plural} ${key}`,
        method: "DELETE",
        path: objectPath(kind, key),
        body: { kind: "DeleteOptions", apiVersion: "v1", preconditions: only },
      });
    },
    jsonPatch: (kind, key, operations) => patch(kind, key, JSON_PATCH, { body: operations }),
    mergePatch: (kind, key, body) => patch(kind, key, MERGE_PATCH, { body }),
    mergePatchStatus: (kind, key, body) =>
      patch(kind, key, MERGE_PATCH, { body, subresource: "/status" }),
    apply: (kind, object, fieldManager) => {
      const { name } = metadataOf(object);
      const { what, path } = target("apply", kind, object);
      return call({
        what,
        method: "PATCH",
        path: `${path}/${encodeURIComponent(name ?? "")}`,
        query: { ...write, fieldManager, force: "true" },
        contentType: APPLY_PATCH,
        body: typed(kind, object),
      });
    },
    close: () => connections.close(),
  };
}

type Metadata = { readonly namespace?: string; readonly name?: string; readonly generateName?: string };

function metadataOf(object: unknown): Metadata {
  return (object as { metadata?: Metadata }).metadata ?? {};
}

function target(
  verb: string,
  kind: ResourceKind<unknown>,
  object: unknown,
): { what: string; path: string } {
  const { namespace, name, generateName } = metadataOf(object);
  if (kind.namespaced && namespace === undefined) {
    throw new Error(`${verb} ${kind.plural} ${name ?? ""}: metadata.namespace is missing`);
  }
  const label = [namespace, name ?? `${generateName ?? ""}*`].filter(Boolean).join("/");
  return { what: `${verb} ${kind.plural} ${label}`, path: collectionPath(kind, namespace) };
}

function typed(kind: ResourceKind<unknown>, object: unknown): object {
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, ...(object as object) };
}

/** Sends a request; once more if the credentials were stale or a kept connection had gone. */
async function send<R>(
  connections: ConnectionSource,
  timeoutMs: number,
  request: Request,
): Promise<R> {
  const signal = AbortSignal.timeout(timeoutMs);
  const first = await attempt<R>(connections, signal, request);
  if (first.ok) {
    return first.data;
  }
  if (!isWorthRetry(request, first.error)) {
    throw first.error;
  }
  connections.renew();
  const second = await attempt<R>(connections, signal, request);
  if (second.ok) {
    return second.data;
  }
  throw second.error;
}

type Attempt<R> = { ok: true; data: R } | { ok: false; error: KubeError };

async function attempt<R>(
  connections: ConnectionSource,
  signal: AbortSignal,
  request: Request,
): Promise<Attempt<R>> {
  const { server, agent, headers } = await connections.current();
  const url = new URL(`${server.replace(/\/$/, "")}${request.path}`);
  for (const [name, value] of Object.entries(request.query ?? {})) {
    url.searchParams.set(name, value);
  }
  const response = await fetch<R>(url, {
    method: request.method,
    headers: {
      ...headers,
      Accept: JSON_TYPE,
      "Content-Type": request.contentType ?? JSON_TYPE,
      "User-Agent": "ancho",
    },
    body: request.body === undefined ? null : JSON.stringify(request.body),
    dispatcher: agent,
    signal,
  });
  return response.ok
    ? { ok: true, data: response.data }
    : { ok: false, error: toKubeError(request.what, response) };
}

/**
 * 401 means that the token was rotated under us. A read that found its kept connection closed was
 * never seen by the server; a write may have been, so it is for the caller to decide.
 */
function isWorthRetry(request: Request, error: KubeError): boolean {
  if (error.status === 401) {
    return true;
  }
  return request.method === "GET" && error.reason === "Unreachable" && error.status === 0;
}
