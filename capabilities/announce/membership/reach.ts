import { isIncomplete } from "./liveness";
import type { Peer } from "./liveness";
import type { Wish } from "./packet";

/**
 * How a peer is reached. Heartbeats go to a multicast group; whoever does not hear them there asks for them by
 * itself, so that each pair of nodes falls back to unicast, and comes back, as the network between them is.
 */
export type Reach = {
  /** Until when (ms) the peer wants to be sent heartbeats by itself. */
  readonly leasedUntil: number;
  /** When it was last asked for something, and how often in a row without its being heard. */
  readonly askedAt: number;
  readonly asks: number;
};

export const UNASKED: Reach = { leasedUntil: -Infinity, askedAt: -Infinity, asks: 0 };

/** So many intervals without a heartbeat by the group mean that it is filtered. */
const DEAF_INTERVALS = 20;
/** So long a wish for unicast holds, and so soon it is said again, in intervals. */
const LEASE_INTERVALS = 100;
const RENEW_INTERVALS = 30;

const NOTHING: Wish = { isToGroup: false, isDeaf: false, wantsWord: false, wantsAll: false };

/** True if the peer's heartbeats do not come by the group. */
export function isDeafTo({ groupHeardAt, intervalMs }: Peer, now: number): boolean {
  return now - groupHeardAt > DEAF_INTERVALS * intervalMs;
}

/**
 * What to send to a peer by itself now; undefined for nothing. A late peer is asked for a word: if only a
 * heartbeat was lost, or the group became filtered, it does not turn silent. Who is not heard at all is asked
 * ever less often.
 */
export function wishFor(
  peer: Peer,
  reach: Reach,
  at: { readonly now: number; readonly intervalMs: number },
): Wish | undefined {
  const { now, intervalMs } = at;
  const isDeaf = isDeafTo(peer, now);
  const isHeard = peer.member?.health === "heard";
  const wantsAll = isIncomplete(peer);
  const wait = isHeard && !wantsAll ? RENEW_INTERVALS : Math.min(2 ** reach.asks, RENEW_INTERVALS);
  const wants = isDeaf || !isHeard || wantsAll;
  if (wants && now - reach.askedAt >= wait * intervalMs) {
    return { isToGroup: false, isDeaf, wantsWord: !isHeard, wantsAll };
  }
  return now < reach.leasedUntil ? { ...NOTHING, isDeaf } : undefined;
}

/** After a wish was sent. */
export function reachAfterAsking(before: Reach, wish: Wish, now: number): Reach {
  if (!wish.isDeaf && !wish.wantsWord && !wish.wantsAll) return before;
  return { ...before, askedAt: now, asks: before.asks + 1 };
}

/** After the peer was heard; what it asked for holds as long as its own intervals say. */
export function reachAfterHearing(
  before: Reach,
  { isDeaf, intervalMs }: { readonly isDeaf: boolean; readonly intervalMs: number },
  now: number,
): Reach {
  const leasedUntil = isDeaf ? now + LEASE_INTERVALS * intervalMs : before.leasedUntil;
  if (leasedUntil === before.leasedUntil && before.asks === 0) return before;
  return { ...before, leasedUntil, asks: 0 };
}
