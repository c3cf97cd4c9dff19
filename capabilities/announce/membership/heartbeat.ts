import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import type { Socket, SocketType } from "node:dgram";
import { emptyLiveness, hear, membersOf, retain, sweep } from "./liveness";
import type { Liveness } from "./liveness";
import { HEARTBEAT_FATES } from "./membership";
import type {
  Claim,
  HeartbeatCounts,
  HeartbeatFate,
  HeartbeatPeer,
  Keyring,
  Membership,
  Phase,
} from "./membership";
import { openHeartbeat, pagesOf, sealHeartbeat } from "./packet";
import type { ClaimPage, Heartbeat } from "./packet";

export type HeartbeatOptions = {
  readonly node: string;
  readonly port: number;
  /** Where to listen; absent: on all addresses, since a node's address may come up after us. */
  readonly listen?: Readonly<Record<"udp4" | "udp6", string>>;
  /** Time between two heartbeats, ms. */
  readonly intervalMs: number;
  readonly warn: (message: string) => void;
};

/** Silence is looked for this often in an interval, so that it is seen soon after it has lasted. */
const SWEEPS_PER_INTERVAL = 4;

/**
 * Membership by heartbeat: a small UDP datagram from every node to every other, to all their InternalIPs,
 * authentic and proof against replay. Knows nothing of the cluster but what it is told.
 */
export async function startHeartbeat(options: HeartbeatOptions): Promise<Membership> {
  const sockets = await openSockets(options);
  return new RunningHeartbeat(options, sockets);
}

type Sockets = ReadonlyMap<SocketType, Socket>;
type Nonces = Pick<Heartbeat, "asks" | "answers">;
const NO_NONCES: Nonces = { asks: 0n, answers: 0n };

class RunningHeartbeat implements Membership {
  readonly #options: HeartbeatOptions;
  readonly #sockets: Sockets;
  readonly #bootId = randomBytes(8).readBigUInt64BE();
  readonly #counts = Object.fromEntries(HEARTBEAT_FATES.map(fate => [fate, 0])) as Record<
    HeartbeatFate,
    number
  >;
  readonly #timers: readonly NodeJS.Timeout[];
  #listeners: ((members: ReturnType<Membership["members"]>) => void)[] = [];
  #liveness: Liveness = emptyLiveness(performance.now());
  #peers = new Map<string, readonly string[]>();
  #keys: Keyring | undefined;
  #phase: Phase = "starting";
  #sequence = 0n;
  #pages = pagesOf(1, []);
  #nextPage = 0;
  #reported = "[]";

  constructor(options: HeartbeatOptions, sockets: Sockets) {
    this.#options = options;
    this.#sockets = sockets;
    for (const [type, socket] of sockets) {
      socket.on("message", packet => {
        this.#receive(packet);
      });
      socket.on("error", error => {
        options.warn(`heartbeat socket (${type}): ${error.message}`);
      });
    }
    this.#timers = [
      setInterval(() => {
        this.#sendToAll();
      }, options.intervalMs),
      setInterval(() => {
        this.#take(sweep(this.#liveness, performance.now(), options.intervalMs));
      }, options.intervalMs / SWEEPS_PER_INTERVAL),
    ];
  }

  members(): ReturnType<Membership["members"]> {
    return membersOf(this.#liveness);
  }

  counts(): HeartbeatCounts {
    return { ...this.#counts };
  }

  onChange(listener: (members: ReturnType<Membership["members"]>) => void): void {
    this.#listeners = [...this.#listeners, listener];
  }

  setPeers(peers: readonly HeartbeatPeer[]): void {
    this.#peers = new Map(peers.map(({ node, addresses }) => [node, addresses]));
    this.#take(retain(this.#liveness, new Set(this.#peers.keys())));
  }

  setKeys(keys: Keyring): void {
    this.#keys = keys;
  }

  setPhase(phase: Phase): void {
    this.#phase = phase;
    this.#sendToAll();
  }

  setClaims(claims: readonly Claim[]): void {
    this.#pages = pagesOf(((this.#pages[0]?.list ?? 0) + 1) >>> 0, claims);
    this.#nextPage = 0;
    for (let sent = 0; sent < this.#pages.length; sent++) this.#sendToAll();
  }

  async stop(): Promise<void> {
    this.#timers.forEach(clearInterval);
    this.#listeners = [];
    await Promise.all([...this.#sockets.values()].map(closeSocket));
  }

  #take(next: Liveness): void {
    this.#liveness = next;
    const members = membersOf(next);
    const text = JSON.stringify(members);
    if (text === this.#reported) return;
    this.#reported = text;
    for (const listener of this.#listeners) listener(members);
  }

  #receive(packet: Buffer): void {
    const heartbeat = openHeartbeat(packet, this.#keys?.accept ?? []);
    if (typeof heartbeat === "string") this.#counts[heartbeat] += 1;
    else if (!this.#peers.has(heartbeat.node)) this.#counts.stranger += 1;
    else this.#hear(heartbeat);
  }

  #hear(heartbeat: Heartbeat): void {
    const nonce = randomBytes(8).readBigUInt64BE() | 1n;
    const heard = hear(this.#liveness, heartbeat, { now: performance.now(), nonce });
    this.#counts[heard.fate] += 1;
    this.#reply(heartbeat.node, { asks: heard.ask ?? 0n, answers: heartbeat.asks });
    this.#take(heard.state);
  }

  /** Who asks knows nothing of us yet, so it is told all. */
  #reply(node: string, nonces: Nonces): void {
    if (nonces.answers === 0n && nonces.asks === 0n) return;
    const pages = nonces.answers === 0n ? this.#pages.slice(0, 1) : this.#pages;
    for (const page of pages) this.#sendTo([node], page, nonces);
  }

  #sendToAll(): void {
    const page = this.#pages[this.#nextPage % this.#pages.length];
    this.#sendTo([...this.#peers.keys()], page, NO_NONCES);
    this.#nextPage += 1;
  }

  #sendTo(nodes: readonly string[], page: ClaimPage | undefined, nonces: Nonces): void {
    if (!this.#keys || !page) return;
    this.#sequence += 1n;
    const { node, port } = this.#options;
    const said = { node, phase: this.#phase, bootId: this.#bootId, sequence: this.#sequence };
    const packet = sealHeartbeat({ ...said, ...nonces, page }, this.#keys.sign);
    for (const address of nodes.flatMap(name => this.#peers.get(name) ?? [])) {
      const family: SocketType = address.includes(":") ? "udp6" : "udp4";
      // An unreachable peer is what the silence of its own heartbeats tells; nothing to do here.
      this.#sockets.get(family)?.send(packet, port, address, () => undefined);
    }
  }
}

/** One socket per family. A machine that lacks a family does with the other one. */
async function openSockets({ port, listen, warn }: HeartbeatOptions): Promise<Sockets> {
  const sockets = new Map<SocketType, Socket>();
  for (const type of ["udp4", "udp6"] as const) {
    const socket = await bindSocket(type, port, listen?.[type]).catch((error: unknown) => {
      if (!isFamilyMissing(error)) throw portError(port, error);
      warn(`this machine lacks an address family (${type}): no heartbeats over it`);
      return undefined;
    });
    if (socket) sockets.set(type, socket);
  }
  return sockets;
}

function bindSocket(type: "udp4" | "udp6", port: number, address?: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type, ipv6Only: type === "udp6" });
    socket.once("error", reject);
    socket.bind({ port, ...(address === undefined ? {} : { address }) }, () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

function isFamilyMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "EAFNOSUPPORT" || code === "EADDRNOTAVAIL" || code === "EINVAL";
}

function portError(port: number, error: unknown): Error {
  return new Error(
    `cannot listen for heartbeats on UDP port ${port}: ${String(error)}; stop what uses the port ` +
      "or choose another with --heartbeat-port, the same on all nodes",
  );
}

function closeSocket(socket: Socket): Promise<void> {
  return new Promise(resolve =>
    socket.close(() => {
      resolve();
    }),
  );
}
