import { systemClock } from "./clock";
import type { Clock } from "./clock";
import type { Log } from "./log";
import type { ObjectKey, ResourceKind } from "./resource";
import { processRetries } from "./retries";
import type { Retries } from "./retries";
import { createStoreState } from "./store-state";
import type { Change, WatchFact } from "./store-state";
import { createWatcher } from "./watcher";
import type { WatchScope } from "./watcher";

export type WatchStoreOptions<T> = WatchScope & {
  /**
   * Called once per change, after the store has it; `object` is absent if it was deleted. Also
   * called for all objects of the first list, and for what changed during a disconnection.
   */
  readonly onChange?: (key: ObjectKey, object: T | undefined) => void;
  readonly log: Log;
  readonly clock?: Clock;
  readonly retries?: Retries;
};

/**
 * The objects of one kind, kept up to date by a watch that never gives up. During an outage it
 * keeps what it had. Objects are shared: read them, don't change them.
 */
export type Store<T> = {
  get(key: ObjectKey): T | undefined;
  list(): readonly T[];
  /** Resolves when the first list has been taken in; never rejects. */
  readonly synced: Promise<void>;
  hasSynced(): boolean;
  /** True while list and watch are both in order; false during an outage. */
  isConnected(): boolean;
  stop(): void;
};

/** A watch that gets nowhere for so long is started anew: KFC itself would wait for 5 minutes. */
const CONNECT_TIMEOUT_MS = 30_000;

/** Lists and watches a kind. Returns at once; wait for `synced` before relying on absences. */
export function watchStore<T>(kind: ResourceKind<T>, options: WatchStoreOptions<T>): Store<T> {
  const { log, clock = systemClock, retries = processRetries } = options;
  const state = createStoreState<T>();
  let current: { close(): void } | undefined;
  /** Of the one thing that is waited for: a connection, or the next try. */
  let cancelWait: (() => void) | undefined;
  let failingSince: number | undefined;
  let lastProblem: string | undefined;
  let stopped = false;
  let listed = false;
  let connected = false;
  let resolveSynced = (): void => undefined;
  const synced = new Promise<void>(resolve => (resolveSynced = resolve));

  function take(fact: WatchFact<T>): void {
    state.apply(fact).forEach(notify);
  }

  function notify({ key, object }: Change<T>): void {
    try {
      options.onChange?.(key, object);
    } catch (error) {
      log.error({ kind: kind.plural, key, err: error }, "a change could not be handled");
    }
  }

  function connect(): void {
    const watcher = createWatcher(kind, options, {
      onFact: fact => {
        take(fact);
        if (fact.type === "list") {
          listed = true;
          resolveSynced();
        }
      },
      onConnect: () => {
        waitFor(undefined);
        connected = true;
        const wasFailing = failingSince;
        failingSince = undefined;
        lastProblem = undefined;
        if (wasFailing === undefined) return;
        log.info({ kind: kind.plural, outageMs: clock.now() - wasFailing }, "watch is back");
        retries.succeeded();
      },
      onFailure: reconnect,
    });
    current = watcher;
    waitFor(() =>
      clock.after(CONNECT_TIMEOUT_MS, () => {
        reconnect(new Error("no answer to list and watch"));
      }),
    );
    watcher.start();
  }

  function reconnect(error: unknown): void {
    current?.close();
    connected = false;
    failingSince ??= clock.now();
    const problem = describe(error);
    if (problem !== lastProblem) {
      log.warn({ kind: kind.plural, problem }, "watch failed, will reconnect until it works");
      lastProblem = problem;
    }
    waitFor(() => retries.wait(connect));
  }

  /** @param begin begins to wait for something, and returns what ends that */
  function waitFor(begin: (() => () => void) | undefined): void {
    cancelWait?.();
    cancelWait = stopped ? undefined : begin?.();
  }

  connect();
  return {
    get: key => state.get(key),
    list: () => state.list(),
    synced,
    hasSynced: () => listed,
    isConnected: () => connected,
    stop: () => {
      stopped = true;
      connected = false;
      waitFor(undefined);
      current?.close();
    },
  };
}

/** KFC adds the answer's headers to its messages, which differ each time. */
function describe(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : "";
  return [message.split(" [[")[0], cause].filter(Boolean).join(": ");
}
