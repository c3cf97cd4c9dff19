/**
 * The finite state machine of RFC 4271 section 8 for one peer, as a pure step. Where the RFC has one
 * machine per connection, this one has both connections of a peer in its state, so that collisions
 * (section 6.8) are decided in one place.
 */
import { acceptConnection, beginConnection, sendOpen, takeMessage } from "./fsm-connection";
import { endConnection, failConnection, jittered, sendKeepalive, setConnection } from "./fsm-draft";
import type { Draft } from "./fsm-draft";
import type { FsmAction, FsmEvent, FsmSettings, PeerState, StateName, Via } from "./fsm-types";
import { ErrorCode } from "./wire/codes";
import { hardReset, notificationOf } from "./wire/notification";

/** A peer that has not been started. */
export const initialState: PeerState = {
  isStarted: false,
  failures: 0,
  isPlain: false,
  hasBeenUp: false,
  connections: { outgoing: undefined, incoming: undefined },
};

/**
 * What an event changes and what is to be done about it, in this order. Total: events that mean
 * nothing in a state change nothing.
 *
 * @param random - from [0, 1), for the jitter of timers
 */
export function step(
  settings: FsmSettings,
  state: PeerState,
  event: FsmEvent,
  random: number,
): { readonly state: PeerState; readonly actions: readonly FsmAction[] } {
  const draft: Draft = { settings, random, state, actions: [] };
  apply(draft, event);
  return { state: draft.state, actions: draft.actions };
}

/** The state of the connection that has come farthest. */
export function stateName({ isStarted, connections }: PeerState): StateName {
  if (!isStarted) {
    return "Idle";
  }
  const phases = vias.map(via => connections[via]?.phase);
  if (phases.includes("established")) return "Established";
  if (phases.includes("openConfirm")) return "OpenConfirm";
  if (phases.includes("openSent")) return "OpenSent";
  return phases.includes("dialling") ? "Connect" : "Active";
}

const vias: readonly Via[] = ["outgoing", "incoming"];

function apply(draft: Draft, event: FsmEvent): void {
  switch (event.type) {
    case "start":
      start(draft);
      return;
    case "stop":
      stop(draft, event);
      return;
    case "accepted":
      acceptConnection(draft);
      return;
    case "dialled":
    case "dialFailed":
      endDialling(draft, event);
      return;
    case "timer":
      expire(draft, event.timer);
      return;
    case "reset":
      vias.forEach(via => {
        failConnection(draft, via, event.reason, event.notification);
      });
      return;
    default:
      onConnection(draft, event);
  }
}

/** Events of one connection, which may be gone already. */
function onConnection(draft: Draft, event: Extract<FsmEvent, { readonly via: Via }>): void {
  const { via } = event;
  const phase = draft.state.connections[via]?.phase;
  if (phase === undefined || phase === "dialling") {
    return;
  }
  switch (event.type) {
    case "closed":
      failConnection(draft, via, event.reason);
      return;
    case "malformed":
      failConnection(draft, via, event.error.reason, notificationOf(event.error));
      return;
    case "message":
      takeMessage(draft, via, event.message);
      return;
    case "stalled":
    case "flowing":
      watchSending(draft, via, event.type === "stalled");
  }
}

function start(draft: Draft): void {
  const { idleHoldMs = 0, isPassive } = draft.settings;
  if (draft.state.isStarted) return;
  draft.state = { ...draft.state, isStarted: true };
  const isHeld = idleHoldMs > 0 && !isPassive && !draft.state.hasBeenUp;
  if (isHeld) draft.actions.push({ do: "setTimer", timer: "connectRetry", ms: idleHoldMs });
  else dial(draft);
}

/** The notification is a hard reset to a peer that would otherwise keep our routes (RFC 8538). */
function stop(
  draft: Draft,
  { notification, reason = "stopped by us" }: Extract<FsmEvent, { readonly type: "stop" }>,
): void {
  if (!draft.state.isStarted) {
    return;
  }
  vias.forEach(via => {
    const connection = draft.state.connections[via];
    const isRestart =
      connection !== undefined &&
      "session" in connection &&
      connection.session.hasRestartNotification;
    const last = isRestart && notification ? hardReset(notification) : notification;
    endConnection(draft, via, reason, last);
  });
  draft.actions.push({ do: "clearTimer", timer: "connectRetry" });
  draft.state = { ...initialState, hasBeenUp: draft.state.hasBeenUp };
}

function dial(draft: Draft): void {
  if (draft.settings.isPassive) {
    return;
  }
  setConnection(draft, "outgoing", { phase: "dialling" });
  const ms = jittered(draft, draft.settings.dialMs);
  draft.actions.push({ do: "dial" }, { do: "setTimer", timer: "connectRetry", ms });
}

function endDialling(
  draft: Draft,
  event: Extract<FsmEvent, { readonly type: "dialled" | "dialFailed" }>,
): void {
  if (draft.state.connections.outgoing?.phase !== "dialling") {
    return;
  }
  if (event.type === "dialFailed") {
    failConnection(draft, "outgoing", event.reason);
  } else {
    draft.actions.push({ do: "clearTimer", timer: "connectRetry" });
    beginConnection(draft, "outgoing");
  }
}

function expire(draft: Draft, timer: Extract<FsmEvent, { type: "timer" }>["timer"]): void {
  if (!draft.state.isStarted) {
    return;
  }
  if (timer === "settled") {
    draft.state = { ...draft.state, failures: 0 };
  } else if (timer === "connectRetry") {
    retry(draft);
  } else {
    const [via, name] = timer.split(":") as [Via, "hold" | "keepalive" | "openDelay" | "sendHold"];
    expireOf(draft, via, name);
  }
}

function retry(draft: Draft): void {
  const { outgoing, incoming } = draft.state.connections;
  if (outgoing?.phase === "dialling") {
    failConnection(draft, "outgoing", `no answer within ${draft.settings.dialMs / 1000} s`);
  } else if (outgoing === undefined && (incoming === undefined || !("session" in incoming))) {
    dial(draft);
  }
  // Else the peer's own attempt is about to succeed; should it not, its failure schedules the next.
}

function expireOf(
  draft: Draft,
  via: Via,
  name: "hold" | "keepalive" | "openDelay" | "sendHold",
): void {
  const connection = draft.state.connections[via];
  if (connection === undefined || connection.phase === "dialling") {
    return;
  }
  switch (name) {
    case "hold":
      failWith(draft, via, ErrorCode.HoldTimerExpired, "the peer was silent for the hold time");
      return;
    case "sendHold":
      failWith(draft, via, ErrorCode.SendHoldTimerExpired, "the peer does not read what we send");
      return;
    case "keepalive":
      if ("session" in connection) {
        sendKeepalive(draft, via, connection.session);
      }
      return;
    case "openDelay":
      if (connection.phase === "openDelay") {
        sendOpen(draft, via);
      }
  }
}

function failWith(draft: Draft, via: Via, code: number, reason: string): void {
  failConnection(draft, via, reason, notificationOf({ code, subcode: 0, data: new Uint8Array() }));
}

/** The send hold timer runs only while bytes wait, so a session without traffic is never its prey. */
function watchSending(draft: Draft, via: Via, isStalled: boolean): void {
  const connection = draft.state.connections[via];
  if (connection?.phase !== "established" || connection.isStalled === isStalled) {
    return;
  }
  setConnection(draft, via, { ...connection, isStalled });
  const timer = `${via}:sendHold` as const;
  const ms = Math.max(draft.settings.sendHoldMs, 2_000 * connection.session.holdTime);
  draft.actions.push(isStalled ? { do: "setTimer", timer, ms } : { do: "clearTimer", timer });
}
