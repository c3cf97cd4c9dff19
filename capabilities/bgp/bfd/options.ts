import type { SessionKeys, SessionSettings } from "./session-types";
import { digestLength } from "./wire/authentication";
import type { AuthenticationKind } from "./wire/authentication";

/** How a session is watched; may be changed while it runs. Intervals are milliseconds, 1 to 4294967. */
export type BfdTimers = {
  /** How often we want to send: 300. */
  readonly transmitInterval?: number;
  /** How often the neighbor may send: 300. */
  readonly receiveInterval?: number;
  /** Lost packets in a row that make a side declare the session down, 1 to 255: 3. */
  readonly detectMultiplier?: number;
  /**
   * How often the neighbor may send us echo packets (RFC 5880 section 6.4), ms; 0, unless it is said otherwise:
   * never. The kernel loops them, so it has to forward: net.ipv4.ip_forward, and the same of IPv6. Over one hop only.
   */
  readonly echoReceiveInterval?: number;
  /**
   * How often to send echo packets, ms, if the neighbor takes as many: what it does not loop for as long as the
   * multiplier says takes the session down. 0, unless it is said otherwise: never. Over one hop only, and not between
   * link-local addresses. It takes the capability NET_RAW.
   */
  readonly echoTransmitInterval?: number;
  /** Sends nothing before the neighbor has. */
  readonly isPassive?: boolean;
  /** The first key signs, all of them are accepted. */
  readonly authentication?: {
    readonly kind: AuthenticationKind;
    readonly keys: readonly { readonly id: number; readonly secret: string }[];
  };
};

/** The neighbor of a session and the way to it, by which the session is known. */
export type BfdPath = {
  /** IPv4 or IPv6, without a zone. */
  readonly address: string;
  /** Needed for link-local addresses and in a VRF. */
  readonly device?: string;
  readonly localAddress?: string;
  /** RFC 5883: the neighbor is not on our link. */
  readonly isMultihop?: boolean;
  /** Of packets on a multihop path, 1 to 255: 254. On a link it is 255 always (RFC 5881 section 5). */
  readonly minimumTtl?: number;
};

export type BfdOptions = BfdPath & BfdTimers;

const MAX_INTERVAL = 4_294_967;

/** @throws RangeError that names the option that is out of its range. */
export function sessionSettings(timers: BfdTimers): SessionSettings {
  const { transmitInterval = 300, receiveInterval = 300, detectMultiplier = 3 } = timers;
  check("transmitInterval", transmitInterval, 1, MAX_INTERVAL);
  check("receiveInterval", receiveInterval, 1, MAX_INTERVAL);
  check("detectMultiplier", detectMultiplier, 1, 255);
  const { echoReceiveInterval = 0, echoTransmitInterval = 0 } = timers;
  check("echoReceiveInterval", echoReceiveInterval, 0, MAX_INTERVAL);
  check("echoTransmitInterval", echoTransmitInterval, 0, MAX_INTERVAL);
  const authentication = keysOf(timers.authentication);
  return {
    desiredMinTx: Math.round(1_000 * transmitInterval),
    requiredMinRx: Math.round(1_000 * receiveInterval),
    detectMultiplier,
    isPassive: timers.isPassive ?? false,
    echoTx: Math.round(1_000 * echoTransmitInterval),
    requiredMinEchoRx: Math.round(1_000 * echoReceiveInterval),
    ...(authentication && { authentication }),
  };
}

/** @throws RangeError if a secret does not fit its kind. */
function keysOf(authentication: BfdTimers["authentication"]): SessionKeys | undefined {
  if (!authentication) return undefined;
  const { kind } = authentication;
  const most = kind === "password" ? 16 : digestLength(kind);
  const keys = authentication.keys.map(({ id, secret }) => {
    check("authentication: key id", id, 0, 255);
    const bytes = Buffer.from(secret);
    check(`authentication: length of key ${id}`, bytes.length, 1, most);
    return { id, secret: bytes };
  });
  if (keys.length === 0) throw new RangeError("authentication has no key");
  return { kind, keys };
}

/** @throws RangeError */
export function minimumTtlOf({ isMultihop = false, minimumTtl = 254 }: BfdPath): number {
  check("minimumTtl", minimumTtl, 1, 255);
  return isMultihop ? minimumTtl : 255;
}

/** Watchers of one path share a session. */
export function pathKey({ address, device = "", isMultihop = false }: BfdPath): string {
  return `${address}%${device}${isMultihop ? "+" : ""}`;
}

function check(name: string, value: number, least: number, most: number): void {
  if (!(value >= least && value <= most)) {
    throw new RangeError(`${name} ${value} is not from ${least} to ${most}`);
  }
}
