/**
 * UDP sockets with what Node.js has no options for: the TTL that RFC 5881 wants, a filter on the TTL that
 * arrives, a device. They are made by the C library; what receives is given to Node.js then.
 */
import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import { once } from "node:events";
import { constants } from "node:os";
import {
  attachFilter,
  bindSocket,
  closeSocket,
  interfaceIndex,
  openSocket,
  sendTo,
  setOption,
} from "../transport/libc";
import type { Instruction, KernelError, SocketOption } from "../transport/libc";
import { AF_INET, AF_INET6, encodeSocketAddress } from "../transport/socket-address";
import { IPPROTO_IPV6, optionsOf, SOL_SOCKET } from "../transport/socket-options";
import { familyOf } from "../wire/address";
import type { Family } from "../wire/address";

/** What one session sends from: its port stays the same as long as the session lives. */
export type Sender = {
  readonly port: number;
  /** @throws Error that names what the kernel says; packets that find no room are lost without a word. */
  send(payload: Uint8Array, port: number): void;
  close(): void;
};

export type Receiver = {
  /** From now on only what this lets through. */
  setFilter(program: readonly Instruction[]): void;
  /** Lets sockets of devices have the same port. */
  share(): void;
  close(): void;
};

export type SenderOptions = {
  readonly address: string;
  readonly localAddress?: string;
  readonly device?: string;
};

const SOCK_DGRAM = 2;
const SO_REUSEADDR = 2;
const SO_RCVBUF = 8;
const IPV6_V6ONLY = 26;
const { EADDRINUSE, EAGAIN } = constants.errno;

const TTL = 255;
/** RFC 5881 section 4. */
const FIRST_PORT = 49_152;
const PORTS = 65_536 - FIRST_PORT;
const ATTEMPTS = 100;
/** What comes in while the thread waits for a processor must not be lost. */
const RECEIVE_BUFFER = 1 << 20;
const ANY = { ipv4: "0.0.0.0", ipv6: "::" } as const;
/** Lets nothing through. */
const NOTHING: readonly Instruction[] = [[0x06, 0, 0, 0]];

/**
 * Opens a socket that sends with TTL 255 from a port of RFC 5881's range that nobody else uses.
 *
 * @param random - from [0, 1)
 * @throws Error that names what the kernel refuses.
 */
export function openSender(options: SenderOptions, random: () => number): Sender {
  const { address, localAddress, device } = options;
  const family = familyOf(address);
  return withSocket(family, device, fd => {
    // Nothing is to arrive here, so nothing is to be kept.
    attachFilter(fd, NOTHING);
    const port = bindSomewhere(fd, localAddress ?? ANY[family], device, random);
    const targets = new Map<number, Uint8Array>();
    return {
      port,
      send: (payload, at) => {
        const target = targets.get(at) ?? socketAddress(address, at, device);
        targets.set(at, target);
        const errno = sendTo(fd, payload, target);
        // The device may be another one by now.
        if (errno !== 0) targets.delete(at);
        if (errno !== 0 && errno !== EAGAIN) {
          throw new Error(`sending to ${address} failed: ${nameOf(errno)}`);
        }
      },
      close: () => {
        closeSocket(fd);
      },
    };
  });
}

/** A port of all addresses, or of those of a device. */
export type ReceiverOptions = {
  readonly family: Family;
  readonly port: number;
  readonly device?: string;
  /** Other sockets of ours have the same port. */
  readonly isShared: boolean;
};

/**
 * Opens a socket that receives, at first nothing: a filter says what is let through.
 *
 * @param receive - gets a payload and the sender's address, with a zone if it is link-local
 * @throws Error that names what the kernel refuses.
 */
export function openReceiver(
  { family, port, device, isShared }: ReceiverOptions,
  receive: (payload: Uint8Array, from: string) => void,
): Receiver {
  return withSocket(family, device, fd => {
    const share = (): void => {
      setOption(fd, socketOption("a shared port", SO_REUSEADDR, 1));
    };
    attachFilter(fd, NOTHING);
    if (isShared) share();
    setOption(fd, socketOption("a receive buffer", SO_RCVBUF, RECEIVE_BUFFER));
    const errno = bindTo(fd, ANY[family], port, device);
    if (errno === EADDRINUSE) {
      throw new Error(`UDP port ${port} is taken: another BFD runs here, end one of them`);
    }
    if (errno !== 0) throw new Error(`UDP port ${port} cannot be bound: ${nameOf(errno)}`);
    const socket = adopt(fd, family, receive);
    return {
      setFilter: program => {
        attachFilter(fd, program);
      },
      share,
      close: () => {
        void closeAdopted(socket);
      },
    };
  });
}

/** Does not leave the socket open if this throws. */
function withSocket<T>(family: Family, device: string | undefined, use: (fd: number) => T): T {
  const fd = openSocket("no UDP socket", family === "ipv4" ? AF_INET : AF_INET6, SOCK_DGRAM);
  try {
    if (family === "ipv6") {
      setOption(fd, { what: "IPv6 alone", level: IPPROTO_IPV6, name: IPV6_V6ONLY, value: 1 });
    }
    optionsOf(family, { ttl: TTL, ...(device !== undefined && { device }) }).forEach(option => {
      setOption(fd, option);
    });
    return use(fd);
  } catch (error) {
    closeSocket(fd);
    throw error;
  }
}

function socketOption(what: string, name: number, value: number): SocketOption {
  return { what, level: SOL_SOCKET, name, value };
}

function bindSomewhere(
  fd: number,
  address: string,
  device: string | undefined,
  random: () => number,
): number {
  let errno: number = EADDRINUSE;
  for (let attempt = 0; errno === EADDRINUSE && attempt < ATTEMPTS; attempt++) {
    const port = FIRST_PORT + Math.floor(random() * PORTS);
    errno = bindTo(fd, address, port, device);
    if (errno === 0) return port;
  }
  throw new Error(`cannot send from ${address}: ${nameOf(errno)}`);
}

/** Returns 0 or what the kernel says. */
function bindTo(fd: number, address: string, port: number, device: string | undefined): number {
  try {
    bindSocket(fd, socketAddress(address, port, device), `port ${port} cannot be bound`);
    return 0;
  } catch (error) {
    return (error as KernelError).errno;
  }
}

function socketAddress(address: string, port: number, device: string | undefined): Uint8Array {
  const isLinkLocal = /^fe[89ab]/i.test(address);
  const scope = isLinkLocal && device !== undefined ? interfaceIndex(device) : 0;
  return encodeSocketAddress({ family: familyOf(address), address, port, scope });
}

function adopt(
  fd: number,
  family: Family,
  receive: (payload: Uint8Array, from: string) => void,
): Socket {
  const socket = createSocket({ type: family === "ipv4" ? "udp4" : "udp6" });
  socket.on("message", (payload, { address }) => {
    receive(payload, address);
  });
  // A datagram that came back: the neighbor does not listen, which its silence tells as well.
  socket.on("error", () => undefined);
  socket.bind({ fd });
  return socket;
}

/** Node.js closes what it adopted, but not before it is done adopting. */
async function closeAdopted(socket: Socket): Promise<void> {
  try {
    socket.address();
  } catch {
    await once(socket, "listening");
  }
  socket.close();
}

function nameOf(errno: number): string {
  const name = Object.entries(constants.errno).find(([, number]) => number === errno)?.[0];
  return name ?? `errno ${errno}`;
}
