/** The few calls of the C library that Node.js does not have. */
import koffi from "koffi";
import { hostU16, hostU32 } from "./socket-address";

type Libc = Readonly<
  Record<"socket" | "setsockopt" | "bind" | "close" | "sendto" | "recvfrom", koffi.KoffiFunction>
> & { readonly nameToIndex: koffi.KoffiFunction; readonly attach: koffi.KoffiFunction };

let loaded: Libc | undefined;

function libc(): Libc {
  if (loaded !== undefined) return loaded;
  const library = koffi.load(null);
  const bytes = "const uint8_t *";
  const program = koffi.struct({ length: "uint16", instructions: bytes });
  return (loaded = {
    socket: library.func("int socket(int domain, int type, int protocol)"),
    setsockopt: library.func(
      `int setsockopt(int fd, int level, int name, ${bytes}value, uint32_t length)`,
    ),
    bind: library.func(`int bind(int fd, ${bytes}address, uint32_t length)`),
    close: library.func("int close(int fd)"),
    sendto: library.func(
      `long sendto(int fd, ${bytes}data, size_t size, int flags, ${bytes}address, uint32_t length)`,
    ),
    recvfrom: library.func(
      "long recvfrom(int fd, _Out_ uint8_t *data, size_t size, int flags, _Out_ uint8_t *address, _Inout_ uint32_t *length)",
    ),
    attach: library.func("setsockopt", "int", [
      ...["int", "int", "int"],
      koffi.pointer(program),
      "uint32",
    ]),
    nameToIndex: library.func("uint32_t if_nametoindex(const char *name)"),
  });
}

/** A refusal of the kernel's, by the number of errno(3). */
export type KernelError = Error & { readonly errno: number };

/** Which of the kernel's refusals this was, e.g. `no signed TCP (errno 92)`. */
function failure(what: string): KernelError {
  const errno = koffi.errno();
  return Object.assign(new Error(`${what} (errno ${errno})`), { errno });
}

const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;

/**
 * A descriptor of a socket; it does not block unless that is asked for.
 * @throws KernelError that says `what` is not to be had
 */
export function openSocket(
  what: string,
  domain: number,
  type: number,
  { protocol = 0, isBlocking = false } = {},
): number {
  const flags = SOCK_CLOEXEC | (isBlocking ? 0 : SOCK_NONBLOCK);
  const fd = Number(libc().socket(domain, type | flags, protocol));
  if (fd < 0) throw failure(what);
  return fd;
}

/** One of setsockopt(2)'s options; a number is an int. */
export type SocketOption = {
  /** Ends the sentence "the kernel refuses …". */
  readonly what: string;
  readonly level: number;
  readonly name: number;
  readonly value: number | Uint8Array;
};

/** @throws KernelError that names the option */
export function setOption(fd: number, { what, level, name, value }: SocketOption): void {
  const bytes = typeof value === "number" ? new Uint8Array(Int32Array.of(value).buffer) : value;
  if (Number(libc().setsockopt(fd, level, name, bytes, bytes.length)) !== 0) {
    throw failure(`the kernel refuses ${what}`);
  }
}

/** One of classic BPF (linux/filter.h): code, jump if true, jump if false, value. */
export type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const SIZE_OF_PROGRAM = 16;

/**
 * Lets through what a program accepts.
 * @throws KernelError
 */
export function attachFilter(fd: number, instructions: readonly Instruction[]): void {
  const bytes = new Uint8Array(8 * instructions.length);
  instructions.forEach(([code, ifTrue, ifFalse, value], index) => {
    hostU16(bytes, 8 * index, code);
    bytes.set([ifTrue, ifFalse], 8 * index + 2);
    hostU32(bytes, 8 * index + 4, value);
  });
  const program = { length: instructions.length, instructions: bytes };
  const result = Number(libc().attach(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, SIZE_OF_PROGRAM));
  if (result !== 0) throw failure("the kernel refuses a filter");
}

/** @throws KernelError that says `what` cannot be bound */
export function bindSocket(fd: number, address: Uint8Array, what: string): void {
  if (Number(libc().bind(fd, address, address.length)) !== 0) throw failure(what);
}

export function closeSocket(fd: number): void {
  libc().close(fd);
}

/** Sends a datagram; the errno if it did not go out, else 0. */
export function sendTo(fd: number, data: Uint8Array, address: Uint8Array): number {
  const sent = Number(libc().sendto(fd, data, data.length, 0, address, address.length));
  return sent < 0 ? koffi.errno() : 0;
}

/** The next datagram, as far as it fits, with its sender's socket address; undefined if none waits. */
export function receiveFrom(
  fd: number,
  octets = 2_048,
): { readonly data: Uint8Array; readonly address: Uint8Array } | undefined {
  const data = new Uint8Array(octets);
  const address = new Uint8Array(128);
  const length = [address.length];
  const size = Number(libc().recvfrom(fd, data, data.length, 0, address, length));
  return size < 0 ? undefined : { data: data.subarray(0, size), address };
}

/** Number of an interface; 0 if there is none of this name. */
export function interfaceIndex(name: string): number {
  return Number(libc().nameToIndex(name));
}
