/** One peer at run time: carries out what the state machine decides, and feeds it what happens. */
import type { Socket } from "node:net";
import type { AttributeSet, Egress } from "./attribute-set";
import { openMessageStream } from "./connection";
import type { MessageStream } from "./connection";
import { initialState, stateName, step } from "./fsm";
import type { FsmAction, FsmEvent, FsmSettings, StateName, TimerName, Via } from "./fsm-types";
import { createIntake } from "./intake";
import type { IntakeOptions, Received, ReceivedRoute } from "./intake";
import { createTrafficCounter } from "./message-counts";
import type { Traffic } from "./message-counts";
import type { Session } from "./negotiation";
import { createPump } from "./pump";
import { createAdjRibOut } from "./rib";
import type { Family } from "./wire/address";
import { familyHead, familyOfAfi } from "./wire/attributes/multiprotocol";
import { concat, u32 } from "./wire/bytes";
import { Cease, ErrorCode } from "./wire/codes";
import { encodeMessage, LONGEST_EXTENDED, MAX_LENGTH } from "./wire/message";
import { notificationOf } from "./wire/notification";
import type { Notification } from "./wire/notification";
import { RefreshSubtype } from "./wire/route-refresh";
import type { RouteRefresh } from "./wire/route-refresh";
import type { Update } from "./wire/update";

/** What a session needs of the world. */
export type SessionEnvironment = {
  /** A socket on its way to the peer; it may still fail. */
  dial(): Socket;
  /** From [0, 1), for the jitter of timers. */
  random(): number;
  /** Our addresses on this connection. */
  nextHops(socket: Socket): Egress["nextHops"];
  changed(change: SessionChange): void;
  readonly intake: IntakeOptions;
  /** Milliseconds that End-of-RIB waits for `complete` at most (RFC 4724 section 4.1). */
  readonly deferralMs: number;
};

/** The session came up or went away; an attempt that failed is `down` as well. */
export type SessionChange =
  | { readonly type: "up"; readonly session: Session }
  | { readonly type: "down"; readonly reason: string; readonly wasUp: boolean };

export type PeerSession = {
  start(): void;
  /**
   * Until the next start; without a notification the peer is to keep our routes. Resolves when all
   * is closed.
   */
  stop(notification?: Notification, reason?: string): Promise<void>;
  /** Makes our routes the last choice (RFC 8326). */
  drain(): void;
  /** All that there is to announce has been announced. */
  complete(): void;
  reset(notification: Notification, reason: string): void;
  /** A connection that the peer opened. */
  accept(socket: Socket): void;
  announce(prefixes: Iterable<string>, set: AttributeSet): void;
  withdraw(prefixes: Iterable<string>): void;
  prefixes(): Iterable<string>;
  /** How many prefixes the peer is yet to be told of, or that they are gone. */
  pending(): number;
  traffic(): Traffic;
  state(): StateName;
  session(): Session | undefined;
  received(): Received;
  routes(): Iterable<ReceivedRoute>;
};

export function createSession(settings: FsmSettings, environment: SessionEnvironment): PeerSession {
  const rib = createAdjRibOut();
  const timers = new Map<TimerName, NodeJS.Timeout>();
  const streams = new Map<Via, MessageStream>();
  let state = initialState;
  let dialling: Socket | undefined;
  let up: { readonly via: Via; readonly session: Session } | undefined;
  let staleTimer: NodeJS.Timeout | undefined;
  let deferral: NodeJS.Timeout | undefined;
  const closing = new Set<Promise<void>>();
  const intake = createIntake(environment.intake);
  const traffic = createTrafficCounter();
  const pump = createPump(
    () => up && streams.get(up.via),
    nextMessage,
    isStalled => {
      if (up !== undefined) handle({ type: isStalled ? "stalled" : "flowing", via: up.via });
    },
  );
  rib.setComplete(environment.deferralMs === 0);

  function nextMessage(): Uint8Array | undefined {
    const message = rib.next();
    if (message !== undefined) traffic.sentBytes(message);
    return message;
  }

  function handle(event: FsmEvent, arrived?: Socket): void {
    const result = step(settings, state, event, environment.random());
    state = result.state;
    result.actions.forEach(action => {
      perform(action, arrived);
    });
  }

  function perform(action: FsmAction, arrived: Socket | undefined): void {
    switch (action.do) {
      case "setTimer":
        setTimer(action.timer, action.ms);
        return;
      case "clearTimer":
        clearTimer(action.timer);
        return;
      case "send":
        traffic.sent(action.message.type);
        streams.get(action.via)?.send(action.message);
        return;
      case "close":
        close(action.via);
        return;
      case "deliver":
        deliver(action.message);
        return;
      case "up":
        begin(action.via, action.session);
        return;
      case "ended":
        end(action);
        return;
      default:
        connect(action, arrived);
    }
  }

  function connect(
    action: Extract<FsmAction, { readonly do: "dial" | "cancelDial" | "adopt" | "refuse" }>,
    arrived: Socket | undefined,
  ): void {
    if (action.do === "dial") {
      dial();
    } else if (action.do === "cancelDial") {
      dialling?.destroy();
      dialling = undefined;
    } else if (arrived !== undefined && action.do === "adopt") {
      attach("incoming", arrived);
    } else if (arrived !== undefined && action.do === "refuse") {
      arrived.on("error", () => undefined);
      traffic.sent("notification");
      arrived.end(encodeMessage(action.notification));
      arrived.resume();
    }
  }

  function dial(): void {
    const socket = environment.dial();
    dialling = socket;
    const fail = (error: Error): void => {
      if (dialling === socket) {
        dialling = undefined;
        handle({ type: "dialFailed", reason: error.message });
      }
    };
    socket.on("error", fail);
    socket.once("connect", () => {
      if (dialling === socket) {
        dialling = undefined;
        attach("outgoing", socket);
        handle({ type: "dialled" });
      }
    });
  }

  function attach(via: Via, socket: Socket): void {
    const isCurrent = (): boolean => streams.get(via) === stream;
    const stream = openMessageStream(socket, {
      message: message => {
        if (!isCurrent()) return;
        traffic.received(message.type);
        handle({ type: "message", via, message });
      },
      malformed: error => {
        if (isCurrent()) handle({ type: "malformed", via, error });
      },
      closed: reason => {
        if (isCurrent()) handle({ type: "closed", via, reason });
      },
      drained: () => {
        if (isCurrent()) pump.schedule();
      },
    });
    streams.set(via, stream);
  }

  function close(via: Via): void {
    (["hold", "keepalive", "openDelay", "sendHold"] as const).forEach(name => {
      clearTimer(`${via}:${name}`);
    });
    const stream = streams.get(via);
    streams.delete(via);
    if (stream !== undefined) {
      const end = stream.close().finally(() => closing.delete(end));
      closing.add(end);
    }
  }

  function begin(via: Via, session: Session): void {
    const stream = streams.get(via);
    if (stream === undefined) {
      return;
    }
    up = { via, session };
    clearTimeout(staleTimer);
    intake.begin(session, settings.offer.localAs);
    stream.setContext(session, session.hasExtendedMessages ? LONGEST_EXTENDED : MAX_LENGTH);
    rib.connect({
      ...session,
      localAs: settings.offer.localAs,
      nextHops: environment.nextHops(stream.socket),
    });
    if (environment.deferralMs > 0) deferral ??= setTimeout(complete, environment.deferralMs);
    environment.changed({ type: "up", session });
    pump.schedule();
  }

  function complete(): void {
    clearTimeout(deferral);
    rib.setComplete(true);
    pump.schedule();
  }

  function end({ reason, wasUp, isGraceful }: Extract<FsmAction, { do: "ended" }>): void {
    if (wasUp) {
      up = undefined;
      rib.disconnect();
      const seconds = intake.end(isGraceful);
      if (seconds !== undefined) {
        staleTimer = setTimeout(() => {
          intake.expire();
        }, 1_000 * seconds);
      }
    }
    environment.changed({ type: "down", reason, wasUp });
  }

  function deliver(message: Update | RouteRefresh): void {
    if (message.type === "update") {
      const family = intake.take(message);
      if (family !== undefined) endFlood(family);
    } else if (message.subtype === RefreshSubtype.Request) {
      const family = familyOfAfi(message.afi, message.safi);
      if (family !== undefined) rib.refresh(family);
      pump.schedule();
    }
  }

  /** RFC 4486 section 4. */
  function endFlood(family: Family): void {
    const limit = environment.intake.maxPrefixes ?? 0;
    const data = concat(familyHead(family), u32(limit));
    const notification = { code: ErrorCode.Cease, subcode: Cease.MaximumPrefixes, data };
    const reason = `the peer announces more than ${limit} prefixes of ${family}`;
    handle({ type: "reset", notification: notificationOf(notification), reason });
  }

  function setTimer(name: TimerName, ms: number): void {
    clearTimer(name);
    const timer = setTimeout(() => {
      timers.delete(name);
      handle({ type: "timer", timer: name });
    }, ms);
    timers.set(name, timer);
  }

  function clearTimer(name: TimerName): void {
    clearTimeout(timers.get(name));
    timers.delete(name);
  }

  return {
    start: () => {
      handle({ type: "start" });
    },
    stop: async (notification, reason) => {
      handle({
        type: "stop",
        ...(notification !== undefined && { notification }),
        ...(reason !== undefined && { reason }),
      });
      clearTimeout(staleTimer);
      clearTimeout(deferral);
      deferral = undefined;
      intake.expire();
      await Promise.all(closing);
    },
    drain: () => {
      rib.drain();
      pump.schedule();
    },
    complete,
    reset: (notification, reason) => {
      handle({ type: "reset", notification, reason });
    },
    accept: socket => {
      handle({ type: "accepted" }, socket);
    },
    announce: (prefixes, set) => {
      rib.announce(prefixes, set);
      pump.schedule();
    },
    withdraw: prefixes => {
      rib.withdraw(prefixes);
      pump.schedule();
    },
    prefixes: () => rib.prefixes(),
    pending: () => rib.pending(),
    traffic: () => traffic.read(),
    state: () => stateName(state),
    session: () => up?.session,
    received: () => intake.received(),
    routes: () => intake.routes(),
  };
}
