import { openSession, stepSession } from "./session";
import type {
  SessionAction,
  SessionEvent,
  SessionSettings,
  SessionState,
  SessionTimer,
} from "./session-types";
import type { BfdState, ControlPacket } from "./wire/packet";

export const MS = 1_000;

/** 300 ms three times, as MetalLB's default. */
export const settings: SessionSettings = {
  desiredMinTx: 300 * MS,
  requiredMinRx: 300 * MS,
  detectMultiplier: 3,
  isPassive: false,
  echoTx: 0,
  requiredMinEchoRx: 0,
};

/** What a peer says. */
export const packet = (over: Partial<ControlPacket> = {}): ControlPacket => ({
  diagnostic: 0,
  state: "Down",
  isPoll: false,
  isFinal: false,
  isControlPlaneIndependent: false,
  isDemand: false,
  detectMultiplier: 3,
  myDiscriminator: 77,
  yourDiscriminator: 0,
  desiredMinTx: 1_000 * MS,
  requiredMinRx: 300 * MS,
  requiredMinEchoRx: 0,
  ...over,
});

/** A session with its timers and what it has done last. */
export function machine(over: Partial<SessionSettings> = {}, random = 0.999_999) {
  let session = openSession({ ...settings, ...over }, 5, 1_000);
  const timers = new Map<SessionTimer, number>();
  const send = (event: SessionEvent): readonly SessionAction[] => {
    if (event.type === "timer") timers.delete(event.timer);
    const result = stepSession(session, event, random);
    session = result.session;
    for (const action of result.actions) {
      if (action.do === "setTimer") timers.set(action.timer, action.us);
      if (action.do === "clearTimer") timers.delete(action.timer);
    }
    return result.actions;
  };
  const hear = (over: Partial<ControlPacket> = {}): readonly SessionAction[] =>
    send({
      type: "packet",
      packet: packet({ yourDiscriminator: over.state === "Down" ? 0 : 5, ...over }),
    });
  return {
    send,
    hear,
    timers,
    session: () => session,
    configure: (changes: Partial<SessionSettings>) =>
      send({ type: "configure", settings: { ...session.settings, ...changes } }),
    /** Up, and what was to be confirmed is. */
    goUp(over: Partial<ControlPacket> = {}) {
      send({ type: "start" });
      hear({ state: "Init", ...over });
      return hear({ state: "Up", isFinal: true, desiredMinTx: 300 * MS, ...over });
    },
  };
}

export const packets = (actions: readonly SessionAction[]): readonly ControlPacket[] =>
  actions.flatMap(action => (action.do === "send" ? [action.packet] : []));

/** What a network does to one packet, microseconds; undefined: it is lost. */
export type Fate = { readonly delay: number } | undefined;
type Side = 0 | 1;

/**
 * Two sessions that talk to each other in virtual time. `fate` is asked for each packet, and `observe` is told
 * of each transmission and change.
 */
export function pair(
  of: readonly [Partial<SessionSettings>, Partial<SessionSettings>],
  random: () => number,
  fate: (from: Side, now: number) => Fate,
) {
  type Due = { at: number; side: Side; event: SessionEvent; order: number };
  const sessions = of.map((over, side) =>
    openSession({ ...settings, ...over }, 100 + side, Math.floor(random() * 2 ** 32)),
  );
  const sent: { at: number; from: Side; packet: ControlPacket }[] = [];
  const states: { at: number; side: Side; state: BfdState; diagnostic: number }[] = [];
  let now = 0;
  let order = 0;
  let queue: Due[] = [];

  const plan = (side: Side, after: number, event: SessionEvent): void => {
    queue.push({ at: now + after, side, event, order: order++ });
  };
  const unplan = (side: Side, timer: SessionTimer): void => {
    queue = queue.filter(
      due => !(due.side === side && due.event.type === "timer" && due.event.timer === timer),
    );
  };
  const tell = (side: Side, event: SessionEvent): void => {
    const result = stepSession(sessions[side]!, event, random());
    sessions[side] = result.session;
    result.actions.forEach(action => {
      perform(side, action);
    });
  };
  const perform = (side: Side, action: SessionAction): void => {
    if (action.do === "send") {
      sent.push({ at: now, from: side, packet: action.packet });
      const what = fate(side, now);
      if (what) plan(side === 0 ? 1 : 0, what.delay, { type: "packet", packet: action.packet });
    } else if (action.do === "setTimer") {
      unplan(side, action.timer);
      plan(side, action.us, { type: "timer", timer: action.timer });
    } else if (action.do === "clearTimer") {
      unplan(side, action.timer);
    } else if (action.do === "changed") {
      const { state, diagnostic } = sessions[side]!;
      states.push({ at: now, side, state, diagnostic });
    }
  };

  return {
    sent,
    states,
    now: () => now,
    session: (side: Side): SessionState => sessions[side]!,
    tell,
    start: () => {
      tell(0, { type: "start" });
      tell(1, { type: "start" });
    },
    /** Lets so many microseconds go by. */
    run: (us: number) => {
      const end = now + us;
      for (;;) {
        queue.sort((one, other) => one.at - other.at || one.order - other.order);
        if (queue.length === 0 || queue[0]!.at > end) break;
        const due = queue.shift()!;
        now = due.at;
        tell(due.side, due.event);
      }
      now = end;
    },
    areUp: () => sessions.every(({ state }) => state === "Up"),
  };
}
