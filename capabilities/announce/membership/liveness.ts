import { claimsAfter, NO_CLAIMS } from "./claim-list";
import type { ClaimList } from "./claim-list";
import type { Health, Member } from "./membership";
import type { Heartbeat } from "./packet";

/** What is known of one peer. Times are ms on a monotonic clock. */
type Peer = {
  readonly bootId: bigint;
  readonly sequence: bigint;
  readonly heardAt: number;
  readonly phase: Heartbeat["phase"];
  readonly health: Health;
  readonly claims: ClaimList;
};

/** All that is known of the peers, and when that was last looked over. A value: steps return a new one. */
export type Liveness = {
  readonly peers: ReadonlyMap<string, Peer>;
  /** Nonces that peers were asked, by their names. */
  readonly asked: ReadonlyMap<string, bigint>;
  readonly sweptAt: number;
};

/** What to do about a heartbeat that was heard. */
export type Hearing = {
  readonly state: Liveness;
  /** replayed: not newer than what is known. unproven: of a boot that has not answered yet. */
  readonly fate: "accepted" | "replayed" | "unproven";
  /** The nonce to ask the sender, in a packet to the addresses that its Node has. */
  readonly ask?: bigint;
};

/** A peer is late after so many intervals without a heartbeat, and silent after so many. */
const LATE_INTERVALS = 1.5;
const SILENT_INTERVALS = 3;

/** Nobody heard yet. */
export function emptyLiveness(now: number): Liveness {
  return { peers: new Map(), asked: new Map(), sweptAt: now };
}

/** The peers as others are to see them. */
export function membersOf({ peers }: Liveness): readonly Member[] {
  return [...peers].map(([node, { phase, health, claims }]) => ({
    node,
    phase,
    health,
    claims: claims.claims,
  }));
}

/**
 * Takes in one authentic heartbeat. Of a boot that is known, only a higher sequence number counts. A boot that
 * is not known counts when it answers our nonce: a recorded packet, of whatever boot, cannot.
 *
 * @param nonce random, to ask with if the sender was not asked before
 */
export function hear(
  state: Liveness,
  heartbeat: Heartbeat,
  { now, nonce }: { readonly now: number; readonly nonce: bigint },
): Hearing {
  const { node, bootId, sequence, phase } = heartbeat;
  const known = state.peers.get(node);
  const isKnownBoot = known?.bootId === bootId;
  if (isKnownBoot && sequence <= known.sequence) return { state, fate: "replayed" };
  const asked = state.asked.get(node);
  if (!isKnownBoot && (asked === undefined || heartbeat.answers !== asked)) {
    const ask = asked ?? nonce;
    const next = { ...state, asked: new Map(state.asked).set(node, ask) };
    return { state: next, fate: "unproven", ask };
  }
  const claims = claimsAfter(isKnownBoot ? known.claims : carriedOver(known), heartbeat.page);
  const peer: Peer = { bootId, sequence, phase, heardAt: now, health: "heard", claims };
  const peers = new Map(state.peers).set(node, peer);
  const rest = new Map(state.asked);
  if (!isKnownBoot) rest.delete(node);
  return { state: { ...state, peers, asked: rest }, fate: "accepted" };
}

/**
 * Looks for peers that are late or silent. When far more time has passed since the last sweep than a timer
 * can be late by, it was this process that stood still (SIGSTOP, starved of CPU) and the heartbeats wait
 * unread in the socket: the pause is then taken out of everybody's silence.
 */
export function sweep(state: Liveness, now: number, intervalMs: number): Liveness {
  const gap = now - state.sweptAt;
  const pause = gap > intervalMs ? gap : 0;
  const peers = new Map(
    [...state.peers].map(([node, before]) => {
      const heardAt = Math.min(before.heardAt + pause, now);
      const health = healthAfter(before.health, (now - heardAt) / intervalMs);
      return [node, { ...before, heardAt, health }] as const;
    }),
  );
  return { ...state, peers, sweptAt: now };
}

// A restarted announcer has adopted what its kernel answers for; until it has said all, the old list holds.
function carriedOver(known: Peer | undefined): ClaimList {
  return { ...NO_CLAIMS, claims: known?.claims.claims ?? [] };
}

// Only a heartbeat makes a peer heard again, not a pause of ours.
function healthAfter(before: Health, intervals: number): Health {
  if (before === "silent" || intervals >= SILENT_INTERVALS) return "silent";
  return before === "late" || intervals >= LATE_INTERVALS ? "late" : "heard";
}

/** Forgets peers that are no longer nodes of the cluster. */
export function retain(state: Liveness, nodes: ReadonlySet<string>): Liveness {
  const isNode = ([name]: readonly [string, unknown]): boolean => nodes.has(name);
  const isSame = [...state.peers].every(isNode) && [...state.asked].every(isNode);
  if (isSame) return state;
  const peers = new Map([...state.peers].filter(isNode));
  return { ...state, peers, asked: new Map([...state.asked].filter(isNode)) };
}
