import type { DigestKind } from "./wire/authentication";
import type { BfdState, ControlPacket } from "./wire/packet";

/** What may be changed while a session runs. Intervals are microseconds. */
export type SessionSettings = {
  /** How often we would like to send when up; above that only by the peer's wish. */
  readonly desiredMinTx: number;
  /** How often the peer may send; 0: never. */
  readonly requiredMinRx: number;
  /** Lost packets in a row that make the peer declare the session down, 1 to 255. */
  readonly detectMultiplier: number;
  /** Sends nothing before the peer has (RFC 5880 section 6.1). */
  readonly isPassive: boolean;
  /** How often to send echo packets, if the peer loops them; 0: never. */
  readonly echoTx: number;
  /** How often the peer may send us echo packets to be looped; 0: never. */
  readonly requiredMinEchoRx: number;
  readonly authentication?: SessionKeys;
};

/** Keys of a session. One signs, all of them are accepted, so that keys can be changed without a break. */
export type SessionKeys =
  | { readonly kind: "password"; readonly keys: readonly SessionKey[] }
  | { readonly kind: DigestKind; readonly keys: readonly SessionKey[] };

/** 1 to 16 octets of a password or MD5 key, 1 to 20 of a SHA1 key. The first of a list signs. */
export type SessionKey = { readonly id: number; readonly secret: Uint8Array };

/** What is known between two steps: the variables of RFC 5880 section 6.8.1. */
export type SessionState = {
  readonly settings: SessionSettings;
  readonly localDiscriminator: number;
  readonly state: BfdState;
  readonly diagnostic: number;
  readonly remote: RemoteState;
  /** What has been told to the peer and confirmed: slower sending, faster hearing wait for that. */
  readonly agreed: { readonly desiredMinTx: number; readonly requiredMinRx: number };
  /** Running: the P bit is set. Again: settings changed meanwhile, so another sequence follows. */
  readonly poll: "none" | "running" | "again";
  /** The interval by which the transmit timer was set, microseconds; undefined: it does not run. */
  readonly transmitInterval: number | undefined;
  readonly isEchoing: boolean;
  /** Echo packets since one came back. */
  readonly echoesUnanswered: number;
  /** Sequence number of the next packet that is signed. */
  readonly nextSequence: number;
  /** The highest sequence number of the peer; undefined: any will do. */
  readonly heardSequence: number | undefined;
};

export type RemoteState = {
  readonly state: BfdState;
  /** 0: not known. */
  readonly discriminator: number;
  readonly diagnostic: number;
  readonly minRx: number;
  readonly minTx: number;
  readonly minEchoRx: number;
  readonly detectMultiplier: number;
  readonly isDemand: boolean;
};

export type SessionTimer = "transmit" | "detect" | "echo";

export type SessionEvent =
  | { readonly type: "start" }
  /** Tells the peer that the session is down on purpose; packets go on until the edge ends it. */
  | { readonly type: "disable" }
  | { readonly type: "enable" }
  | { readonly type: "configure"; readonly settings: SessionSettings }
  /** A packet that is for this session and whose digest, if there is one, is right. */
  | { readonly type: "packet"; readonly packet: ControlPacket }
  | { readonly type: "echoReturned" }
  | { readonly type: "timer"; readonly timer: SessionTimer };

export type SessionAction =
  /** A section of authentication has no digest yet: the edge signs. */
  | { readonly do: "send"; readonly packet: ControlPacket }
  | { readonly do: "sendEcho" }
  /** Replaces the timer if it runs. Microseconds. */
  | { readonly do: "setTimer"; readonly timer: SessionTimer; readonly us: number }
  | { readonly do: "clearTimer"; readonly timer: SessionTimer }
  /** Our state, the peer's or a diagnostic is another one now. */
  | { readonly do: "changed"; readonly from: BfdState }
  /** The packet had no effect. */
  | { readonly do: "discarded"; readonly reason: string };
