import { virtualIPResource } from "../../config/kinds/virtual-ip";
import type { VirtualIP } from "../../config/kinds/virtual-ip";
import type { Log } from "../../kube/log";
import type { ResourceKind } from "../../kube/resource";
import { watchStore } from "../../kube/store";
import { keptFor } from "../kept";
import type { VipFacts } from "../wire/duties";

export const virtualIps: ResourceKind<VirtualIP> = virtualIPResource;

/** The VirtualIPs as this node last heard of them. */
export type VirtualIps = {
  /** Resolves when they have been listed once. */
  readonly synced: Promise<void>;
  get(name: string): VirtualIP | undefined;
  list(): readonly VirtualIP[];
  /** Calls back with the name of each that has changed. */
  onChange(listener: (name: string) => void): void;
  /** Calls back when one says something else of a stranger than before. */
  onConflict(listener: () => void): void;
  stop(): void;
};

export function watchVirtualIps(log: Log): VirtualIps {
  let listeners: readonly ((name: string) => void)[] = [];
  let conflictListeners: readonly (() => void)[] = [];
  const conflicts = new Map<string, string>();
  const store = watchStore(virtualIps, {
    log,
    onChange: (name, vip) => {
      for (const listener of listeners) listener(name);
      const mac = vip?.status?.conflict?.mac;
      if (conflicts.get(name) === mac) return;
      if (mac === undefined) conflicts.delete(name);
      else conflicts.set(name, mac);
      for (const listener of conflictListeners) listener();
    },
  });
  return {
    synced: store.synced,
    get: name => store.get(name),
    list: () => store.list(),
    onChange: listener => {
      listeners = [...listeners, listener];
    },
    onConflict: listener => {
      conflictListeners = [...conflictListeners, listener];
    },
    stop: () => {
      store.stop();
    },
  };
}

/** What a VirtualIP says that matters on the wire. Each plan asks it of all of them. */
export const vipFacts = keptFor(({ spec, status }: VirtualIP): VipFacts => {
  const { conflict } = status ?? {};
  const { mac = "", interface: name = "", isInUse = false } = conflict ?? {};
  return {
    address: spec.address,
    isAnswered: status?.intendedOwner !== undefined,
    ...(conflict ? { conflict: { mac, interface: name, isInUse } } : {}),
  };
});
