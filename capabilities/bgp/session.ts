/** One peer at run time: carries out what the state machine decides, and feeds it what happens. */
import type { Socket } from "node:net";
import type { AttributeSet, Egress } from "./attribute-set";
import { openMessageStream } from "./connection";
import type { MessageStream } from "./connection";
import { initialState, stateName, step } from "./fsm";
import type { FsmAction, FsmEvent, FsmSettings, StateName, TimerName, Via } from "./fsm-types";
import type { Session } from "./negotiation";
import { createAdjRibOut } from "./rib";
import { familyOfAfi } from "./wire/attributes/multiprotocol";
import { encodeMessage } from "./wire/message";
import type { Notification } from "./wire/notification";
import { RefreshSubtype } from "./wire/route-refresh";
import type { RouteRefresh } from "./wire/route-refresh";
import { routesOf } from "./wire/update";
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
};

/** The session came up or went away; an attempt that failed is `down` as well. */
export type SessionChange =
  | { readonly type: "up"; readonly session: Session }
  | { readonly type: "down"; readonly reason: string; readonly wasUp: boolean };

/** What came from the peer since the session is up; routes are counted, not kept. */
export type Received = {
  readonly updates: number;
  readonly announced: number;
  readonly withdrawn: number;
  /** Attributes that were malformed (RFC 7606). */
  readonly faults: number;
};

export type PeerSession = {
  start(): void;
  /** Until the next start. */
  stop(notification?: Notification, reason?: string): void;
  reset(notification: Notification, reason: string): void;
  /** A connection that the peer opened. */
  accept(socket: Socket): void;
  announce(prefixes: Iterable<string>, set: AttributeSet): void;
  withdraw(prefixes: Iterable<string>): void;
  prefixes(): Iterable<string>;
  state(): StateName;
  session(): Session | undefined;
  received(): Received;
};

/** Octets that one write takes along: enough for the kernel, little enough for other sessions. */
const BATCH = 65_536;
const NOTHING_RECEIVED: Received = { updates: 0, announced: 0, withdrawn: 0, faults: 0 };

export function createSession(settings: FsmSettings, environment: SessionEnvironment): PeerSession {
  const rib = createAdjRibOut();
  const timers = new Map<TimerName, NodeJS.Timeout>();
  const streams = new Map<Via, MessageStream>();
  let state = initialState;
  let dialling: Socket | undefined;
  let up: { readonly via: Via; readonly session: Session } | undefined;
  let received = NOTHING_RECEIVED;
  let isPumpDue = false;

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
        end(action.reason, action.wasUp);
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
        if (isCurrent()) handle({ type: "message", via, message });
      },
      malformed: error => {
        if (isCurrent()) handle({ type: "malformed", via, error });
      },
      closed: reason => {
        if (isCurrent()) handle({ type: "closed", via, reason });
      },
      drained: () => {
        if (isCurrent()) schedulePump();
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
    stream?.close();
  }

  function begin(via: Via, session: Session): void {
    const stream = streams.get(via);
    if (stream === undefined) {
      return;
    }
    up = { via, session };
    received = NOTHING_RECEIVED;
    stream.setContext(session);
    rib.connect({
      ...session,
      localAs: settings.offer.localAs,
      nextHops: environment.nextHops(stream.socket),
    });
    environment.changed({ type: "up", session });
    schedulePump();
  }

  function end(reason: string, wasUp: boolean): void {
    if (wasUp) {
      up = undefined;
      rib.disconnect();
    }
    environment.changed({ type: "down", reason, wasUp });
  }

  function deliver(message: Update | RouteRefresh): void {
    if (message.type === "update") {
      const { announced, withdrawn } = routesOf(message);
      const count = (parts: typeof announced): number =>
        parts.reduce((sum, { prefixes }) => sum + prefixes.length, 0);
      received = {
        updates: received.updates + 1,
        announced: received.announced + count(announced),
        withdrawn: received.withdrawn + count(withdrawn),
        faults: received.faults + message.faults.length,
      };
    } else if (message.subtype === RefreshSubtype.Request) {
      const family = familyOfAfi(message.afi, message.safi);
      if (family !== undefined) rib.refresh(family);
      schedulePump();
    }
  }

  /** What is announced in one turn of the event loop goes out together. */
  function schedulePump(): void {
    if (!isPumpDue) {
      isPumpDue = true;
      setImmediate(() => {
        isPumpDue = false;
        pump();
      });
    }
  }

  /** Writes until the kernel takes no more; then the send hold timer watches the peer. */
  function pump(): void {
    const stream = up === undefined ? undefined : streams.get(up.via);
    if (up === undefined || stream === undefined) {
      return;
    }
    const { via } = up;
    if (stream.pending() > 0) {
      handle({ type: "stalled", via });
      return;
    }
    handle({ type: "flowing", via });
    const batch = nextBatch();
    if (batch === undefined) {
      return;
    }
    if (stream.write(batch)) {
      schedulePump();
    } else {
      handle({ type: "stalled", via });
    }
  }

  function nextBatch(): Uint8Array | undefined {
    const messages: Uint8Array[] = [];
    for (let length = 0; length < BATCH; length += messages.at(-1)?.length ?? 0) {
      const message = rib.next();
      if (message === undefined) break;
      messages.push(message);
    }
    return messages.length === 0 ? undefined : Buffer.concat(messages);
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
    stop: (notification, reason) => {
      handle({
        type: "stop",
        ...(notification !== undefined && { notification }),
        ...(reason !== undefined && { reason }),
      });
    },
    reset: (notification, reason) => {
      handle({ type: "reset", notification, reason });
    },
    accept: socket => {
      handle({ type: "accepted" }, socket);
    },
    announce: (prefixes, set) => {
      rib.announce(prefixes, set);
      schedulePump();
    },
    withdraw: prefixes => {
      rib.withdraw(prefixes);
      schedulePump();
    },
    prefixes: () => rib.prefixes(),
    state: () => stateName(state),
    session: () => up?.session,
    received: () => received,
  };
}
