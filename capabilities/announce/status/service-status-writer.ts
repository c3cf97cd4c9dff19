import type { KubeClient } from "../../kube/client";
import type { Log } from "../../kube/log";
import type { ResourceKind } from "../../kube/resource";
import { watchStore } from "../../kube/store";
import { createWorkQueue } from "../../kube/work-queue";
import { serviceKeyOf } from "./service-status-object";
import type { ServiceStatusObject } from "./service-status-object";
import { applyOp } from "./status-ops";
import type { StatusOp } from "./status-ops";

export type ServiceStatusWriterOptions<T> = {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly log: Log;
  /** What to change, given the objects that there are of the Service, this node's and others'. */
  readonly ops: (service: string, present: readonly T[]) => readonly StatusOp<T>[];
};

/** Keeps the objects of one kind that say something of Services true, in its own time: nothing waits for it. */
export type ServiceStatusWriter = {
  serviceChanged(key: string): void;
  stop(): Promise<void>;
};

export function startServiceStatusWriter<T extends ServiceStatusObject>(
  kind: ResourceKind<T>,
  { client, namespace, log, ops }: ServiceStatusWriterOptions<T>,
): ServiceStatusWriter {
  // A deleted object tells only its key; this finds the Service that it was about.
  const serviceOf = new Map<string, string>();
  const objectsOf = new Map<string, Map<string, T>>();

  function note(key: string, object: T | undefined): string | undefined {
    const before = serviceOf.get(key);
    if (before !== undefined) objectsOf.get(before)?.delete(key);
    if (!object) {
      serviceOf.delete(key);
      return before;
    }
    const service = serviceKeyOf(object);
    serviceOf.set(key, service);
    objectsOf.set(service, (objectsOf.get(service) ?? new Map<string, T>()).set(key, object));
    return service;
  }

  const store = watchStore(kind, {
    log,
    namespace,
    onChange: (key, object) => {
      const service = note(key, object);
      if (service !== undefined) queue.add(service);
    },
  });
  const queue = createWorkQueue({
    name: kind.plural,
    log,
    reconcile: async service => {
      await store.synced;
      const present = [...(objectsOf.get(service)?.values() ?? [])];
      if (present.length === 0) objectsOf.delete(service);
      for (const op of ops(service, present)) await applyOp(client, kind, op);
    },
  });
  return {
    serviceChanged: key => {
      queue.add(key);
    },
    stop: async () => {
      store.stop();
      await queue.stop();
    },
  };
}
