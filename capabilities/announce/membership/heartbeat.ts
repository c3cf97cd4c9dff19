import { randomBytes } from "node:crypto";
import type { SocketType } from "node:dgram";
import { pageAt, pagesOf } from "./claim-page";
import type { ClaimPage } from "./claim-page";
import { createGroup } from "./group";
import type { Group, Listening } from "./group";
import { SILENT_INTERVALS, UNHEARD } from "./liveness";
import { HEARTBEAT_FATES } from "./membership";
import type {
  Claim,
  HeartbeatCounts,
  HeartbeatFate,
  HeartbeatLink,
  HeartbeatPeer,
  Keyring,
  Member,
  Membership,
  Phase,
} from "./membership";
import { nameableInterfaces, openHeartbeat, sealHeartbeat } from "./packet";
import type { Heartbeat, Wish } from "./packet";
import { intervalFactor } from "./pace";
import { UNASKED, reachAfterAsking, reachAfterHearing, wishFor } from "./reach";
import type { Reach } from "./reach";
import { createRoll } from "./roll";
import type { Changes, Roll } from "./roll";
import { closeSocket, openSockets } from "./sockets";
import type { ListenOptions } from "./sockets";

export type HeartbeatOptions = ListenOptions & {
  readonly node: string;
  /** Time between two heartbeats, ms. */
  readonly intervalMs: number;
};

/**
 * So often in an interval silence is looked for, and this process's own standing still. In between only for a peer
 * that is due to turn: nearly always it is heard before, and to wake up for nothing is what costs.
 */
const SWEEPS_PER_INTERVAL = 2;

/** Half of what is between two ticks: which of them is the nearer one. */
const EARLY_INTERVALS = 0.25;

/** A membership in the same thread, which also tells what changed. */
export type RunningHeartbeat = Membership & {
  onChanges(listener: (changes: Changes) => void): void;
};

/**
 * Membership by heartbeat: a small UDP datagram to a multicast group on every link that announces, and to those
 * that do not hear it there, at all their InternalIPs. Authentic and proof against replay. Knows nothing of the
 * cluster but what it is told.
 */
export async function startHeartbeat(options: HeartbeatOptions): Promise<RunningHeartbeat> {
  return new Heart(options, await openSockets(options));
}

type Said = Partial<Pick<Heartbeat, "asks" | "answers"> & Wish>;
const NOTHING_SAID = {
  ...{ asks: 0n, answers: 0n },
  ...{ isToGroup: false, isDeaf: false, wantsWord: false, wantsAll: false },
};
/** Packets that were made already, by what they say. */
type Sealed = Map<string, Buffer>;

class Heart implements RunningHeartbeat {
  readonly #options: HeartbeatOptions;
  readonly #sockets: Listening;
  readonly #group: Group;
  readonly #roll: Roll = createRoll(performance.now());
  readonly #bootId = randomBytes(8).readBigUInt64BE();
  readonly #counts = Object.fromEntries(HEARTBEAT_FATES.map(fate => [fate, 0])) as Record<
    HeartbeatFate,
    number
  >;
  readonly #timer: NodeJS.Timeout;
  #turn: NodeJS.Timeout | undefined;
  #listeners: ((changes: Changes) => void)[] = [];
  #addresses = new Map<string, readonly string[]>();
  #reaches = new Map<string, Reach>();
  #keys: Keyring | undefined;
  #phase: Phase = "starting";
  #interfaces: readonly string[] = [];
  #sequence = 0n;
  #pages = pagesOf(1, []);
  #nextPage = 0;
  #beatAt = -Infinity;
  #onStall = (): void => undefined;

  constructor(options: HeartbeatOptions, sockets: Listening) {
    this.#options = options;
    this.#sockets = sockets;
    this.#group = createGroup(sockets, options.warn);
    for (const [type, socket] of sockets) {
      socket.on("message", packet => {
        this.#receive(packet);
      });
      socket.on("error", error => {
        options.warn(`heartbeat socket (${type}): ${error.message}`);
      });
    }
    this.#timer = setInterval(() => {
      this.#sweep();
      this.#tick();
    }, options.intervalMs / SWEEPS_PER_INTERVAL);
  }

  members(): readonly Member[] {
    return this.#roll.members();
  }

  counts(): HeartbeatCounts {
    return { ...this.#counts };
  }

  onChange(listener: (members: readonly Member[]) => void): void {
    this.onChanges(() => {
      listener(this.members());
    });
  }

  onChanges(listener: (changes: Changes) => void): void {
    this.#listeners = [...this.#listeners, listener];
  }

  onStall(listener: () => void): void {
    this.#onStall = listener;
  }

  setPeers(peers: readonly HeartbeatPeer[]): void {
    this.#addresses = new Map(peers.map(({ node, addresses }) => [node, addresses]));
    this.#roll.retain(new Set(this.#addresses.keys()));
    this.#reaches = new Map([...this.#reaches].filter(([node]) => this.#addresses.has(node)));
    this.#report();
    this.#beat();
  }

  setKeys(keys: Keyring): void {
    this.#keys = keys;
    this.#beat();
  }

  setPhase(phase: Phase): void {
    this.#phase = phase;
    this.#beat();
  }

  setLinks(links: readonly HeartbeatLink[]): void {
    this.#interfaces = nameableInterfaces(links.map(({ name }) => name));
    this.#group.setLinks(links);
    this.#beat();
  }

  setClaims(claims: readonly Claim[]): void {
    this.#pages = pagesOf(((this.#pages[0]?.list ?? 0) + 1) >>> 0, claims);
    this.#nextPage = 0;
    for (let sent = 0; sent < this.#pages.length; sent++) this.#beat();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    clearTimeout(this.#turn);
    this.#listeners = [];
    this.#group.close();
    await Promise.all([...this.#sockets.values()].map(closeSocket));
  }

  #report(): void {
    const changes = this.#roll.takeChanges();
    if (changes) for (const listener of this.#listeners) listener(changes);
  }

  #receive(packet: Buffer): void {
    const heartbeat = openHeartbeat(packet, this.#keys?.accept ?? []);
    if (typeof heartbeat === "string") this.#counts[heartbeat] += 1;
    else if (!this.#addresses.has(heartbeat.node)) this.#counts.stranger += 1;
    else this.#hear(heartbeat);
  }

  #hear(heartbeat: Heartbeat): void {
    const { node, asks, wantsAll, wantsWord } = heartbeat;
    const now = performance.now();
    const { fate, ask = 0n } = this.#roll.hear(heartbeat, { now, nonce: randomNonce });
    this.#counts[fate] += 1;
    if (fate === "replayed") return;
    const isAccepted = fate === "accepted";
    if (isAccepted) {
      this.#reaches.set(node, reachAfterHearing(this.#reachOf(node), heartbeat, now));
    }
    // Who asks for proof knows nothing of us yet, so it is told all.
    const isForAll = asks !== 0n || (isAccepted && wantsAll);
    const isForOne = ask !== 0n || (isAccepted && wantsWord);
    const pages = isForAll ? this.#pages : isForOne ? [this.#page()] : [];
    this.#sendTo(node, pages, { asks: ask, answers: asks });
    this.#report();
  }

  #sweep(): void {
    const { intervalMs } = this.#options;
    clearTimeout(this.#turn);
    const pause = this.#roll.sweep(performance.now(), intervalMs);
    // What waits unread may be old: after a long pause everybody is asked how things are now.
    if (pause >= SILENT_INTERVALS * intervalMs) {
      this.#onStall();
      for (const node of this.#addresses.keys()) {
        this.#sendTo(node, [this.#page()], { wantsAll: true });
      }
    }
    const changes = this.#roll.takeChanges();
    for (const { node } of changes?.changed ?? []) this.#serve(node);
    if (changes) for (const listener of this.#listeners) listener(changes);
    const wait = this.#roll.nextTurn() - performance.now();
    if (wait >= intervalMs / SWEEPS_PER_INTERVAL) return;
    this.#turn = setTimeout(
      () => {
        this.#sweep();
      },
      Math.max(1, Math.ceil(wait)),
    );
  }

  /** How much more slowly than the interval we send now. */
  #factor(): number {
    const owns = this.#pages.length > 1 || (this.#pages[0]?.bytes.length ?? 0) > 0;
    return intervalFactor({ phase: this.#phase, owns, peers: this.#addresses.size });
  }

  /** By the clock, not by counting ticks: of two that are late each would put the heartbeat off. */
  #tick(): void {
    const now = performance.now();
    const soonMs = (this.#factor() - EARLY_INTERVALS) * this.#options.intervalMs;
    if (now - this.#beatAt < soonMs) return;
    this.#beatAt = now;
    this.#beat();
  }

  /** A heartbeat to all: by the group, and to each that does not hear it by itself. */
  #beat(): void {
    if (!this.#keys) return;
    this.#group.send(this.#options.port, () => this.#seal(this.#page(), { isToGroup: true }));
    const sealed: Sealed = new Map();
    for (const node of this.#addresses.keys()) this.#serve(node, sealed);
    this.#nextPage += 1;
  }

  /**
   * Sends a peer by itself what it or we want of the other, if anything. One packet serves many: its sequence
   * number is new to each of them.
   */
  #serve(node: string, sealed: Sealed = new Map()): void {
    const now = performance.now();
    const reach = this.#reachOf(node);
    const peer = this.#roll.peers().get(node) ?? UNHEARD;
    const wish = wishFor(peer, reach, { now, intervalMs: this.#options.intervalMs });
    if (!wish) return;
    this.#reaches.set(node, reachAfterAsking(reach, wish, now));
    const kind = JSON.stringify(wish);
    const packet = sealed.get(kind) ?? this.#seal(this.#page(), wish);
    if (!packet) return;
    sealed.set(kind, packet);
    this.#post(node, packet);
  }

  #reachOf(node: string): Reach {
    return this.#reaches.get(node) ?? UNASKED;
  }

  #page(): ClaimPage {
    return pageAt(this.#pages, this.#nextPage);
  }

  #sendTo(node: string, pages: readonly ClaimPage[], said: Said): void {
    for (const page of pages) {
      const packet = this.#seal(page, said);
      if (packet) this.#post(node, packet);
    }
  }

  #post(node: string, packet: Buffer): void {
    for (const address of this.#addresses.get(node) ?? []) {
      const family: SocketType = address.includes(":") ? "udp6" : "udp4";
      // An unreachable peer is what the silence of its own heartbeats tells; nothing to do here.
      this.#sockets.get(family)?.send(packet, this.#options.port, address, () => undefined);
    }
  }

  /** Undefined without a key. */
  #seal(page: ClaimPage, said: Said): Buffer | undefined {
    if (!this.#keys) return undefined;
    this.#sequence += 1n;
    const heartbeat = {
      ...NOTHING_SAID,
      ...said,
      node: this.#options.node,
      phase: this.#phase,
      bootId: this.#bootId,
      sequence: this.#sequence,
      intervalMs: this.#options.intervalMs * this.#factor(),
      interfaces: this.#interfaces,
      page,
    };
    return sealHeartbeat(heartbeat, this.#keys.sign);
  }
}

function randomNonce(): bigint {
  return randomBytes(8).readBigUInt64BE() | 1n;
}
