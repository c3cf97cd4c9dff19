/**
 * UDP sockets with what Node.js has no options for: the TTL that RFC 5881 wants, a filter on the TTL that
 * arrives, a device. They are made by the C library; what receives is given to Node.js then.
 */
import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import { once } from "node:events";
import koffi from "koffi";
import { addressBytes, familyOf } from "../wire/address";
import type { Family } from "../wire/address";
import { encodeFilter } from "./filter";
import type { Instruction } from "./filter";

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

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_RCVBUF = 8;
const SO_BINDTODEVICE = 25;
const SO_ATTACH_FILTER = 26;
const IPPROTO_IP = 0;
const IP_TOS = 1;
const IP_TTL = 2;
const IPPROTO_IPV6 = 41;
const IPV6_UNICAST_HOPS = 16;
const IPV6_V6ONLY = 26;
const IPV6_TCLASS = 67;
const EADDRINUSE = 98;
const EAGAIN = 11;

/** Internetwork control, as routing protocols have (RFC 4594 section 3.1). */
const CLASS_SELECTOR_6 = 0xc0;
const TTL = 255;
/** RFC 5881 section 4. */
const FIRST_PORT = 49_152;
const PORTS = 65_536 - FIRST_PORT;
const ATTEMPTS = 100;
/** What comes in while the thread waits for a processor must not be lost. */
const RECEIVE_BUFFER = 1 << 20;

/**
 * Opens a socket that sends with TTL 255 from a port of RFC 5881's range that nobody else uses.
 *
 * @param random - from [0, 1)
 * @throws Error that names what the kernel refuses.
 */
export function openSender(options: SenderOptions, random: () => number): Sender {
  const { address, localAddress, device } = options;
  const family = familyOf(address);
  const fd = openSocket(family, device);
  return guarded(fd, () => {
    setNumber(fd, "TTL", family === "ipv4" ? [IPPROTO_IP, IP_TTL] : V6_HOPS, TTL);
    setNumber(fd, "DSCP", family === "ipv4" ? [IPPROTO_IP, IP_TOS] : V6_CLASS, CLASS_SELECTOR_6);
    // Nothing is to arrive here, so nothing is to be kept.
    attachFilter(fd, [[0x06, 0, 0, 0]]);
    const port = bindSomewhere(fd, localAddress ?? ANY[family], device, random);
    const to = addressBytes(address);
    return {
      port,
      send: (payload, at) => {
        const target = socketAddress(to, at, device);
        const { sendto } = libc();
        if (Number(sendto(fd, payload, payload.length, 0, target, target.length)) < 0) {
          const errno = koffi.errno();
          if (errno !== EAGAIN) throw new Error(`sending to ${address} failed: ${nameOf(errno)}`);
        }
      },
      close: () => {
        libc().close(fd);
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
  const fd = openSocket(family, device);
  const share = (): void => {
    setNumber(fd, "sharing", [SOL_SOCKET, SO_REUSEADDR], 1);
  };
  return guarded(fd, () => {
    attachFilter(fd, [[0x06, 0, 0, 0]]);
    if (isShared) share();
    setNumber(fd, "receive buffer", [SOL_SOCKET, SO_RCVBUF], RECEIVE_BUFFER);
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

const ANY = { ipv4: "0.0.0.0", ipv6: "::" } as const;
const V6_HOPS = [IPPROTO_IPV6, IPV6_UNICAST_HOPS] as const;
const V6_CLASS = [IPPROTO_IPV6, IPV6_TCLASS] as const;

function openSocket(family: Family, device: string | undefined): number {
  const domain = family === "ipv4" ? AF_INET : AF_INET6;
  const fd = Number(libc().socket(domain, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd < 0) throw new Error(`no UDP socket: ${nameOf(koffi.errno())}`);
  return guarded(fd, () => {
    if (family === "ipv6") setNumber(fd, "IPv6 only", [IPPROTO_IPV6, IPV6_V6ONLY], 1);
    if (device !== undefined) {
      setOption(fd, `device ${device}`, [SOL_SOCKET, SO_BINDTODEVICE], Buffer.from(`${device}\0`));
    }
    return fd;
  });
}

/** Does not leave the socket open if this throws. */
function guarded<T>(fd: number, use: () => T): T {
  try {
    return use();
  } catch (error) {
    libc().close(fd);
    throw error;
  }
}

function bindSomewhere(
  fd: number,
  address: string,
  device: string | undefined,
  random: () => number,
): number {
  let errno = EADDRINUSE;
  for (let attempt = 0; errno === EADDRINUSE && attempt < ATTEMPTS; attempt++) {
    const port = FIRST_PORT + Math.floor(random() * PORTS);
    errno = bindTo(fd, address, port, device);
    if (errno === 0) return port;
  }
  throw new Error(`cannot send from ${address}: ${nameOf(errno)}`);
}

function bindTo(fd: number, address: string, port: number, device: string | undefined): number {
  const where = socketAddress(addressBytes(address), port, device);
  return Number(libc().bind(fd, where, where.length)) === 0 ? 0 : koffi.errno();
}

/** A sockaddr_in or sockaddr_in6. */
function socketAddress(octets: Uint8Array, port: number, device: string | undefined): Uint8Array {
  const isV4 = octets.length === 4;
  const bytes = new Uint8Array(isV4 ? 16 : 28);
  new Uint16Array(bytes.buffer, 0, 1)[0] = isV4 ? AF_INET : AF_INET6;
  bytes.set([port >> 8, port & 255], 2);
  bytes.set(octets, isV4 ? 4 : 8);
  const isLinkLocal = octets[0] === 0xfe && (octets[1] ?? 0) >> 6 === 2;
  if (!isV4 && isLinkLocal && device !== undefined) {
    new Uint32Array(bytes.buffer, 24, 1)[0] = Number(libc().if_nametoindex(device));
  }
  return bytes;
}

function setNumber(
  fd: number,
  what: string,
  option: readonly [number, number],
  value: number,
): void {
  setOption(fd, what, option, new Uint8Array(Int32Array.of(value).buffer));
}

function setOption(
  fd: number,
  what: string,
  [level, name]: readonly [number, number],
  value: Uint8Array,
): void {
  if (Number(libc().setsockopt(fd, level, name, value, value.length)) !== 0) {
    throw new Error(`a UDP socket's ${what} cannot be set: ${nameOf(koffi.errno())}`);
  }
}

function attachFilter(fd: number, program: readonly Instruction[]): void {
  const { setFilter, filterProgram } = libc();
  const filter = { len: program.length, filter: encodeFilter(program) };
  const size = koffi.sizeof(filterProgram);
  if (Number(setFilter(fd, SOL_SOCKET, SO_ATTACH_FILTER, filter, size)) !== 0) {
    throw new Error(`the kernel does not take the socket's filter: ${nameOf(koffi.errno())}`);
  }
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
  const name = Object.entries(koffi.os.errno).find(([, number]) => number === errno)?.[0];
  return name ?? `errno ${errno}`;
}

type Libc = { readonly filterProgram: koffi.IKoffiCType } & Readonly<
  Record<
    "socket" | "close" | "bind" | "if_nametoindex" | "sendto" | "setsockopt" | "setFilter",
    koffi.KoffiFunction
  >
>;

function loadLibc(): Libc {
  const library = koffi.load(null);
  const filterProgram = koffi.struct({ len: "uint16", filter: "const uint8_t *" });
  return {
    filterProgram,
    socket: library.func("int socket(int domain, int type, int protocol)"),
    close: library.func("int close(int fd)"),
    bind: library.func("int bind(int fd, const uint8_t *address, uint32_t length)"),
    if_nametoindex: library.func("uint32_t if_nametoindex(const char *name)"),
    sendto: library.func(
      "long sendto(int fd, const uint8_t *data, size_t size, int flags, const uint8_t *address, uint32_t length)",
    ),
    setsockopt: library.func(
      "int setsockopt(int fd, int level, int name, const uint8_t *value, uint32_t length)",
    ),
    setFilter: library.func("setsockopt", "int", [
      ...["int", "int", "int"],
      koffi.pointer(filterProgram),
      "uint32",
    ]),
  };
}

let loaded: Libc | undefined;
const libc = (): Libc => (loaded ??= loadLibc());
