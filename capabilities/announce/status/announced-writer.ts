import type { kind } from "kubernetes-fluent-client";
import type { KubeClient } from "../../kube/client";
import { isReason } from "../../kube/errors";
import type { Log } from "../../kube/log";
import { keyOf, services } from "../../kube/resource";
import { createWorkQueue } from "../../kube/work-queue";
import { announcedPatch, isFirstSilence, isGoodNews, isSaid } from "./announced-condition";
import type { Announced } from "./announced-condition";

export type AnnouncedWriterOptions = {
  readonly client: KubeClient;
  readonly log: Log;
  /** The Service as the API server has it. */
  readonly service: (key: string) => kind.Service | undefined;
  /** What this node has to say of it now, if it is the one to speak. */
  readonly wish: (service: kind.Service) => Announced | "nothing" | undefined;
  /** Called when a Service was told that it is not announced, or why else than before. */
  readonly onSilence: (key: string, message: string) => void;
};

/**
 * What is new and not announced may only not be announced yet: its owner is about to be chosen, or its advertisement
 * is in the same manifest.
 */
const FIRST_SILENCE_MS = 2_000;

/** Nobody waits for it, and many Services may come at once. */
const REST = 1;

/** Of many Services that come up at once so many in a second are told that their addresses are seen, ms each. */
const GOOD_NEWS_MS = 200;

/** Keeps the conditions Announced and Reachable of Services true, in its own time: nothing waits for it. */
export type AnnouncedWriter = {
  /** Looks at all Services, and writes where they say something else. */
  check(all: readonly kind.Service[]): void;
  stop(): Promise<void>;
};

export function startAnnouncedWriter(options: AnnouncedWriterOptions): AnnouncedWriter {
  const { client, log, wish, onSilence } = options;
  const waiting = new Set<string>();
  let nextNewsAt = 0;
  const queue = createWorkQueue({
    name: "service-announced",
    log,
    rest: REST,
    reconcile: async key => {
      waiting.delete(key);
      const service = options.service(key);
      const announced = service && wish(service);
      if (!service || announced === undefined || isSaid(service, announced)) return;
      try {
        await client.mergePatchStatus(
          services,
          key,
          announcedPatch(service, announced, new Date()),
        );
      } catch (error) {
        // Gone, or written by somebody else meanwhile: the watch brings that, and with it the next check.
        if (isReason(error, "NotFound") || isReason(error, "Conflict")) return;
        throw error;
      }
      if (announced !== "nothing" && announced.status === "False")
        onSilence(key, announced.message);
    },
  });
  /** Each in its turn, so that it does not get in the way of what is waited for. */
  function waitFor(key: string): number {
    const now = performance.now();
    waiting.add(key);
    nextNewsAt = Math.max(now, nextNewsAt) + GOOD_NEWS_MS;
    return nextNewsAt - now;
  }

  return {
    check: all => {
      for (const service of all) {
        const announced = wish(service);
        if (announced === undefined || isSaid(service, announced)) continue;
        const key = keyOf(service);
        const isLater = isGoodNews(service, announced);
        if (isLater && !waiting.has(key)) queue.addAfter(key, waitFor(key));
        if (!isLater)
          queue.addAfter(key, isFirstSilence(service, announced) ? FIRST_SILENCE_MS : 0);
      }
    },
    stop: () => queue.stop(),
  };
}
