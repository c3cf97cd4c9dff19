import type { MembershipChange } from "./membership";
import type { Heartbeat } from "./packet";

/** What is known of one peer. Times are ms on a monotonic clock. */
type Peer = {
  readonly bootId: bigint;
  readonly sequence: bigint;
  readonly heardAt: number;
  readonly phase: Heartbeat["phase"];
  /** Its heartbeats stopped; kept so that packets of the same boot delayed in the network stay old. */
  readonly silent: boolean;
};

/** All that is known of the peers, and when that was last looked over. A value: steps return a new one. */
export type Liveness = { readonly peers: ReadonlyMap<string, Peer>; readonly sweptAt: number };

/** A step's outcome; `change` is absent where the set of live peers stays the same. */
export type LivenessStep = {
  readonly state: Liveness;
  readonly change?: MembershipChange;
};

/** Nobody heard yet. */
export function emptyLiveness(now: number): Liveness {
  return { peers: new Map(), sweptAt: now };
}

/** The peers that may own addresses: heard lately and active. */
export function livePeers(state: Liveness): readonly string[] {
  return [...state.peers].filter(([, peer]) => isLive(peer)).map(([node]) => node);
}

/** Takes in one heartbeat; a packet that is older than what is known of its sender has no effect. */
export function hear(state: Liveness, heartbeat: Heartbeat, now: number): LivenessStep {
  const { node, bootId, sequence, phase } = heartbeat;
  const known = state.peers.get(node);
  if (known && isOld(known, heartbeat)) return { state };
  const peer: Peer = { bootId, sequence, phase, heardAt: now, silent: false };
  const peers = new Map(state.peers).set(node, peer);
  return step({ ...state, peers }, transition(node, known, peer));
}

/**
 * Looks for peers whose last heartbeat is `timeoutMs` old or older. When far more time has passed since the
 * last sweep than a timer can be late by, it was this process that stood still (SIGSTOP, starved of CPU) and
 * the heartbeats wait unread in the socket: the pause is then taken out of everybody's silence.
 */
export function sweep(state: Liveness, now: number, timeoutMs: number): LivenessStep {
  const gap = now - state.sweptAt;
  const pause = gap > timeoutMs / 2 ? gap : 0;
  const peers = new Map<string, Peer>();
  const left: MembershipChange["left"][number][] = [];
  for (const [node, before] of state.peers) {
    const heardAt = Math.min(before.heardAt + pause, now);
    const peer = { ...before, heardAt, silent: before.silent || now - heardAt >= timeoutMs };
    peers.set(node, peer);
    if (isLive(before) && !isLive(peer)) left.push({ node, cause: "silent" });
  }
  return step({ peers, sweptAt: now }, { joined: [], left });
}

/** Forgets peers that are no longer nodes of the cluster. */
export function retain(state: Liveness, nodes: ReadonlySet<string>): LivenessStep {
  const gone = [...state.peers].filter(([node]) => !nodes.has(node));
  if (gone.length === 0) return { state };
  const peers = new Map([...state.peers].filter(([node]) => nodes.has(node)));
  const left = gone
    .filter(([, peer]) => isLive(peer))
    .map(([node]) => ({ node, cause: "removed" }) as const);
  return step({ ...state, peers }, { joined: [], left });
}

function isLive(peer: Peer): boolean {
  return peer.phase === "active" && !peer.silent;
}

// A clock that was set back makes a restarted peer look older; it counts once its old self is silent.
function isOld(known: Peer, { bootId, sequence }: Heartbeat): boolean {
  if (bootId === known.bootId) return sequence <= known.sequence;
  return bootId < known.bootId && !known.silent;
}

function transition(node: string, before: Peer | undefined, after: Peer): MembershipChange {
  const was = before !== undefined && isLive(before);
  if (isLive(after)) {
    // A new boot of a live peer has forgotten what it knew, so to the others it has come anew.
    const isNew = !was || before.bootId !== after.bootId;
    return { joined: isNew ? [node] : [], left: [] };
  }
  return { joined: [], left: was ? [{ node, cause: "leaving" }] : [] };
}

function step(state: Liveness, change: MembershipChange): LivenessStep {
  return change.joined.length + change.left.length > 0 ? { state, change } : { state };
}
