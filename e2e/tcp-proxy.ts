import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

/** A way to one server that a test can close without touching the server. */
export type TcpProxy = {
  readonly port: number;
  /** Resets what is connected, refuses what comes. */
  close(): void;
  open(): void;
  stop(): Promise<void>;
};

/** Forwards connections from a port of its own on loopback to `port` on loopback. */
export async function startTcpProxy(port: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let isOpen = true;

  const server = createServer(near => {
    if (!isOpen) {
      near.resetAndDestroy();
      return;
    }
    const far = connect(port, "127.0.0.1");
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.pipe(other);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));

  const close = (): void => {
    isOpen = false;
    sockets.forEach(socket => socket.resetAndDestroy());
  };
  return {
    port: (server.address() as AddressInfo).port,
    close,
    open: () => {
      isOpen = true;
    },
    stop: async () => {
      const closed = new Promise(resolve => server.close(resolve));
      close();
      await closed;
    },
  };
}
