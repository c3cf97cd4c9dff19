/** What runs in BFD's thread; `startBfd` is its other end. */
import { parentPort } from "node:worker_threads";
import type { BfdWatch } from "./bfd";
import { createBfd } from "./engine";
import { preferThisThread } from "./priority";
import type { Order, Report } from "./thread";

/** Counters are for metrics, which are read every few seconds, ms. */
const COUNTS_EVERY_MS = 1_000;

// Without it the sessions hold as long as the machine has processors to spare.
preferThisThread();
const bfd = createBfd();
const watches = new Map<number, BfdWatch>();

function obey(order: Order): void {
  switch (order.do) {
    case "watch": {
      const { id, options } = order;
      const watch = bfd.watch(options, status => {
        say({ is: "changed", id, status });
      });
      watches.set(id, watch);
      return;
    }
    case "configure":
      watches.get(order.id)?.configure(order.timers);
      return;
    case "close":
      void close(order.id);
      return;
    case "stop":
      void stop();
  }
}

async function close(id: number): Promise<void> {
  const watch = watches.get(id);
  watches.delete(id);
  await watch?.close();
  say({ is: "closed", id });
}

async function stop(): Promise<void> {
  clearInterval(counting);
  await bfd.stop();
  say({ is: "stopped" });
}

function say(report: Report): void {
  parentPort?.postMessage(report);
}

const counting = setInterval(() => {
  say({ is: "counted", all: [...watches].map(([id, watch]) => [id, watch.status()]) });
}, COUNTS_EVERY_MS);
parentPort?.on("message", obey);
