import { createServer, Socket } from "node:net";
import { familyOf } from "../wire/address";
import type { Family } from "../wire/address";
import { bindSocket, closeSocket, interfaceIndex, openSocket, setOption } from "./libc";
import type { SocketOption } from "./libc";
import { listenerOf } from "./plain-tcp";
import { AF_INET, AF_INET6, encodeSocketAddress, plainAddress, splitZone } from "./socket-address";
import { listeningOptions, md5Option, optionsOf, SOL_SOCKET } from "./socket-options";
import type { Listener, ListenAddress, Transport } from "./transport";

const SOCK_STREAM = 1;

/**
 * TCP with the options that only the kernel has: they must be there before a connection begins, so
 * the socket is made by the C library and given to Node.js then.
 */
export const linuxTcp: Transport = {
  dial: ({ address, port, localAddress, options = {} }) => {
    const family = familyOf(address);
    const { password } = options;
    try {
      const fd = open(family, [
        ...optionsOf(family, options),
        ...(password === undefined ? [] : [md5Option(splitZone(address)[0], password)]),
      ]);
      const host = { host: address, port };
      return new Socket({ fd }).connect({ ...host, ...(localAddress && { localAddress }) });
    } catch (error) {
      return new Socket().destroy(error as Error);
    }
  },
  listen,
  adopt: (socket, options) => {
    const fd = descriptorOf(socket);
    const family = familyOf(plainAddress(socket.remoteAddress ?? ""));
    if (fd === undefined) return;
    // The device is the listener's.
    optionsOf(family, options)
      .filter(({ level }) => level !== SOL_SOCKET)
      .forEach(option => {
        setOption(fd, option);
      });
  },
};

function open(family: Family, options: readonly SocketOption[]): number {
  const fd = openSocket("no TCP socket", family === "ipv4" ? AF_INET : AF_INET6, SOCK_STREAM);
  try {
    options.forEach(option => {
      setOption(fd, option);
    });
    return fd;
  } catch (error) {
    closeSocket(fd);
    throw error;
  }
}

function listen(where: ListenAddress, accept: (socket: Socket) => void): Listener {
  const server = createServer({ allowHalfOpen: false }, accept);
  const family = familyOf(where.address);
  let fd: number | undefined;
  const begin = (): void => {
    try {
      fd = openListening(where, family);
      server.listen({ fd });
    } catch (error) {
      server.emit("error", error);
    }
  };
  const listener = listenerOf(server, begin, (prefix, password) => {
    if (fd !== undefined) setOption(fd, md5Option(prefix, password, family));
  });
  return {
    ...listener,
    close: () => {
      fd = undefined;
      return listener.close();
    },
  };
}

function openListening({ address, port, device }: ListenAddress, family: Family): number {
  const [host, zone] = splitZone(address);
  const fd = open(family, listeningOptions(family, device));
  const scope = zone === undefined ? 0 : interfaceIndex(zone);
  try {
    const bytes = encodeSocketAddress({ family, address: host, port, scope });
    bindSocket(fd, bytes, `cannot listen on ${address} port ${port}`);
    return fd;
  } catch (error) {
    closeSocket(fd);
    throw error;
  }
}

/** Node.js does not tell it; the handle does. */
function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as { readonly _handle?: { readonly fd?: number } | null };
  return handle?.fd !== undefined && handle.fd >= 0 ? handle.fd : undefined;
}
