import { keyOf } from "./resource";
import type { ObjectKey } from "./resource";

/** What happened to one object; `object` is absent if it is gone. */
export type Change<T> = { readonly key: ObjectKey; readonly object: T | undefined };

/** The two facts about the API server that the store goes by. */
export type WatchFact<T> =
  | { readonly type: "list"; readonly items: readonly T[]; readonly resourceVersion: string }
  | { readonly type: "set" | "deleted"; readonly object: T };

/**
 * Objects of one kind as last seen, put together from LISTs and watch events that may come late,
 * twice or in the wrong order (a relist runs beside the watch, and one chunk of the stream may be
 * handled before an earlier one is done). The resource version says which is newer: it is the
 * revision of etcd, common to all objects of the cluster, and a LIST at revision L holds every
 * change up to L.
 */
export type StoreState<T> = {
  /** Takes in a fact; returns what it changed. */
  apply(fact: WatchFact<T>): Change<T>[];
  get(key: ObjectKey): T | undefined;
  list(): readonly T[];
};

type Meta = { metadata?: { namespace?: string; name?: string; resourceVersion?: string } };

/**
 * Negative, zero or positive as `a` is older than, as old as or newer than `b`. Resource versions
 * are decimal numbers of up to 64 bits, too big for a JavaScript number.
 */
export function compareVersions(a: string, b: string): number {
  if (a.length !== b.length) {
    return a.length - b.length;
  }
  return a < b ? -1 : Number(a > b);
}

export function createStoreState<T>(): StoreState<T> {
  const known = new Map<ObjectKey, T>();
  /** Deletions newer than the last list, so that a late older event brings nothing back. */
  const gone = new Map<ObjectKey, string>();
  let listedAt = "0";
  let olderLists = 0;

  /** The newest version at which we know this key's state. */
  function versionKnown(key: ObjectKey): string {
    const versions = [versionOf(known.get(key)), gone.get(key) ?? "0", listedAt];
    return versions.reduce((newest, v) => (compareVersions(v, newest) > 0 ? v : newest));
  }

  function applyEvent(type: "set" | "deleted", object: T): Change<T>[] {
    const key = keyOf(object as Meta);
    const version = versionOf(object);
    if (compareVersions(version, versionKnown(key)) <= 0) {
      return [];
    }
    if (type === "set") {
      gone.delete(key);
      known.set(key, object);
      return [{ key, object }];
    }
    gone.set(key, version);
    return known.delete(key) ? [{ key, object: undefined }] : [];
  }

  function applyList(items: readonly T[], resourceVersion: string): Change<T>[] {
    if (isOutdated(resourceVersion)) {
      return [];
    }
    listedAt = resourceVersion;
    const listed = new Map(items.map(item => [keyOf(item as Meta), item]));
    const changes = [...dropUnlisted(listed), ...takeListed(listed)];
    for (const [key, version] of gone) {
      if (compareVersions(version, resourceVersion) <= 0) {
        gone.delete(key);
      }
    }
    return changes;
  }

  /**
   * A list older than the last one was overtaken by it. Two such in a row mean that the cluster's
   * history itself went back (etcd restored from a backup): then what we know is worth nothing.
   */
  function isOutdated(resourceVersion: string): boolean {
    olderLists = compareVersions(resourceVersion, listedAt) < 0 ? olderLists + 1 : 0;
    if (olderLists === 1) {
      return true;
    }
    if (olderLists === 2) {
      gone.clear();
      known.forEach((object, key) => known.set(key, withoutVersion(object)));
      olderLists = 0;
    }
    return false;
  }

  function dropUnlisted(listed: ReadonlyMap<ObjectKey, T>): Change<T>[] {
    const changes: Change<T>[] = [];
    for (const [key, object] of known) {
      if (!listed.has(key) && compareVersions(versionOf(object), listedAt) <= 0) {
        known.delete(key);
        changes.push({ key, object: undefined });
      }
    }
    return changes;
  }

  function takeListed(listed: ReadonlyMap<ObjectKey, T>): Change<T>[] {
    const changes: Change<T>[] = [];
    for (const [key, object] of listed) {
      const before = versionOf(known.get(key));
      const isNewerHere =
        compareVersions(before, listedAt) > 0 ||
        compareVersions(gone.get(key) ?? "0", listedAt) > 0;
      if (!isNewerHere && before !== versionOf(object)) {
        known.set(key, object);
        changes.push({ key, object });
      }
    }
    return changes;
  }

  return {
    apply: fact =>
      fact.type === "list"
        ? applyList(fact.items, fact.resourceVersion)
        : applyEvent(fact.type, fact.object),
    get: key => known.get(key),
    list: () => [...known.values()],
  };
}

function versionOf(object: unknown): string {
  return (object as Meta | undefined)?.metadata?.resourceVersion ?? "0";
}

function withoutVersion<T>(object: T): T {
  const meta = (object as Meta).metadata;
  return { ...object, metadata: { ...meta, resourceVersion: "0" } };
}
