import { createSocket } from "node:dgram";
import type { Socket, SocketType } from "node:dgram";
import { lookup } from "./group";
import type { Listening } from "./group";

/** Where heartbeats are listened for. */
export type ListenOptions = {
  readonly port: number;
  /** Addresses to listen on; absent: all, since a node's address may come up after us. */
  readonly listen?: Readonly<Record<"udp4" | "udp6", string>>;
  readonly warn: (message: string) => void;
};

/** A burst of some hundred nodes fits, whatever the system's default, bytes. */
const RECEIVE_BYTES = 1 << 20;

/** One socket per family. A machine that lacks a family does with the other one. */
export async function openSockets({ port, listen, warn }: ListenOptions): Promise<Listening> {
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

export function closeSocket(socket: Socket): Promise<void> {
  return new Promise(resolve =>
    socket.close(() => {
      resolve();
    }),
  );
}

function bindSocket(type: "udp4" | "udp6", port: number, address?: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({
      type,
      ipv6Only: type === "udp6",
      recvBufferSize: RECEIVE_BYTES,
      lookup,
    });
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
