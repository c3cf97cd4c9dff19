/** What the parts of the state machine share: a step in the making. */
import type { Connection, FsmAction, FsmSettings, PeerState, Via } from "./fsm-types";
import type { Session } from "./negotiation";
import { keepalive } from "./wire/keepalive";
import type { Notification } from "./wire/notification";

/** Lives for one step only; `step` is pure for its callers. */
export type Draft = {
  readonly settings: FsmSettings;
  readonly random: number;
  state: PeerState;
  readonly actions: FsmAction[];
};

export function setConnection(draft: Draft, via: Via, connection: Connection | undefined): void {
  const connections = { ...draft.state.connections, [via]: connection };
  draft.state = { ...draft.state, connections };
}

export function otherVia(via: Via): Via {
  return via === "outgoing" ? "incoming" : "outgoing";
}

/** RFC 4271 section 10: three quarters of a time, up to all of it. */
export function jittered({ random }: Draft, ms: number): number {
  return Math.round(ms * (0.75 + 0.25 * random));
}

/** Ends a connection that has failed, and sees to it that there will be another. */
export function failConnection(
  draft: Draft,
  via: Via,
  reason: string,
  notification?: Notification,
): void {
  if (draft.state.connections[via] === undefined) {
    return;
  }
  endConnection(draft, via, reason, notification);
  draft.state = { ...draft.state, failures: draft.state.failures + 1 };
  scheduleRetry(draft);
}

/** Ends a connection, if there is one, whoever is to blame. */
export function endConnection(
  draft: Draft,
  via: Via,
  reason: string,
  notification?: Notification,
): void {
  const connection = draft.state.connections[via];
  if (connection === undefined) {
    return;
  }
  setConnection(draft, via, undefined);
  const wasUp = connection.phase === "established";
  if (connection.phase === "dialling") {
    draft.actions.push({ do: "cancelDial" });
  } else {
    if (notification !== undefined) {
      draft.actions.push({ do: "send", via, message: notification });
    }
    draft.actions.push({ do: "close", via });
  }
  if (wasUp) {
    draft.actions.push({ do: "clearTimer", timer: "settled" });
  }
  draft.actions.push({ do: "ended", reason, wasUp });
}

/** Waits longer after every failure, so that a peer that refuses us is not run over (damping). */
export function scheduleRetry(draft: Draft): void {
  const { state, settings } = draft;
  if (settings.isPassive || state.connections.outgoing !== undefined) {
    return;
  }
  const { minMs, maxMs } = settings.retry;
  const wait = Math.min(maxMs, minMs * 2 ** Math.min(Math.max(state.failures - 1, 0), 20));
  draft.actions.push({ do: "setTimer", timer: "connectRetry", ms: jittered(draft, wait) });
}

/** A third of the hold time, but never more than one a second (RFC 4271 sections 4.4 and 10). */
export function sendKeepalive(draft: Draft, via: Via, { holdTime }: Session): void {
  draft.actions.push({ do: "send", via, message: keepalive });
  if (holdTime > 0) {
    const ms = Math.max(1_000, jittered(draft, (holdTime * 1_000) / 3));
    draft.actions.push({ do: "setTimer", timer: `${via}:keepalive`, ms });
  }
}
