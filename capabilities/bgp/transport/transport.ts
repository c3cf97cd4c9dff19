/** How TCP connections are made. */
import type { Socket } from "node:net";

/** What a connection can have beside what every TCP connection has. */
export type SocketOptions = {
  /** Signs all segments, and takes only those that are (RFC 2385); 1–80 octets. */
  readonly password?: string;
  /** TTL or hop limit of what is sent, 1–255. */
  readonly ttl?: number;
  /** What comes with less of it is dropped (RFC 5082), 1–255. */
  readonly minTtl?: number;
  /** Name of the interface or VRF that it is bound to. */
  readonly device?: string;
  /** Milliseconds that the peer may leave data unacknowledged (RFC 5482). */
  readonly userTimeoutMs?: number;
};

/** Whom to connect to, and from where. A link-local address has its zone, e.g. `fe80::1%eth0`. */
export type DialTarget = {
  readonly address: string;
  readonly port: number;
  readonly localAddress?: string;
  readonly options?: SocketOptions;
};

/** Where to wait for connections. */
export type ListenAddress = {
  readonly address: string;
  readonly port: number;
  /** Name of the interface or VRF that connections come in by. */
  readonly device?: string;
};

/** Something that accepts connections. */
export type Listener = {
  /** Resolves once connections are accepted, rejects if they cannot be. */
  listening(): Promise<void>;
  /**
   * Connections from these addresses are to be signed with this password from now on, or no more.
   * @param prefix - an address or a prefix
   * @throws Error if the kernel cannot
   */
  setPassword(prefix: string, password: string | undefined): void;
  /** Resolves when the port is free. */
  close(): Promise<void>;
};

export type Transport = {
  /** A socket on its way to the peer; what fails is its `error` event. */
  dial(target: DialTarget): Socket;
  listen(where: ListenAddress, accept: (socket: Socket) => void): Listener;
  /**
   * Gives a connection that was accepted its options; the password is the listener's.
   * @throws Error if the kernel cannot
   */
  adopt(socket: Socket, options: SocketOptions): void;
};
