import type { Egress } from "./attribute-set";
import type { PeerBfd } from "./bfd/guard";
import type { FsmSettings } from "./fsm-types";
import type { ReceivedRoute } from "./intake";
import type { Offer } from "./negotiation";
import type { SessionChange } from "./session";
import type { SocketOptions } from "./transport/transport";
import { addressBytes, familyOf } from "./wire/address";
import { createReader } from "./wire/bytes";

/** What is said to all routers of a kind. All times are seconds. */
export type CommonOptions = Partial<
  Pick<Offer, "families" | "ipv4OverIpv6" | "gracefulRestart" | "role" | "extendedMessages">
> & {
  /** A number, or whether it is our own AS. */
  readonly as: Offer["peerAs"];
  /** Another AS number for us towards this peer. */
  readonly localAs?: number;
  /** 0 or at least 3; 90 unless it is said otherwise. */
  readonly holdTime?: number;
  /** How long to wait for the peer's OPEN before sending ours: 0. */
  readonly openDelay?: number;
  /** How long the peer may read nothing: 480, and at least twice the hold time (RFC 9687). */
  readonly sendHoldTime?: number;
  /** Signs the connection by MD5 (RFC 2385): 1–80 octets. Never shown anywhere. */
  readonly password?: string;
  /**
   * The peer is at most so many hops away, 1–254: what comes from farther is dropped by the kernel
   * (RFC 5082). The peer must do the same.
   */
  readonly ttlSecurity?: number;
  /** TTL of what is sent, 1–255, to a peer in another AS that is not on a network of ours: 1. */
  readonly multihop?: number;
  /**
   * True for routes of the peer that are to be kept, and read by `routes`. Without it none is: they
   * are counted.
   */
  readonly importFilter?: (route: ReceivedRoute) => boolean;
  /** More prefixes than this in one family end the session (Cease 6/1), and it waits for long. */
  readonly maxPrefixes?: number;
  /**
   * After a restart, seconds that End-of-RIB waits for `complete` at most: 0. Until then the peer
   * keeps what it had of us.
   */
  readonly deferralTime?: number;
  /** Watches the peer by BFD: the session ends as soon as that is down. */
  readonly bfd?: PeerBfd;
  /** Addresses to send packets to, where those of the session will not do. */
  readonly nextHops?: Egress["nextHops"];
};

/** A router to talk to. */
export type PeerOptions = CommonOptions & {
  /** E.g. `192.0.2.1`, `2001:db8::1`, `fe80::1%eth0`. */
  readonly address?: string;
  /**
   * In the place of an address: the router that advertises itself on this interface is the peer, at
   * its link-local address, which IPv4 routes have as next hop then, too (RFC 8950).
   */
  readonly interface?: string;
  /** 179 unless it is said otherwise. */
  readonly port?: number;
  readonly localAddress?: string;
  /** Interface or VRF to connect by. */
  readonly device?: string;
  /** Never dials. */
  readonly isPassive?: boolean;
  /** Seconds before the first attempt, for a router that must forget an earlier session first: 0. */
  readonly idleHoldTime?: number;
  /** The first wait after a failure, doubled each time: 1. */
  readonly retryTime?: number;
  /** The longest one: 120. */
  readonly maxRetryTime?: number;
  /** How long one attempt to connect may take: 5. */
  readonly dialTime?: number;
  /** Called when the session comes up, goes away, or an attempt has failed. */
  readonly onChange?: (change: SessionChange) => void;
};

/** Who we are. */
export type Identity = {
  /** Our AS number, 1 to 2^32 - 1. */
  readonly as: number;
  /** BGP Identifier in the form of an IPv4 address, not 0.0.0.0. */
  readonly routerId: string;
};

const defaults = {
  families: ["ipv4", "ipv6"],
  holdTime: 90,
  isPassive: false,
  idleHoldTime: 0,
  retryTime: 1,
  maxRetryTime: 120,
  openDelay: 0,
  /** RFC 9687 section 5. */
  sendHoldTime: 480,
  /** A SYN that was lost must not cost half a minute. */
  dialTime: 5,
} as const;

/**
 * What the state machine is to know of a peer.
 * @throws RangeError if an option is out of its range
 */
export function settingsOf(identity: Identity, options: PeerOptions): FsmSettings {
  const peer = { ...defaults, localAs: identity.as, ...options };
  const { holdTime, idleHoldTime, retryTime, maxRetryTime, localAs, dialTime } = peer;
  check("holdTime", holdTime, holdTime === 0 || (holdTime >= 3 && holdTime <= 0xffff));
  check("idleHoldTime", idleHoldTime, idleHoldTime >= 0);
  check("retryTime", retryTime, retryTime > 0 && retryTime <= maxRetryTime);
  check("dialTime", dialTime, dialTime > 0);
  check("as", localAs, Number.isInteger(localAs) && localAs > 0 && localAs <= 0xffff_ffff);
  checkOptional("ttlSecurity", options.ttlSecurity, 254);
  checkOptional("multihop", options.multihop, 255);
  checkOptional("password: its length", passwordLength(options), 80);
  return {
    offer: offerOf(identity, peer),
    isPassive: peer.isPassive,
    retry: { minMs: 1_000 * retryTime, maxMs: 1_000 * maxRetryTime },
    idleHoldMs: 1_000 * idleHoldTime,
    dialMs: 1_000 * dialTime,
    openDelayMs: 1_000 * peer.openDelay,
    sendHoldMs: 1_000 * peer.sendHoldTime,
  };
}

function passwordLength({ password }: PeerOptions): number | undefined {
  return password === undefined ? undefined : new TextEncoder().encode(password).length;
}

function offerOf(
  { routerId }: Identity,
  peer: PeerOptions & Pick<Offer, "localAs" | "holdTime" | "families">,
): Offer {
  const { localAs, holdTime, families, gracefulRestart, role, extendedMessages } = peer;
  const ipv4OverIpv6 = peer.ipv4OverIpv6 ?? (peer.interface === undefined ? undefined : true);
  return {
    localAs,
    peerAs: peer.as,
    identifier: identifierOf(routerId),
    holdTime,
    families,
    ...(ipv4OverIpv6 !== undefined && { ipv4OverIpv6 }),
    ...(gracefulRestart !== undefined && { gracefulRestart }),
    ...(extendedMessages !== undefined && { extendedMessages }),
    ...(role !== undefined && { role }),
  };
}

/** What the connections to a peer are to have. */
export function socketOptionsOf(identity: Identity, options: PeerOptions): SocketOptions {
  const { password, ttlSecurity, device = options.interface } = options;
  const ttl = ttlOf(identity, options);
  return {
    ...(password !== undefined && { password }),
    ...(ttl !== undefined && { ttl }),
    ...(ttlSecurity !== undefined && { minTtl: 256 - ttlSecurity }),
    ...(device !== undefined && { device }),
    userTimeoutMs: 1_000 * (options.sendHoldTime ?? defaults.sendHoldTime),
  };
}

/** As all routers do it: one hop to another AS, as many as the kernel thinks best within ours. */
function ttlOf({ as }: Identity, options: PeerOptions): number | undefined {
  if (options.ttlSecurity !== undefined) return 255;
  const { localAs = as } = options;
  const isInternal = options.as === "internal" || options.as === localAs;
  return options.multihop ?? (isInternal ? undefined : 1);
}

function check(name: string, value: number, isValid: boolean): void {
  if (!isValid) {
    throw new RangeError(`${name} ${value} is out of its range`);
  }
}

function checkOptional(name: string, value: number | undefined, max: number): void {
  if (value !== undefined) {
    check(name, value, Number.isInteger(value) && value >= 1 && value <= max);
  }
}

function identifierOf(routerId: string): number {
  const identifier = createReader(addressBytes(routerId)).u32() ?? 0;
  if (familyOf(routerId) !== "ipv4" || identifier === 0) {
    throw new RangeError(`routerId "${routerId}" is no IPv4 address other than 0.0.0.0`);
  }
  return identifier;
}
