import type { Offer, Session } from "./negotiation";
import type { Message } from "./wire/message";
import type { Notification } from "./wire/notification";
import type { WireError } from "./wire/result";
import type { RouteRefresh } from "./wire/route-refresh";
import type { Update } from "./wire/update";

/** Who opened a TCP connection: we or the peer. There can be one of each for a moment. */
export type Via = "outgoing" | "incoming";

/** What does not change while a peer is configured. Times are milliseconds. */
export type FsmSettings = {
  readonly offer: Offer;
  /** Never dials, only accepts (RFC 4271 section 8.1.1, PassiveTcpEstablishment). */
  readonly isPassive: boolean;
  /** Wait before the next attempt: doubled with every failure in a row, from min to max. */
  readonly retry: { readonly minMs: number; readonly maxMs: number };
  /** Wait before the first attempt (IdleHoldTimer, RFC 4271 section 8.1.1): none if unsaid. */
  readonly idleHoldMs?: number;
  /** How long one attempt to connect may last. */
  readonly dialMs: number;
  /** Waits so long for the peer's OPEN before ours is sent (DelayOpen); 0 sends it at once. */
  readonly openDelayMs: number;
  /** How long a peer may read nothing (RFC 9687); at least twice the hold time is used. */
  readonly sendHoldMs: number;
};

export type Connection =
  | { readonly phase: "dialling" | "openDelay" | "openSent" }
  | {
      readonly phase: "openConfirm" | "established";
      readonly session: Session;
      /** The peer does not read: what we wrote waits. */
      readonly isStalled: boolean;
    };

/** All that is known about a peer between two steps. */
export type PeerState = {
  readonly isStarted: boolean;
  /** Failures in a row; forgotten once a session has lasted. */
  readonly failures: number;
  /** The peer refused our capabilities, so we do without. */
  readonly isPlain: boolean;
  /** There was a session since the start. */
  readonly hasBeenUp: boolean;
  readonly connections: Readonly<Record<Via, Connection | undefined>>;
};

export type TimerName =
  /** Bounds an attempt to connect, or ends the wait before the next one. */
  | "connectRetry"
  /** The session has lasted, so failures before it are forgotten. */
  | "settled"
  | `${Via}:${"hold" | "keepalive" | "openDelay" | "sendHold"}`;

export type FsmEvent =
  | { readonly type: "start" }
  /** Until the next start. Without a notification the peer may keep our routes (RFC 4724 section 4). */
  | { readonly type: "stop"; readonly notification?: Notification; readonly reason?: string }
  /** Ends what there is, and begins again: the configuration has changed. */
  | { readonly type: "reset"; readonly notification: Notification; readonly reason: string }
  | { readonly type: "timer"; readonly timer: TimerName }
  | { readonly type: "dialled" }
  | { readonly type: "dialFailed"; readonly reason: string }
  /** A connection from the peer; one of the actions says whether it is taken. */
  | { readonly type: "accepted" }
  | { readonly type: "closed"; readonly via: Via; readonly reason: string }
  | { readonly type: "message"; readonly via: Via; readonly message: Message }
  | { readonly type: "malformed"; readonly via: Via; readonly error: WireError }
  /** Bytes wait to be sent and none goes out. */
  | { readonly type: "stalled"; readonly via: Via }
  | { readonly type: "flowing"; readonly via: Via };

export type FsmAction =
  | { readonly do: "dial" }
  | { readonly do: "cancelDial" }
  /** Takes the connection that was accepted as the incoming one. */
  | { readonly do: "adopt" }
  | { readonly do: "refuse"; readonly notification: Notification }
  | { readonly do: "send"; readonly via: Via; readonly message: Message }
  /** Sends what was written, closes, and clears the connection's timers. */
  | { readonly do: "close"; readonly via: Via }
  /** Replaces the timer if it runs. */
  | { readonly do: "setTimer"; readonly timer: TimerName; readonly ms: number }
  | { readonly do: "clearTimer"; readonly timer: TimerName }
  | { readonly do: "up"; readonly via: Via; readonly session: Session }
  /** A connection or attempt is over; `wasUp` if it was the session. */
  | {
      readonly do: "ended";
      readonly reason: string;
      readonly wasUp: boolean;
      /** The peer is thought to be restarting, so its routes are kept (RFC 4724, RFC 8538). */
      readonly isGraceful: boolean;
    }
  | { readonly do: "deliver"; readonly message: Update | RouteRefresh };

/** The names of RFC 4271 section 8.2.2. */
export type StateName = "Idle" | "Connect" | "Active" | "OpenSent" | "OpenConfirm" | "Established";
