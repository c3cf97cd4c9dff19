import {
  GenericKind,
  K8s,
  modelToGroupVersionKind,
  RegisterKind,
  WatchEvent,
} from "kubernetes-fluent-client";
import { withKind } from "./resource";
import type { ResourceKind } from "./resource";
import type { WatchFact } from "./store-state";

/** Which objects of a kind are watched; all conditions must hold. */
export type WatchScope = {
  /** Watch one namespace only. */
  readonly namespace?: string;
  /** Fields that must have these values, e.g. `{"metadata.name": "web"}`. */
  readonly fieldSelector?: Readonly<Record<string, string>>;
  /** Labels that must have these values; an empty value means that the label must exist. */
  readonly labelSelector?: Readonly<Record<string, string>>;
};

/**
 * KFC's watcher carries list and stream; what goes wrong is handled here, by starting a new watcher,
 * because KFC has no answer to a list that failed beside a watch that succeeded.
 */
const WATCH_CONFIG = { resyncDelaySec: 1, lastSeenLimitSeconds: 300, relistIntervalSec: 600 };

const FAILURES = [
  WatchEvent.LIST_ERROR,
  WatchEvent.WATCH_ERROR,
  WatchEvent.NETWORK_ERROR,
  WatchEvent.OLD_RESOURCE_VERSION,
  WatchEvent.GIVE_UP,
] as const;

export type WatchHandlers<T> = {
  onFact(fact: WatchFact<T>): void;
  /** List and stream are in order. */
  onConnect(): void;
  /** Nothing more will come. */
  onFailure(error: unknown): void;
};

type ListBody<T> = { readonly items?: T[]; readonly metadata?: { resourceVersion?: string } };

/** One KFC watcher, which after `close` or its first failure says nothing any more. */
export function createWatcher<T>(
  kind: ResourceKind<T>,
  scope: WatchScope,
  handlers: WatchHandlers<T>,
): { start(): void; close(): void } {
  let live = true;

  function onEvent(object: unknown, phase: string): void {
    const type = phase === "DELETED" ? "deleted" : "set";
    if (live && ["ADDED", "MODIFIED", "DELETED"].includes(phase)) {
      handlers.onFact({ type, object: received(kind, object as T) });
    }
  }

  function fail(error: unknown): void {
    if (live) {
      handlers.onFailure(error);
    }
  }

  const watcher = K8s(modelOf(kind), {
    ...(scope.namespace === undefined ? {} : { namespace: scope.namespace }),
    ...(scope.fieldSelector === undefined ? {} : { fields: scope.fieldSelector }),
    ...(scope.labelSelector === undefined ? {} : { labels: scope.labelSelector }),
  }).Watch(onEvent, { ...WATCH_CONFIG });
  watcher.events.on(WatchEvent.LIST, (list: ListBody<T>) => {
    if (live) {
      const items = (list.items ?? []).map(item => received(kind, item));
      handlers.onFact({
        type: "list",
        items,
        resourceVersion: list.metadata?.resourceVersion ?? "0",
      });
    }
  });
  watcher.events.on(WatchEvent.CONNECT, () => {
    if (live) {
      handlers.onConnect();
    }
  });
  FAILURES.forEach(event => watcher.events.on(event, fail));

  return {
    start: () => void watcher.start().catch(fail),
    close: () => {
      live = false;
      watcher.close();
    },
  };
}

/** Changed in place, since KFC keeps it, too. Who wrote which field, nobody here asks; it is half of many an object. */
function received<T>(kind: ResourceKind<T>, object: T): T {
  const { metadata } = object as { metadata?: { managedFields?: unknown } };
  if (metadata) delete metadata.managedFields;
  return withKind(kind, object);
}

/**
 * KFC finds a kind's URL by the name of its class; this makes such a class for any kind, once. The
 * name is set by hand since bundlers may rename classes.
 */
function modelOf({ group, version, kind, plural }: ResourceKind<unknown>): typeof GenericKind {
  const name = `ancho/${group}/${version}/${plural}`;
  const model = class extends GenericKind {};
  Object.defineProperty(model, "name", { value: name });
  if (modelToGroupVersionKind(name) === undefined) {
    RegisterKind(model, { group, version, kind, plural });
  }
  return model;
}
