import { UNHEARD, hear, sweep, turnsAt } from "./liveness";
import type { Hearing, Peer } from "./liveness";
import type { Member } from "./membership";
import type { Heartbeat } from "./packet";

/** What became of the members since it was asked for last. */
export type Changes = {
  readonly changed: readonly Member[];
  /** Names of those that are no more. */
  readonly gone: readonly string[];
};

/** All peers. It has state, so that a heartbeat costs the same however many there are. */
export type Roll = {
  hear(heartbeat: Heartbeat, at: { readonly now: number; readonly nonce: () => bigint }): Hearing;
  /** Looks for who is late or silent; returns how long this process stood still, ms. */
  sweep(now: number, intervalMs: number): number;
  /** When (ms) the next peer turns late or silent unless it is heard; Infinity for never. */
  nextTurn(): number;
  /** Knows these Nodes from now on, and forgets all others. */
  retain(nodes: ReadonlySet<string>): void;
  has(node: string): boolean;
  peers(): ReadonlyMap<string, Peer>;
  members(): readonly Member[];
  takeChanges(): Changes | undefined;
};

/** Between two sweeps, in intervals: half of one, and what a timer is late by on a busy machine. */
const LONGEST_GAP = 1.25;

export function createRoll(now: number): Roll {
  const peers = new Map<string, Peer>();
  let changed = new Map<string, Member>();
  let gone: string[] = [];
  let sweptAt = now;

  function put(node: string, peer: Peer): void {
    const { member } = peer;
    if (member && member !== peers.get(node)?.member) changed.set(node, member);
    peers.set(node, peer);
  }

  return {
    hear: (heartbeat, at) => {
      const hearing = hear(peers.get(heartbeat.node) ?? UNHEARD, heartbeat, at);
      put(heartbeat.node, hearing.peer);
      return hearing;
    },
    sweep: (at, intervalMs) => {
      const pause = pauseOf(at - sweptAt, intervalMs);
      sweptAt = at;
      for (const [node, before] of peers) {
        const peer = sweep(before, at, pause);
        if (peer !== before) put(node, peer);
      }
      return pause;
    },
    nextTurn: () => {
      let next = Infinity;
      for (const peer of peers.values()) next = Math.min(next, turnsAt(peer));
      return next;
    },
    retain: nodes => {
      for (const node of nodes) if (!peers.has(node)) peers.set(node, UNHEARD);
      for (const [node, { member }] of [...peers]) {
        if (nodes.has(node)) continue;
        peers.delete(node);
        changed.delete(node);
        if (member) gone.push(node);
      }
    },
    has: node => peers.has(node),
    peers: () => peers,
    members: () => [...peers.values()].flatMap(({ member }) => member ?? []),
    takeChanges: () => {
      if (changed.size === 0 && gone.length === 0) return undefined;
      const changes = { changed: [...changed.values()], gone };
      changed = new Map();
      gone = [];
      return changes;
    },
  };
}

/** The members after some changes. */
export function membersAfter(
  before: ReadonlyMap<string, Member>,
  { changed, gone }: Changes,
): ReadonlyMap<string, Member> {
  const after = new Map(before);
  for (const node of gone) after.delete(node);
  for (const member of changed) after.set(member.node, member);
  return after;
}

/**
 * When far more time has passed since the last sweep than a timer can be late by, it was this process that
 * stood still (SIGSTOP, starved of CPU) and the heartbeats wait unread in the socket.
 */
function pauseOf(gap: number, intervalMs: number): number {
  return gap > LONGEST_GAP * intervalMs ? gap : 0;
}
