import { parentPort, workerData } from "node:worker_threads";
import { startHeartbeat } from "./heartbeat";
import type { HeartbeatOptions } from "./heartbeat";
import type { Membership } from "./membership";
import type { Order, Report } from "./thread";

/** Counts are for metrics, which are read every few seconds, ms. */
const COUNTS_EVERY_MS = 1000;

/** What runs in the heartbeat's thread; `startHeartbeatThread` is its other end. */
async function main(): Promise<void> {
  const options = workerData as Omit<HeartbeatOptions, "warn">;
  const heartbeat = await startHeartbeat({
    ...options,
    warn: message => {
      say({ is: "warning", message });
    },
  });
  heartbeat.onChanges(changes => {
    say({ is: "members", changes });
  });
  heartbeat.onStall(() => {
    say({ is: "stalled" });
  });
  const timer = setInterval(() => {
    say({ is: "counts", counts: heartbeat.counts() });
  }, COUNTS_EVERY_MS);
  parentPort?.on("message", (order: Order) => {
    if (order.do !== "stop") {
      obey(heartbeat, order);
      return;
    }
    clearInterval(timer);
    void heartbeat.stop().then(() => {
      say({ is: "stopped" });
    });
  });
  say({ is: "started" });
}

function obey(heartbeat: Membership, order: Exclude<Order, { do: "stop" }>): void {
  switch (order.do) {
    case "peers":
      heartbeat.setPeers(order.peers);
      return;
    case "keys":
      heartbeat.setKeys(order.keys);
      return;
    case "phase":
      heartbeat.setPhase(order.phase);
      return;
    case "links":
      heartbeat.setLinks(order.links);
      return;
    case "claims":
      heartbeat.setClaims(order.claims);
      return;
  }
}

function say(report: Report): void {
  parentPort?.postMessage(report);
}

main().catch((error: unknown) => {
  say({ is: "failed", message: error instanceof Error ? error.message : String(error) });
});
