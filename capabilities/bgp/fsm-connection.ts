/** The state machine's part that is about one connection: from OPEN to Established. */
import {
  endConnection,
  failConnection,
  otherVia,
  scheduleRetry,
  sendKeepalive,
  setConnection,
} from "./fsm-draft";
import type { Draft } from "./fsm-draft";
import type { Connection, Via } from "./fsm-types";
import { negotiate, openFor } from "./negotiation";
import type { Session } from "./negotiation";
import { Cease, ErrorCode, FsmError, MessageType, OpenError } from "./wire/codes";
import type { Message } from "./wire/message";
import { describeNotification, notificationOf } from "./wire/notification";
import type { Notification } from "./wire/notification";
import type { Open } from "./wire/open";

/** RFC 4271 section 8.2.2: a large value while the peer's own is not known. */
const OPEN_HOLD_MS = 240_000;

/** After a session that held for so long without a hold time, failures before it are forgotten. */
const SETTLED_SECONDS = 90;

/** Decides about a connection that the peer has opened. */
export function acceptConnection(draft: Draft): void {
  if (!draft.state.isStarted) {
    draft.actions.push({ do: "refuse", notification: cease(Cease.ConnectionRejected) });
    return;
  }
  const up = establishedVia(draft);
  if (up?.session.canPeerRestart === false) {
    // RFC 4271 6.8: a session that is up is not given up for a newcomer.
    draft.actions.push({ do: "refuse", notification: cease(Cease.ConnectionCollision) });
    return;
  }
  if (up !== undefined) {
    // RFC 4724 section 5: it has restarted, and the old connection is dead without knowing it.
    endConnection(draft, up.via, "the peer has restarted");
  }
  // The peer knows best whether an older attempt of its own is still alive.
  endConnection(draft, "incoming", "the peer dials again", cease(Cease.ConnectionCollision));
  draft.actions.push({ do: "adopt" });
  beginConnection(draft, "incoming");
}

function establishedVia(draft: Draft): { via: Via; session: Session } | undefined {
  const vias: readonly Via[] = ["outgoing", "incoming"];
  return vias.flatMap(via => {
    const connection = draft.state.connections[via];
    return connection?.phase === "established" ? [{ via, session: connection.session }] : [];
  })[0];
}

/** TCP is connected: sends the OPEN, now or after DelayOpen. */
export function beginConnection(draft: Draft, via: Via): void {
  const { openDelayMs } = draft.settings;
  draft.actions.push({ do: "setTimer", timer: `${via}:hold`, ms: OPEN_HOLD_MS });
  if (openDelayMs > 0) {
    setConnection(draft, via, { phase: "openDelay" });
    draft.actions.push({ do: "setTimer", timer: `${via}:openDelay`, ms: openDelayMs });
  } else {
    sendOpen(draft, via);
  }
}

export function sendOpen(draft: Draft, via: Via): void {
  const { isPlain, hasBeenUp } = draft.state;
  const message = openFor(draft.settings.offer, isPlain, hasBeenUp);
  setConnection(draft, via, { phase: "openSent" });
  draft.actions.push({ do: "send", via, message });
}

/** RFC 4271 section 8.2.2, events 19 to 28. */
export function takeMessage(draft: Draft, via: Via, message: Message): void {
  const connection = draft.state.connections[via];
  if (connection === undefined) {
    return;
  }
  if (message.type === "notification") {
    takeNotification(draft, via, message);
    return;
  }
  if (!expected[connection.phase].includes(message.type)) {
    refuseMessage(draft, via, connection.phase, message);
  } else if (message.type === "open") {
    takeOpenIn(draft, via, connection.phase, message);
  } else if (connection.phase === "openConfirm") {
    establish(draft, via, connection.session);
  } else if (connection.phase === "established") {
    takeRoutes(draft, via, connection.session, message);
  }
}

/** What each phase waits for; NOTIFICATION may come at any time. */
const expected: Readonly<Record<Connection["phase"], readonly Message["type"][]>> = {
  dialling: [],
  openDelay: ["open"],
  openSent: ["open"],
  openConfirm: ["keepalive"],
  established: ["keepalive", "update", "routeRefresh"],
};

function takeOpenIn(draft: Draft, via: Via, phase: Connection["phase"], open: Open): void {
  if (phase === "openDelay") {
    draft.actions.push({ do: "clearTimer", timer: `${via}:openDelay` });
    sendOpen(draft, via);
  }
  takeOpen(draft, via, open);
}

/** RFC 6608: the message's type is the data. */
function refuseMessage(draft: Draft, via: Via, phase: Connection["phase"], message: Message): void {
  const subcodes = {
    dialling: FsmError.Unspecific,
    openDelay: FsmError.Unspecific,
    openSent: FsmError.InOpenSent,
    openConfirm: FsmError.InOpenConfirm,
    established: FsmError.InEstablished,
  };
  const notification = notificationOf({
    code: ErrorCode.FiniteStateMachine,
    subcode: subcodes[phase],
    data: Uint8Array.of(messageTypes[message.type]),
  });
  failConnection(draft, via, `a ${message.type} message came in phase ${phase}`, notification);
}

const messageTypes: Readonly<Record<Message["type"], number>> = {
  open: MessageType.Open,
  update: MessageType.Update,
  notification: MessageType.Notification,
  keepalive: MessageType.Keepalive,
  routeRefresh: MessageType.RouteRefresh,
};

function takeOpen(draft: Draft, via: Via, open: Open): void {
  const result = negotiate(draft.settings.offer, draft.state.isPlain, open);
  if (!result.ok) {
    failConnection(draft, via, result.error.reason, notificationOf(result.error));
    return;
  }
  const session = result.value;
  if (!survivesCollision(draft, via, session)) {
    endConnection(draft, via, COLLISION, cease(Cease.ConnectionCollision));
    return;
  }
  setConnection(draft, via, { phase: "openConfirm", session, isStalled: false });
  restartHold(draft, via, session);
  sendKeepalive(draft, via, session);
}

const COLLISION = "there is another connection to the same peer";

/**
 * RFC 4271 section 6.8: of two connections the one stays that the higher identifier has opened.
 * That holds for a session that is just up as well (CollisionDetectEstablishedState): the peer, which
 * saw things in another order, may have chosen already, and then each would close what the other
 * keeps. Connections that come later are refused before there is an OPEN.
 */
function survivesCollision(draft: Draft, via: Via, session: Session): boolean {
  const rival = otherVia(via);
  const connection = draft.state.connections[rival];
  if (connection === undefined || !("session" in connection)) {
    return true;
  }
  const survives = isPreferred(draft, via, session);
  if (survives) {
    endConnection(draft, rival, COLLISION, cease(Cease.ConnectionCollision));
  }
  return survives;
}

function isPreferred(draft: Draft, via: Via, { peerIdentifier, peerAs }: Session): boolean {
  const { identifier, localAs } = draft.settings.offer;
  // RFC 6286 section 2.3: equal identifiers are told apart by the AS numbers.
  const isOursHigher =
    identifier === peerIdentifier ? localAs > peerAs : identifier > peerIdentifier;
  return (via === "outgoing") === isOursHigher;
}

function establish(draft: Draft, via: Via, session: Session): void {
  const rival = otherVia(via);
  const hasOpen = draft.state.connections[rival]?.phase === "openSent";
  if (!hasOpen || isPreferred(draft, via, session)) {
    endConnection(draft, rival, COLLISION, cease(Cease.ConnectionCollision));
  }
  // Else the peer may have our OPEN there and have chosen that one: its OPEN or its end will tell.
  setConnection(draft, via, { phase: "established", session, isStalled: false });
  draft.state = { ...draft.state, hasBeenUp: true };
  draft.actions.push({ do: "clearTimer", timer: "connectRetry" });
  const ms = 1_000 * (session.holdTime === 0 ? SETTLED_SECONDS : session.holdTime);
  draft.actions.push({ do: "setTimer", timer: "settled", ms });
  restartHold(draft, via, session);
  draft.actions.push({ do: "up", via, session });
}

function takeRoutes(
  draft: Draft,
  via: Via,
  session: Session,
  message: Exclude<Message, Open | Notification>,
): void {
  if (message.type !== "routeRefresh") {
    restartHold(draft, via, session);
  }
  if (message.type !== "keepalive") {
    draft.actions.push({ do: "deliver", message });
  }
}

function restartHold(draft: Draft, via: Via, { holdTime }: Session): void {
  const timer = `${via}:hold` as const;
  draft.actions.push(
    holdTime === 0 ? { do: "clearTimer", timer } : { do: "setTimer", timer, ms: holdTime * 1_000 },
  );
}

/** Never answered by another one (RFC 4271 section 6.4). */
function takeNotification(draft: Draft, via: Via, notification: Notification): void {
  const { code, subcode } = notification;
  const reason = `the peer says ${describeNotification(notification)}`;
  if (code === ErrorCode.Cease && subcode === Cease.ConnectionCollision) {
    endConnection(draft, via, reason);
    scheduleRetry(draft);
    return;
  }
  if (code === ErrorCode.OpenMessage && subcode === OpenError.UnsupportedParameter) {
    // RFC 5492 section 3: then without capabilities.
    draft.state = { ...draft.state, isPlain: true };
  }
  failConnection(draft, via, reason, { received: notification });
}

function cease(subcode: number): Notification {
  return notificationOf({ code: ErrorCode.Cease, subcode, data: new Uint8Array() });
}
