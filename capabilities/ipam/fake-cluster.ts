import { KubeError } from "../kube/errors";
import type { KubeErrorReason } from "../kube/errors";
import type { JsonPatchOp, KubeClient } from "../kube/client";
import type { ResourceKind } from "../kube/resource";

type Metadata = Record<string, unknown> & { name: string; resourceVersion: string; uid: string };
type Stored = Record<string, unknown> & { metadata: Metadata };

/** For tests: what a cluster keeps, with the API server's rules on versions, and nothing else of it. */
export type FakeCluster = {
  readonly client: KubeClient;
  /** Called after every change, with `undefined` for a deletion. */
  onChange: (plural: string, key: string, object: unknown) => void;
  /** Called before every write; throwing makes the write fail. */
  beforeWrite: (verb: string, plural: string, key: string) => void | Promise<void>;
  all<T>(kind: ResourceKind<T>): readonly T[];
  /** Every write so far, as "verb plural key". */
  readonly writes: string[];
};

export function createFakeCluster(): FakeCluster {
  const objects = new Map<string, Stored>();
  let version = 0;
  const writes: string[] = [];

  const pathOf = (kind: ResourceKind<unknown>, key: string): string => `${kind.plural}/${key}`;

  function find(kind: ResourceKind<unknown>, key: string): Stored {
    const object = objects.get(pathOf(kind, key));
    if (!object) throw failure("NotFound", 404, `${kind.plural} "${key}" not found`);
    return object;
  }

  async function begin(verb: string, kind: ResourceKind<unknown>, key: string): Promise<void> {
    await fake.beforeWrite(verb, kind.plural, key);
    writes.push(`${verb} ${kind.plural} ${key}`);
  }

  function save<T>(kind: ResourceKind<T>, key: string, object: Stored): T {
    const stored = structuredClone(object);
    stored.metadata.resourceVersion = String(++version);
    objects.set(pathOf(kind, key), stored);
    fake.onChange(kind.plural, key, structuredClone(stored));
    return structuredClone(stored) as T;
  }

  function merge<T>(kind: ResourceKind<T>, key: string, patch: object): T {
    const before = find(kind, key);
    const wanted = (patch as { metadata?: Partial<Metadata> }).metadata?.resourceVersion;
    if (wanted !== undefined && wanted !== before.metadata.resourceVersion) {
      throw failure("Conflict", 409, `${key} has been modified`);
    }
    const after = mergePatch(before, patch) as Stored;
    return save(kind, key, after);
  }

  const fake: FakeCluster = {
    onChange: () => undefined,
    beforeWrite: () => undefined,
    writes,
    all: kind =>
      [...objects]
        .filter(([path]) => path.startsWith(`${kind.plural}/`))
        .map(([, object]) => structuredClone(object) as never),
    client: {
      get: (kind, key) => Promise.resolve().then(() => structuredClone(find(kind, key)) as never),
      list: (kind, namespace) =>
        Promise.resolve(
          fake
            .all(kind)
            .filter(
              object =>
                namespace === undefined || (object as Stored).metadata["namespace"] === namespace,
            ),
        ),
      create: async (kind, object) => {
        const draft = structuredClone(object) as Stored;
        const { name } = draft.metadata;
        const key = kind.namespaced ? `${String(draft.metadata["namespace"])}/${name}` : name;
        await begin("create", kind, key);
        if (objects.has(pathOf(kind, key))) throw failure("AlreadyExists", 409, `${key} exists`);
        draft.metadata = { ...draft.metadata, uid: `uid-${++version}` };
        return save(kind, key, draft);
      },
      delete: async (kind, key, only = {}) => {
        await begin("delete", kind, key);
        const { metadata } = find(kind, key);
        const isOther =
          (only.resourceVersion !== undefined &&
            only.resourceVersion !== metadata.resourceVersion) ||
          (only.uid !== undefined && only.uid !== metadata.uid);
        if (isOther) throw failure("Conflict", 409, `${key} is not the one that was meant`);
        objects.delete(pathOf(kind, key));
        fake.onChange(kind.plural, key, undefined);
      },
      jsonPatch: async (kind, key, operations) => {
        await begin("patch", kind, key);
        const object = structuredClone(find(kind, key));
        operations.forEach(operation => {
          applyOperation(object, operation);
        });
        return save(kind, key, object);
      },
      mergePatch: async (kind, key, patch) => {
        await begin("patch", kind, key);
        return merge(kind, key, patch);
      },
      mergePatchStatus: async (kind, key, patch) => {
        await begin("patch-status", kind, key);
        return merge(kind, key, patch);
      },
      apply: () => Promise.reject(new Error("the fake cluster has no server-side apply")),
      close: () => Promise.resolve(),
    },
  };
  return fake;
}

function failure(reason: KubeErrorReason, status: number, message: string): KubeError {
  return new KubeError(reason, status, message);
}

/** RFC 7386, as far as our patches go. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const base = typeof target === "object" && target !== null ? { ...target } : {};
  const result = base as Record<string, unknown>;
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(result, key);
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

/** The `replace` of JSON patch; a stale resourceVersion conflicts. */
function applyOperation(object: Stored, operation: JsonPatchOp): void {
  if (operation.op !== "replace") throw new Error(`the fake cluster has no ${operation.op}`);
  const { path, value } = operation;
  if (path === "/metadata/resourceVersion" && value !== object.metadata.resourceVersion) {
    throw failure("Conflict", 409, "the object has been modified");
  }
  const names = path.slice(1).split("/");
  const last = names.pop() ?? "";
  const parent = names.reduce<Record<string, unknown>>(
    (at, name) => at[name] as Record<string, unknown>,
    object,
  );
  parent[last] = value;
}
