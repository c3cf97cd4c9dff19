import { isDeepStrictEqual } from "node:util";
import type { KubeClient } from "./client";
import { isReason } from "./errors";
import type { Log } from "./log";
import type { ResourceKind } from "./resource";
import { watchStore } from "./store";
import { createWorkQueue } from "./work-queue";

export type StatusObjectOptions<T> = {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly name: string;
  /** The object without its status; undefined while there is nothing to say, or another process says it. */
  readonly object: () => T | undefined;
  /** What the status is to be, given the present one. */
  readonly status: (present: T | undefined) => object;
  readonly log: Log;
};

/** Tells that `object` or `status` may give something else now. */
export type StatusObject = { changed(): void; stop(): Promise<void> };

/**
 * Keeps one object that only says something: creates it, also after somebody deleted it, and writes its status where
 * it differs. Nothing waits for it.
 */
export function keepStatusObject<T>(
  kind: ResourceKind<T>,
  options: StatusObjectOptions<T>,
): StatusObject {
  const { client, namespace, name, log } = options;
  const key = `${namespace}/${name}`;
  const store = watchStore(kind, {
    log,
    namespace,
    fieldSelector: { "metadata.name": name },
    onChange: () => {
      queue.add(key);
    },
  });
  const queue = createWorkQueue({
    name: `${kind.plural}-${name}`,
    log,
    reconcile: async () => {
      await store.synced;
      const object = options.object();
      if (object === undefined) return;
      const present = store.get(key) ?? (await createOrGet(client, kind, key, object));
      const status = options.status(present);
      if (isDeepStrictEqual((present as { readonly status?: object }).status, status)) return;
      await client.mergePatchStatus(kind, key, { status });
    },
  });
  queue.add(key);
  return {
    changed: () => {
      queue.add(key);
    },
    stop: async () => {
      store.stop();
      await queue.stop();
    },
  };
}

async function createOrGet<T>(
  client: KubeClient,
  kind: ResourceKind<T>,
  key: string,
  object: T,
): Promise<T> {
  try {
    return await client.create(kind, object);
  } catch (error) {
    if (isReason(error, "AlreadyExists")) return client.get(kind, key);
    throw error;
  }
}
