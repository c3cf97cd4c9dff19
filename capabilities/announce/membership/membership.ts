/**
 * What a node says of itself. starting: it runs but does not know the cluster's state yet and must not be
 * given addresses. active: it may own addresses. leaving: it lets go of all it owns.
 */
export type Phase = "starting" | "active" | "leaving";

/** A node to exchange heartbeats with, and the addresses (InternalIP) at which it listens. */
export type HeartbeatPeer = { readonly node: string; readonly addresses: readonly string[] };

/** A key for heartbeats; the number tells which of several it is, and nothing of it. */
export type Key = { readonly id: number; readonly secret: Uint8Array };

/** The keys in use: what is sent is signed with one, what is heard may be signed with any. */
export type Keyring = { readonly sign: Key; readonly accept: readonly Key[] };

/**
 * "I answer for this address." The epoch counts how often the address was taken over: who takes it claims it
 * with an epoch above all that it heard of, so that of two claims the later one is known.
 */
export type Claim = { readonly address: string; readonly epoch: number };

/**
 * How well a peer is heard. late: so long nothing that one heartbeat at least is lost. silent: nothing for
 * three intervals; whether it is gone is for witnesses to say.
 */
export type Health = "heard" | "late" | "silent";

/** What is known of one peer. */
export type Member = {
  readonly node: string;
  readonly phase: Phase;
  readonly health: Health;
  /** What it said last that it answers for. */
  readonly claims: readonly Claim[];
  /** The interfaces on which it can announce now. */
  readonly interfaces: readonly string[];
};

/** An interface to send heartbeats on to all at once. */
export type HeartbeatLink = {
  readonly index: number;
  readonly name: string;
  /** An IPv4 address on it; without one, IPv6 is used. */
  readonly ipv4?: string;
  /** Its IPv6 link-local address. */
  readonly linkLocal?: string;
};

/** What happened to packets that were heard and had no effect, and to those that had; counts only grow. */
export type HeartbeatCounts = Readonly<Record<HeartbeatFate, number>>;
export const HEARTBEAT_FATES = [
  "accepted",
  "malformed",
  "unauthentic",
  "replayed",
  "unproven",
  "stranger",
] as const;
export type HeartbeatFate = (typeof HEARTBEAT_FATES)[number];

/**
 * Who is there to take an address. The announcer knows members only through this type, so that another
 * way of finding out can stand in for the heartbeat.
 */
export type Membership = {
  /** All peers that were heard since they became nodes of the cluster; without this node. */
  members(): readonly Member[];
  counts(): HeartbeatCounts;
  /** Calls back after every change of `members()`. */
  onChange(listener: (members: readonly Member[]) => void): void;
  /**
   * Calls back when heartbeats stood still here for so long that others may have taken this node's addresses; what
   * is known of them is asked for anew.
   */
  onStall(listener: () => void): void;
  /** The other nodes of the cluster: who is not among them is not listened to. */
  setPeers(peers: readonly HeartbeatPeer[]): void;
  /** Without a key nothing is sent and nothing is believed. */
  setKeys(keys: Keyring): void;
  setPhase(phase: Phase): void;
  /**
   * Where this node can announce: there its heartbeats go to the multicast group, and it tells its peers the
   * names.
   */
  setLinks(links: readonly HeartbeatLink[]): void;
  /** What this node answers for; told to the peers at once. */
  setClaims(claims: readonly Claim[]): void;
  /** Closes sockets and timers. */
  stop(): Promise<void>;
};
