import { setFlagsFromString } from "node:v8";
import type { Worker } from "node:worker_threads";
import { startWorker } from "../worker";
import { NO_COUNTS } from "./bfd";
import type { Bfd, BfdStatus } from "./bfd";
import { minimumTtlOf, sessionSettings } from "./options";
import type { BfdOptions, BfdTimers } from "./options";

/** From the thread that speaks BGP to BFD's. */
export type Order =
  | { readonly do: "watch"; readonly id: number; readonly options: BfdOptions }
  | { readonly do: "configure"; readonly id: number; readonly timers: BfdTimers }
  | { readonly do: "close"; readonly id: number }
  | { readonly do: "stop" };

/**
 * And back. Changes come one by one; counters every second, of all sessions at once: both threads take a lock for each
 * message, and BFD's would wait for the other one if that lost its processor meanwhile.
 */
export type Report =
  | { readonly is: "changed"; readonly id: number; readonly status: BfdStatus }
  | { readonly is: "counted"; readonly all: readonly (readonly [id: number, status: BfdStatus])[] }
  | { readonly is: "closed"; readonly id: number }
  | { readonly is: "stopped" };

type Watcher = { status: BfdStatus; onChange: (status: BfdStatus) => void; closed: () => void };

/**
 * V8 shares out the collection of young objects among threads of the process, and waits for all of them. Those have
 * no priority: on a busy machine BFD's thread would wait for longer than a neighbor does.
 */
const COLLECT_ALONE = "--no-parallel-scavenge";

const NOTHING_KNOWN: BfdStatus = {
  state: "Down",
  reason: "it has not begun",
  remoteState: "Down",
  diagnostic: 0,
  remoteDiagnostic: 0,
  localDiscriminator: 0,
  remoteDiscriminator: 0,
  transmitInterval: undefined,
  detectionTime: 0,
  echoInterval: undefined,
  echoProblem: "",
  counts: NO_COUNTS,
};

/**
 * BFD in a thread of its own, which begins with the first neighbor: what keeps this one busy must not make
 * neighbors believe that we are gone. Should the thread fail, the process ends with its error: neighbors that
 * hear nothing more would take it for dead anyway.
 */
export function startBfd(): Bfd {
  const watchers = new Map<number, Watcher>();
  let worker: Worker | undefined;
  let lastId = 0;

  function thread(): Worker {
    if (worker) return worker;
    setFlagsFromString(COLLECT_ALONE);
    worker = startWorker(import.meta.url, { source: "thread-main.ts", bundle: "bfd-thread.js" });
    worker.on("message", take);
    return worker;
  }

  function take(report: Report): void {
    if (report.is === "stopped") return;
    if (report.is === "counted") {
      for (const [id, status] of report.all) note(id, status);
      return;
    }
    const watcher = watchers.get(report.id);
    if (!watcher) return;
    if (report.is === "closed") {
      watchers.delete(report.id);
      watcher.closed();
      return;
    }
    watcher.status = report.status;
    watcher.onChange(report.status);
  }

  function note(id: number, status: BfdStatus): void {
    const watcher = watchers.get(id);
    if (watcher) watcher.status = status;
  }

  const tell = (order: Order): void => {
    thread().postMessage(order);
  };

  return {
    watch: (options, onChange) => {
      // Here, where the caller can catch it.
      sessionSettings(options);
      minimumTtlOf(options);
      const id = ++lastId;
      const watcher: Watcher = { status: NOTHING_KNOWN, onChange, closed: () => undefined };
      watchers.set(id, watcher);
      tell({ do: "watch", id, options });
      let ending: Promise<void> | undefined;
      return {
        status: () => watcher.status,
        configure: timers => {
          sessionSettings(timers);
          tell({ do: "configure", id, timers });
        },
        close: () => {
          watcher.onChange = () => undefined;
          if (!ending && watchers.has(id)) {
            ending = new Promise(resolve => (watcher.closed = resolve));
            tell({ do: "close", id });
          }
          return ending ?? Promise.resolve();
        },
      };
    },
    stop: async () => {
      if (!worker) return;
      const ended = worker;
      worker = undefined;
      const stopped = new Promise<void>(resolve => {
        ended.on("message", (report: Report) => {
          if (report.is === "stopped") resolve();
        });
      });
      ended.postMessage({ do: "stop" } satisfies Order);
      await stopped;
      await ended.terminate();
      watchers.forEach(({ closed }) => {
        closed();
      });
      watchers.clear();
    },
  };
}
