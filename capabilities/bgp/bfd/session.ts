/**
 * A BFD session in asynchronous mode (RFC 5880 section 6.8) as a pure step: what an event changes, and what is
 * to be done about it. Time is the edge's: it sets the timers that it is told to.
 */
import { sectionOf, sequenceFault } from "./session-keys";
import type {
  RemoteState,
  SessionAction,
  SessionEvent,
  SessionSettings,
  SessionState,
  SessionTimer,
} from "./session-types";
import { desiredMinTx, detectionTime, echoInterval, jitter, transmitInterval } from "./timing";
import { Diagnostic } from "./wire/packet";
import type { BfdState, ControlPacket } from "./wire/packet";

/** RFC 5880 section 6.8.1: a peer of which nothing is known may be sent to. */
const UNKNOWN_REMOTE: RemoteState = {
  state: "Down",
  discriminator: 0,
  diagnostic: Diagnostic.None,
  minRx: 1,
  minTx: 0,
  minEchoRx: 0,
  detectMultiplier: 0,
  isDemand: false,
};

/**
 * A session that has not been started.
 *
 * @param localDiscriminator - not 0, unlike those of all other sessions, and hard to guess
 * @param firstSequence - of signed packets: random, below 2^32
 */
export function openSession(
  settings: SessionSettings,
  localDiscriminator: number,
  firstSequence: number,
): SessionState {
  return {
    settings,
    localDiscriminator,
    state: "Down",
    diagnostic: Diagnostic.None,
    remote: UNKNOWN_REMOTE,
    agreed: settings,
    poll: "none",
    transmitInterval: undefined,
    isEchoing: false,
    echoesUnanswered: 0,
    nextSequence: firstSequence,
    heardSequence: undefined,
  };
}

/** Lives for one step only; `stepSession` is pure for its callers. */
type Draft = { session: SessionState; readonly actions: SessionAction[]; readonly random: number };

/**
 * Total: events that mean nothing in a state change nothing.
 *
 * @param random - from [0, 1), for jitter
 */
export function stepSession(
  session: SessionState,
  event: SessionEvent,
  random: number,
): { readonly session: SessionState; readonly actions: readonly SessionAction[] } {
  const draft: Draft = { session, actions: [], random };
  apply(draft, event);
  settle(draft, session, event.type === "start");
  return { session: draft.session, actions: draft.actions };
}

function apply(draft: Draft, event: SessionEvent): void {
  switch (event.type) {
    case "start":
      return;
    case "disable":
      update(draft, { poll: "none" });
      draft.actions.push({ do: "clearTimer", timer: "detect" });
      enter(draft, "AdminDown", Diagnostic.AdministrativelyDown);
      return;
    case "enable":
      if (draft.session.state === "AdminDown") enter(draft, "Down", Diagnostic.None);
      return;
    case "configure":
      configure(draft, event.settings);
      return;
    case "packet":
      receive(draft, event.packet);
      return;
    case "echoReturned":
      update(draft, { echoesUnanswered: 0 });
      return;
    case "timer":
      expire(draft, event.timer);
  }
}

function update(draft: Draft, changes: Partial<SessionState>): void {
  draft.session = { ...draft.session, ...changes };
}

function enter(draft: Draft, state: BfdState, diagnostic: number): void {
  update(draft, { state, diagnostic, poll: "none" });
  if (state === "Up") {
    // What was said so far is that we would send slowly: that is changed by a poll sequence at once.
    const { settings } = draft.session;
    const wasTold = desiredMinTx({ ...draft.session, state: "Init" }) === settings.desiredMinTx;
    update(draft, { agreed: settings, poll: wasTold ? "none" : "running" });
  }
}

function configure(draft: Draft, settings: SessionSettings): void {
  const { settings: old, state, poll } = draft.session;
  const needsPoll =
    state === "Up" &&
    (old.desiredMinTx !== settings.desiredMinTx || old.requiredMinRx !== settings.requiredMinRx);
  update(draft, { settings });
  if (needsPoll) update(draft, { poll: poll === "none" ? "running" : "again" });
  if (state !== "Up") update(draft, { agreed: settings });
}

/** RFC 5880 section 6.8.6, from the discriminators on. */
function receive(draft: Draft, packet: ControlPacket): void {
  const fault = faultOf(draft.session, packet);
  if (fault !== undefined) {
    draft.actions.push({ do: "discarded", reason: fault });
    return;
  }
  const { authentication } = packet;
  if (authentication && "sequence" in authentication) {
    update(draft, { heardSequence: authentication.sequence });
  }
  update(draft, { remote: remoteOf(packet) });
  if (packet.isFinal) endPoll(draft);
  if (draft.session.state === "AdminDown") return;
  move(draft, packet.state);
  if (packet.isPoll) send(draft, { isFinal: true });
  setDetection(draft);
}

function faultOf(session: SessionState, packet: ControlPacket): string | undefined {
  const { yourDiscriminator } = packet;
  if (yourDiscriminator !== 0 && yourDiscriminator !== session.localDiscriminator) {
    return `Your Discriminator ${yourDiscriminator} is not ours`;
  }
  return sequenceFault(session, packet);
}

function remoteOf(packet: ControlPacket): RemoteState {
  return {
    state: packet.state,
    discriminator: packet.myDiscriminator,
    diagnostic: packet.diagnostic,
    minRx: packet.requiredMinRx,
    minTx: packet.desiredMinTx,
    minEchoRx: packet.requiredMinEchoRx,
    detectMultiplier: packet.detectMultiplier,
    isDemand: packet.isDemand,
  };
}

function endPoll(draft: Draft): void {
  const { poll, settings } = draft.session;
  if (poll === "running") update(draft, { poll: "none", agreed: settings });
  if (poll === "again") update(draft, { poll: "running" });
}

/** The state machine of RFC 5880 section 6.8.6. */
function move(draft: Draft, remote: BfdState): void {
  const { state } = draft.session;
  if (remote === "AdminDown" || (remote === "Down" && state === "Up")) {
    if (state !== "Down") enter(draft, "Down", Diagnostic.NeighborSignaledDown);
  } else if (state === "Down") {
    if (remote === "Down") enter(draft, "Init", draft.session.diagnostic);
    if (remote === "Init") enter(draft, "Up", Diagnostic.None);
  } else if (state === "Init" && remote !== "Down") {
    enter(draft, "Up", Diagnostic.None);
  }
}

function expire(draft: Draft, timer: SessionTimer): void {
  switch (timer) {
    case "transmit":
      update(draft, { transmitInterval: undefined });
      if (transmitInterval(draft.session) !== undefined) send(draft);
      return;
    case "detect":
      loseRemote(draft);
      return;
    case "echo":
      if (draft.session.isEchoing) echoAgain(draft);
  }
}

/**
 * So many packets in a row that did not come back are the end (RFC 5880 section 6.8.5). They are counted where the
 * control packets' absence is timed, so that a thread which was kept from sending blames nobody.
 */
function echoAgain(draft: Draft): void {
  const { settings, echoesUnanswered } = draft.session;
  if (echoesUnanswered >= settings.detectMultiplier) enter(draft, "Down", Diagnostic.EchoFailed);
  else sendEcho(draft);
}

/** The second time in a row, any sequence number will do again (RFC 5880 section 6.8.1, AuthSeqKnown). */
function loseRemote(draft: Draft): void {
  const { session } = draft;
  if (session.remote.discriminator === 0) {
    update(draft, { heardSequence: undefined });
    return;
  }
  setDetection(draft);
  update(draft, { remote: UNKNOWN_REMOTE });
  if (session.state === "Up" || session.state === "Init") {
    enter(draft, "Down", Diagnostic.DetectionTimeExpired);
  }
}

/** Brings timers and the peer to what the step has made of the session. */
function settle(draft: Draft, before: SessionState, isFirst: boolean): void {
  settleTransmission(draft, isFirst || isNews(before, draft.session));
  settleEcho(draft);
  if (isChange(before, draft.session)) draft.actions.push({ do: "changed", from: before.state });
}

function settleTransmission(draft: Draft, hasNews: boolean): void {
  const interval = transmitInterval(draft.session);
  const current = draft.session.transmitInterval;
  if (interval === undefined) {
    if (current !== undefined) draft.actions.push({ do: "clearTimer", timer: "transmit" });
    update(draft, { transmitInterval: undefined });
    return;
  }
  if (hasNews) send(draft);
  if (hasNews || current === undefined || interval < current) {
    const us = jitter(interval, draft.session.settings.detectMultiplier, draft.random);
    draft.actions.push({ do: "setTimer", timer: "transmit", us });
    update(draft, { transmitInterval: interval });
  }
}

function settleEcho(draft: Draft): void {
  const isWanted = echoInterval(draft.session) !== undefined;
  if (isWanted === draft.session.isEchoing) return;
  update(draft, { isEchoing: isWanted, echoesUnanswered: 0 });
  if (isWanted) sendEcho(draft);
  else draft.actions.push({ do: "clearTimer", timer: "echo" });
}

/** Whether the peer should hear of it before the next packet is due (RFC 5880 section 6.8.7). */
function isNews(before: SessionState, after: SessionState): boolean {
  return (
    contentOf(before) !== contentOf(after) ||
    (before.poll !== "running" && after.poll === "running")
  );
}

function contentOf(session: SessionState): string {
  const { settings, state, diagnostic } = session;
  const { detectMultiplier, requiredMinRx, requiredMinEchoRx } = settings;
  const timing = [desiredMinTx(session), requiredMinRx, requiredMinEchoRx, detectMultiplier];
  return [state, diagnostic, ...timing].join();
}

function isChange(before: SessionState, after: SessionState): boolean {
  return (
    before.state !== after.state ||
    before.diagnostic !== after.diagnostic ||
    before.remote.state !== after.remote.state ||
    before.remote.diagnostic !== after.remote.diagnostic
  );
}

function send(draft: Draft, { isFinal = false } = {}): void {
  const { session } = draft;
  const { settings, remote, state, diagnostic } = session;
  const section = sectionOf(session);
  const packet: ControlPacket = {
    diagnostic,
    state,
    isPoll: !isFinal && session.poll !== "none",
    isFinal,
    // The session ends with the process that speaks BGP (RFC 5882 section 4.3.2).
    isControlPlaneIndependent: false,
    isDemand: false,
    detectMultiplier: settings.detectMultiplier,
    myDiscriminator: session.localDiscriminator,
    yourDiscriminator: remote.discriminator,
    desiredMinTx: desiredMinTx(session),
    requiredMinRx: settings.requiredMinRx,
    requiredMinEchoRx: settings.requiredMinEchoRx,
    ...(section && { authentication: section }),
  };
  draft.actions.push({ do: "send", packet });
  if (section) update(draft, { nextSequence: (session.nextSequence + 1) % 2 ** 32 });
}

function setDetection(draft: Draft): void {
  const us = detectionTime(draft.session);
  if (us > 0) draft.actions.push({ do: "setTimer", timer: "detect", us });
}

function sendEcho(draft: Draft): void {
  const { session, random } = draft;
  const us = jitter(echoInterval(session) ?? 0, session.settings.detectMultiplier, random);
  draft.actions.push({ do: "sendEcho" }, { do: "setTimer", timer: "echo", us });
  update(draft, { echoesUnanswered: session.echoesUnanswered + 1 });
}
