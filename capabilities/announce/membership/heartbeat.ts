import { createSocket } from "node:dgram";
import type { Socket, SocketType } from "node:dgram";
import { emptyLiveness, hear, livePeers, retain, sweep } from "./liveness";
import type { LivenessStep } from "./liveness";
import type { Membership, MembershipChange } from "./membership";
import { decodeHeartbeat, encodeHeartbeat } from "./packet";
import type { Phase } from "./packet";

/** A node to exchange heartbeats with, and the addresses (InternalIP) at which it listens. */
export type HeartbeatPeer = { readonly node: string; readonly addresses: readonly string[] };

export type HeartbeatOptions = {
  readonly node: string;
  readonly port: number;
  /** Where to listen; absent: on all addresses, since a node's address may come up after us. */
  readonly listen?: Readonly<Record<"udp4" | "udp6", string>>;
  /** Time between two heartbeats, ms. */
  readonly intervalMs: number;
  /** A peer is dead after this many intervals without a heartbeat. */
  readonly missed: number;
  /** All other nodes of the cluster, asked before each round. */
  readonly peers: () => readonly HeartbeatPeer[];
  /** Monotonic clock, ms. */
  readonly now: () => number;
  /** Wall clock at the start of the process, ms since 1970. */
  readonly bootId: bigint;
  readonly log: { warn(details: object, message: string): void };
};

/** A good-bye is sent this often, since a datagram may be lost. */
const GOODBYE_TIMES = 3;
const GOODBYE_GAP_MS = 20;

/**
 * Membership by heartbeat: a small UDP datagram from every node to every other, to all their InternalIPs.
 * Plain: not authenticated, O(n²) datagrams in all; fit for a LAN of tens of nodes.
 */
export async function startHeartbeat(options: HeartbeatOptions): Promise<Membership> {
  const { node, intervalMs, missed, now } = options;
  const listeners = new Set<(change: MembershipChange) => void>();
  let liveness = emptyLiveness(now());
  let phase: Phase = "starting";
  let sequence = 0n;

  function take(step: LivenessStep): void {
    liveness = step.state;
    if (step.change) for (const listener of listeners) listener(step.change);
  }

  function receive(packet: Buffer): void {
    const heartbeat = decodeHeartbeat(packet);
    if (heartbeat && heartbeat.node !== node) take(hear(liveness, heartbeat, now()));
  }

  const sockets = await openSockets(options, receive);

  function send(): void {
    sequence += 1n;
    const packet = encodeHeartbeat({ node, phase, bootId: options.bootId, sequence });
    for (const { addresses } of options.peers()) {
      for (const address of addresses) {
        const family: SocketType = address.includes(":") ? "udp6" : "udp4";
        // An unreachable peer is what the silence of its own heartbeats tells; nothing to do here.
        sockets.get(family)?.send(packet, options.port, address, () => undefined);
      }
    }
  }

  const timer = setInterval(() => {
    send();
    const peers = new Set(options.peers().map(peer => peer.node));
    take(retain(liveness, peers));
    take(sweep(liveness, now(), intervalMs * missed));
  }, intervalMs);
  send();

  return {
    alive: () => new Set(phase === "active" ? [...livePeers(liveness), node] : livePeers(liveness)),
    onChange: listener => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    activate: () => {
      phase = "active";
      send();
    },
    leave: async () => {
      phase = "leaving";
      for (let i = 0; i < GOODBYE_TIMES; i++) {
        send();
        await new Promise(resolve => setTimeout(resolve, GOODBYE_GAP_MS));
      }
    },
    stop: async () => {
      clearInterval(timer);
      listeners.clear();
      await Promise.all([...sockets.values()].map(closeSocket));
    },
  };
}

/** One socket per family. A machine that lacks a family does with the other one. */
async function openSockets(
  { port, listen, log }: HeartbeatOptions,
  receive: (packet: Buffer) => void,
): Promise<ReadonlyMap<SocketType, Socket>> {
  const sockets = new Map<SocketType, Socket>();
  for (const type of ["udp4", "udp6"] as const) {
    const socket = await bindSocket(type, port, listen?.[type]).catch((error: unknown) => {
      if (!isFamilyMissing(error)) throw portError(port, error);
      log.warn({ err: error, type }, "this machine lacks an address family: no heartbeats over it");
      return undefined;
    });
    if (socket) sockets.set(type, socket);
  }
  for (const [type, socket] of sockets) {
    socket.on("message", receive);
    socket.on("error", error => {
      log.warn({ err: error, type }, "heartbeat socket");
    });
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
