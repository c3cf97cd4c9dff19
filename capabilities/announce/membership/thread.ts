import type { Worker } from "node:worker_threads";
import { startWorker } from "../../bgp/index";
import type { HeartbeatOptions } from "./heartbeat";
import { HEARTBEAT_FATES } from "./membership";
import type {
  Claim,
  HeartbeatCounts,
  HeartbeatLink,
  HeartbeatPeer,
  Keyring,
  Member,
  Membership,
  Phase,
} from "./membership";
import { membersAfter } from "./roll";
import type { Changes } from "./roll";

/** From the main thread to the heartbeat's. */
export type Order =
  | { readonly do: "peers"; readonly peers: readonly HeartbeatPeer[] }
  | { readonly do: "keys"; readonly keys: Keyring }
  | { readonly do: "phase"; readonly phase: Phase }
  | { readonly do: "links"; readonly links: readonly HeartbeatLink[] }
  | { readonly do: "claims"; readonly claims: readonly Claim[] }
  | { readonly do: "stop" };

/** And back. */
export type Report =
  | { readonly is: "started" }
  | { readonly is: "failed"; readonly message: string }
  | { readonly is: "warning"; readonly message: string }
  | { readonly is: "members"; readonly changes: Changes }
  | { readonly is: "stalled" }
  | { readonly is: "counts"; readonly counts: HeartbeatCounts }
  | { readonly is: "stopped" };

/**
 * Runs the heartbeat in a thread of its own: a main thread that plans, parses or collects garbage must not
 * make the other nodes believe that this one is gone. Rejects if the heartbeat cannot start; a thread that
 * ends later ends the process, since a node that nobody hears must not go on as if it were.
 */
export async function startHeartbeatThread(options: HeartbeatOptions): Promise<Membership> {
  const { warn, ...workerData } = options;
  const code = { source: "thread-main.ts", bundle: "heartbeat-thread.js" };
  const worker = startWorker(import.meta.url, code, workerData);
  let known: ReadonlyMap<string, Member> = new Map();
  let members: readonly Member[] = [];
  let counts = Object.fromEntries(HEARTBEAT_FATES.map(fate => [fate, 0])) as HeartbeatCounts;
  let onStall = (): void => undefined;
  let listeners: ((members: readonly Member[]) => void)[] = [];
  const tell = (order: Order): void => {
    worker.postMessage(order);
  };

  worker.on("message", (report: Report) => {
    switch (report.is) {
      case "members":
        known = membersAfter(known, report.changes);
        members = [...known.values()];
        listeners.forEach(listener => {
          listener(members);
        });
        return;
      case "stalled":
        onStall();
        return;
      case "counts":
        counts = report.counts;
        return;
      case "warning":
        warn(report.message);
        return;
    }
  });
  await reportOf(worker, "started");

  return {
    members: () => members,
    counts: () => counts,
    onChange: listener => {
      listeners = [...listeners, listener];
    },
    onStall: listener => {
      onStall = listener;
    },
    setPeers: peers => {
      tell({ do: "peers", peers });
    },
    setKeys: keys => {
      tell({ do: "keys", keys });
    },
    setPhase: phase => {
      tell({ do: "phase", phase });
    },
    setLinks: links => {
      tell({ do: "links", links });
    },
    setClaims: claims => {
      tell({ do: "claims", claims });
    },
    stop: async () => {
      listeners = [];
      const stopped = reportOf(worker, "stopped");
      tell({ do: "stop" });
      await stopped;
      await worker.terminate();
    },
  };
}

function reportOf(worker: Worker, wanted: Report["is"]): Promise<void> {
  return new Promise((resolve, reject) => {
    const listen = (report: Report): void => {
      if (report.is !== wanted && report.is !== "failed") return;
      worker.off("message", listen);
      worker.off("error", reject);
      if (report.is === "failed") reject(new Error(report.message));
      else resolve();
    };
    worker.on("message", listen);
    worker.on("error", reject);
  });
}
