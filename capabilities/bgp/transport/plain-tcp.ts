import { once } from "node:events";
import { connect, createServer, Socket } from "node:net";
import type { Server } from "node:net";
import type { Listener, SocketOptions, Transport } from "./transport";

/**
 * TCP as Node.js has it, on any system. It refuses options that guard a session, and does without
 * those that only make it better.
 */
export const plainTcp: Transport = {
  dial: ({ address, port, localAddress, options = {} }) => {
    const problem = guardOf(options);
    if (problem !== undefined) return new Socket().destroy(problem);
    return connect({ host: address, port, ...(localAddress !== undefined && { localAddress }) });
  },
  listen: ({ address, port, device }, accept) => {
    const server = createServer({ allowHalfOpen: false }, accept);
    const problem = guardOf({ ...(device !== undefined && { device }) });
    return listenerOf(
      server,
      () => (problem === undefined ? server.listen(port, address) : server.emit("error", problem)),
      (_prefix, password) => {
        const refusal = guardOf({ ...(password !== undefined && { password }) });
        if (refusal !== undefined) throw refusal;
      },
    );
  },
  adopt: (_socket, options) => {
    const problem = guardOf({ ...options, password: "" });
    if (problem !== undefined) throw problem;
  },
};

function guardOf({ password = "", minTtl, device }: SocketOptions): Error | undefined {
  const name =
    password !== "" ? "MD5 signatures" : minTtl !== undefined ? "TTL security" : "a device";
  return password !== "" || minTtl !== undefined || device !== undefined
    ? new Error(`Node.js has no ${name} for TCP: use linuxTcp, on Linux`)
    : undefined;
}

/** A server as a listener; `begin` makes it listen. */
export function listenerOf(
  server: Server,
  begin: () => unknown,
  setPassword: Listener["setPassword"],
): Listener {
  const started = once(server, "listening").then(() => undefined);
  started.catch(() => undefined);
  begin();
  return {
    listening: () => started,
    setPassword,
    close: async () => {
      if (server.listening) {
        const end = once(server, "close");
        server.close();
        await end;
      }
    },
  };
}
