import { createHash } from "node:crypto";
import pLimit from "p-limit";
import type { KubeClient } from "./client";
import type { Clock } from "./clock";
import { systemClock } from "./clock";
import { isReason } from "./errors";
import type { Log } from "./log";
import { events } from "./resource";

/** The object that an event is about. */
export type EventSubject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Absent for a cluster-scoped object; its events are kept in `default`. */
  readonly namespace?: string;
  readonly uid?: string;
};

export type EventRecorder = {
  /**
   * Tells users what happened: `kubectl describe` and `kubectl get events` show it. The same event
   * again counts up the first one. Never rejects: what fails, or comes while too many wait, is logged and dropped.
   *
   * @param reason - a CamelCase word for machines, e.g. `IPAllocated`
   */
  emit(
    subject: EventSubject,
    type: "Normal" | "Warning",
    reason: string,
    message: string,
  ): Promise<void>;
};

/** The API server refuses longer messages. */
const LONGEST_MESSAGE = 1024;
/** Nobody waits for an event, and a thousand may come at once: a connection for each would leave none for the rest. */
const AT_ONCE = 4;
const WAITING_AT_MOST = 1_000;

/** Writes core/v1 Events as `component`, also readable as events.k8s.io/v1. */
export function createEventRecorder(
  client: KubeClient,
  component: string,
  clock: Pick<Clock, "now"> = systemClock,
  log?: Log,
): EventRecorder {
  const limit = pLimit(AT_ONCE);

  async function write(event: EventFields): Promise<void> {
    const name = eventName(event);
    const namespace = event.subject.namespace ?? "default";
    const at = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
    try {
      await client.create(events, buildEvent(event, { name, namespace, at }));
    } catch (error) {
      if (!isReason(error, "AlreadyExists")) {
        throw error;
      }
      await countUp(client, `${namespace}/${name}`, at);
    }
  }

  return {
    emit: async (subject, type, reason, message) => {
      try {
        const short = message.slice(0, LONGEST_MESSAGE);
        if (limit.pendingCount >= WAITING_AT_MOST) throw new Error("too many events wait");
        await limit(() => write({ component, subject, type, reason, message: short }));
      } catch (error) {
        log?.warn({ reason, name: subject.name, err: error }, "event could not be written");
      }
    },
  };
}

type EventFields = {
  readonly component: string;
  readonly subject: EventSubject;
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
};

/** The same event has the same name everywhere, so replicas and restarts count up one object. */
function eventName({ component, subject, type, reason, message }: EventFields): string {
  const parts = [component, subject.kind, subject.uid ?? "", type, reason, message];
  const hash = createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 16);
  return `${subject.name.slice(0, 200)}.${hash}`;
}

type Placement = { readonly name: string; readonly namespace: string; readonly at: string };
type CoreEvent = NonNullable<(typeof events)["__object"]>;

function buildEvent(event: EventFields, { name, namespace, at }: Placement): CoreEvent {
  const { subject, type, reason, message, component } = event;
  // Times are strings on the wire; the model's Date type would add milliseconds, which the API
  // server refuses in metav1.Time fields read strictly.
  const time = at as unknown as Date;
  return {
    metadata: { name, namespace },
    involvedObject: { ...subject, namespace: subject.namespace ?? "" },
    type,
    reason,
    message,
    count: 1,
    firstTimestamp: time,
    lastTimestamp: time,
    source: { component },
  };
}

async function countUp(client: KubeClient, key: string, at: string): Promise<void> {
  const seen = await client.get(events, key);
  await client.mergePatch(events, key, { count: (seen.count ?? 1) + 1, lastTimestamp: at });
}
