import type { Log } from "../kube/log";
import { secrets } from "../kube/resource";
import { watchStore } from "../kube/store";
import type { Store } from "../kube/store";
import { delay } from "./timers";

export type PeerSecretsOptions = {
  readonly namespace: string;
  readonly log: Log;
  /** Called after any change of what `list` gives. */
  readonly onChange: () => void;
};

/** The Secrets that BGPPeers name, each watched by its name: there is no right to see others. */
export type PeerSecrets = {
  /** Watches these from now on, and no others. */
  follow(names: readonly string[]): void;
  /** Those that there are. */
  list(): readonly unknown[];
  /** Resolves when those that are followed now have been looked for, or after a while without the right to do so. */
  settled(): Promise<unknown>;
  stop(): void;
};

/** The control plane grants the right, and it may be away, ms. */
const PATIENCE_MS = 2_000;

export function watchPeerSecrets({ namespace, log, onChange }: PeerSecretsOptions): PeerSecrets {
  const stores = new Map<string, Store<unknown>>();

  function follow(names: readonly string[]): void {
    for (const [name, store] of stores) {
      if (names.includes(name)) continue;
      store.stop();
      stores.delete(name);
    }
    for (const name of names) {
      if (stores.has(name)) continue;
      const fieldSelector = { "metadata.name": name };
      stores.set(name, watchStore<unknown>(secrets, { namespace, fieldSelector, log, onChange }));
    }
  }

  return {
    follow,
    list: () => [...stores.values()].flatMap(store => store.list()),
    settled: () =>
      Promise.race([
        Promise.all([...stores.values()].map(store => store.synced)),
        delay(PATIENCE_MS),
      ]),
    stop: () => {
      follow([]);
    },
  };
}
