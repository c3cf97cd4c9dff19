/** What the parts of the state machine share: a step in the making. */
import type { Connection, FsmAction, FsmSettings, PeerState, Via } from "./fsm-types";
import type { Session } from "./negotiation";
import { Cease, ErrorCode } from "./wire/codes";
import { keepalive } from "./wire/keepalive";
import { hardReset, withoutHardReset } from "./wire/notification";
import type { Notification } from "./wire/notification";

/** Failures in a row that give the longest wait. */
const MANY_FAILURES = 20;

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

/** The NOTIFICATION that ends a connection: ours, or the one that came. */
type LastWords = Notification | { readonly received: Notification };

/** Ends a connection that has failed, and sees to it that there will be another. */
export function failConnection(draft: Draft, via: Via, reason: string, last?: LastWords): void {
  if (draft.state.connections[via] === undefined) {
    return;
  }
  endConnection(draft, via, reason, last);
  // RFC 4486 section 4: with too many prefixes, at once it would end the same way.
  const failures = isTooMuch(last) ? MANY_FAILURES : draft.state.failures + 1;
  draft.state = { ...draft.state, failures };
  scheduleRetry(draft);
}

function isTooMuch(last: LastWords | undefined): boolean {
  const notification = notificationIn(last);
  if (notification === undefined) return false;
  const { code, subcode } = withoutHardReset(notification);
  return code === ErrorCode.Cease && subcode === Cease.MaximumPrefixes;
}

function notificationIn(last: LastWords | undefined): Notification | undefined {
  return last !== undefined && "received" in last ? last.received : last;
}

/** What goes out: of routes of which there are too many none is to be kept on the other side. */
function lastToSend(connection: Connection, last: LastWords | undefined): Notification | undefined {
  if (last === undefined || "received" in last) return undefined;
  const knowsHard = "session" in connection && connection.session.hasRestartNotification;
  return knowsHard && isTooMuch(last) ? hardReset(last) : last;
}

/** Ends a connection, if there is one, whoever is to blame. */
export function endConnection(draft: Draft, via: Via, reason: string, last?: LastWords): void {
  const connection = draft.state.connections[via];
  if (connection === undefined) {
    return;
  }
  setConnection(draft, via, undefined);
  const wasUp = connection.phase === "established";
  const toSend = lastToSend(connection, last);
  if (connection.phase === "dialling") {
    draft.actions.push({ do: "cancelDial" });
  } else {
    if (toSend !== undefined) {
      draft.actions.push({ do: "send", via, message: toSend });
    }
    draft.actions.push({ do: "close", via });
  }
  if (wasUp) {
    draft.actions.push({ do: "clearTimer", timer: "settled" });
  }
  const isGraceful = wasUp && isRestart(connection.session, toSend ?? notificationIn(last));
  draft.actions.push({ do: "ended", reason, wasUp, isGraceful });
}

/** Without a word it is a restart; with one only if both know RFC 8538 and it is no hard reset. */
function isRestart(session: Session, last: Notification | undefined): boolean {
  if (!session.canPeerRestart || last === undefined) {
    return session.canPeerRestart;
  }
  const isHard = last.code === ErrorCode.Cease && last.subcode === Cease.HardReset;
  return session.hasRestartNotification && !isHard;
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
