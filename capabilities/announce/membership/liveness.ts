import { claimsAfter, NO_CLAIMS } from "./claim-list";
import type { ClaimList } from "./claim-list";
import type { Health, Member } from "./membership";
import type { Heartbeat } from "./packet";

/** What is known of one peer; steps return a new value. Times are ms on a monotonic clock. */
export type Peer = {
  /** The boot that proved itself, and its last sequence number. */
  readonly boot?: { readonly id: bigint; readonly sequence: bigint };
  /** The nonce that the peer was asked and has not answered; 0 for none. */
  readonly asked: bigint;
  readonly heardAt: number;
  /** When it was last heard by the multicast group. */
  readonly groupHeardAt: number;
  /** A pause of this process was taken out of its silence already. */
  readonly isExcused: boolean;
  /** Time between two heartbeats, as it says itself. */
  readonly intervalMs: number;
  readonly claims: ClaimList;
  /** The peer as others are to see it: the same object until something in it changes. */
  readonly member?: Member;
};

/** What to do about a heartbeat that was heard. */
export type Hearing = {
  readonly peer: Peer;
  /** replayed: not newer than what is known. unproven: of a boot that has not answered yet. */
  readonly fate: "accepted" | "replayed" | "unproven";
  /** The nonce to ask the sender, in a packet to the addresses that its Node has. */
  readonly ask?: bigint;
};

/** A peer is late after so many of its intervals without a heartbeat, and silent after so many. */
const LATE_INTERVALS = 1.5;
export const SILENT_INTERVALS = 3;

/** A Node that was not heard yet. */
export const UNHEARD: Peer = {
  asked: 0n,
  heardAt: -Infinity,
  groupHeardAt: -Infinity,
  isExcused: false,
  intervalMs: 1,
  claims: NO_CLAIMS,
};

/**
 * Takes in one authentic heartbeat. Of a boot that is known, only a higher sequence number counts. A boot that
 * is not known counts when it answers our nonce: a recorded packet, of whatever boot, cannot.
 *
 * @param nonce makes a random number, to ask with if the sender was not asked before
 */
export function hear(
  before: Peer,
  heartbeat: Heartbeat,
  { now, nonce }: { readonly now: number; readonly nonce: () => bigint },
): Hearing {
  const { bootId, sequence } = heartbeat;
  const { boot, asked } = before;
  const isKnownBoot = boot?.id === bootId;
  if (isKnownBoot && sequence <= boot.sequence) return { peer: before, fate: "replayed" };
  if (!isKnownBoot && !isAnswer(heartbeat, asked)) {
    const ask = asked === 0n ? nonce() : asked;
    return { peer: { ...before, asked: ask }, fate: "unproven", ask };
  }
  const claims = claimsAfter(isKnownBoot ? before.claims : carriedOver(before), heartbeat.page);
  const peer: Peer = {
    boot: { id: bootId, sequence },
    asked: isKnownBoot ? asked : 0n,
    heardAt: now,
    groupHeardAt: heartbeat.isToGroup ? now : before.groupHeardAt,
    isExcused: false,
    intervalMs: heartbeat.intervalMs,
    claims,
    member: memberAfter(before.member, heartbeat, claims),
  };
  return { peer, fate: "accepted" };
}

/**
 * Looks whether a peer is late or silent.
 * @param pauseMs time for which this process stood still. It is taken out of the peer's silence, since heartbeats may
 *   wait unread; but once only, for what waited is read after the pause. Else a process that is short of CPU and stands
 *   still again and again would never see that a peer is gone
 * @returns the same object if nothing changed
 */
export function sweep(before: Peer, now: number, pauseMs: number): Peer {
  const { member } = before;
  if (!member) return before;
  const excuseMs = before.isExcused ? 0 : pauseMs;
  const heardAt = Math.min(before.heardAt + excuseMs, now);
  const groupHeardAt = Math.min(before.groupHeardAt + excuseMs, now);
  const health = healthAfter(member.health, (now - heardAt) / before.intervalMs);
  const isSame = health === member.health;
  if (isSame && excuseMs === 0) return before;
  const isExcused = before.isExcused || excuseMs > 0;
  const times = { heardAt, groupHeardAt, isExcused };
  return { ...before, ...times, member: isSame ? member : { ...member, health } };
}

/** When a peer turns late or silent unless it is heard, ms; Infinity for a peer that is silent already. */
export function turnsAt({ member, heardAt, intervalMs }: Peer): number {
  if (!member || member.health === "silent") return Infinity;
  return heardAt + (member.health === "late" ? SILENT_INTERVALS : LATE_INTERVALS) * intervalMs;
}

/** True if something of what the peer answers for was not heard yet. */
export function isIncomplete({ claims }: Peer): boolean {
  return claims.partial !== NO_CLAIMS.partial;
}

function isAnswer({ answers }: Heartbeat, asked: bigint): boolean {
  return asked !== 0n && answers === asked;
}

function memberAfter(
  before: Member | undefined,
  { node, phase, interfaces }: Heartbeat,
  { claims }: ClaimList,
): Member {
  const isSame =
    before?.health === "heard" &&
    before.phase === phase &&
    before.claims === claims &&
    before.interfaces.join() === interfaces.join();
  return isSame ? before : { node, phase, health: "heard", claims, interfaces };
}

// A restarted announcer has adopted what its kernel answers for; until it has said all, the old list holds.
function carriedOver({ claims }: Peer): ClaimList {
  return { ...NO_CLAIMS, claims: claims.claims };
}

// Only a heartbeat makes a peer heard again, not a pause of ours.
function healthAfter(before: Health, intervals: number): Health {
  if (before === "silent" || intervals >= SILENT_INTERVALS) return "silent";
  return before === "late" || intervals >= LATE_INTERVALS ? "late" : "heard";
}
