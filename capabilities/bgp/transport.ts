/**
 * How TCP connections are made. Node.js has no socket options for MD5 signatures, TTL security or
 * devices, so who needs them passes a transport of their own.
 */
import { connect, createServer } from "node:net";
import type { Server, Socket } from "node:net";

/** Whom to connect to, and from where. */
export type DialTarget = {
  readonly address: string;
  readonly port: number;
  readonly localAddress?: string;
};

/** Where to wait for connections. */
export type ListenAddress = { readonly address: string; readonly port: number };

export type Transport = {
  dial(target: DialTarget): Socket;
  /** Listening, or about to; `accept` gets each connection. Errors are the server's `error` event. */
  listen(where: ListenAddress, accept: (socket: Socket) => void): Server;
};

export const tcp: Transport = {
  dial: ({ address, port, localAddress }) =>
    connect({ host: address, port, ...(localAddress !== undefined && { localAddress }) }),
  listen: ({ address, port }, accept) =>
    createServer({ allowHalfOpen: false }, accept).listen(port, address),
};
