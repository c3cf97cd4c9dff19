import koffi from "koffi";
import { FRAME_BYTES } from "./listen-filter";
import type { Instruction } from "./listen-filter";

/** Sends frames that are complete from the Ethernet header on. */
export type PacketSocket = {
  /** Sends on one interface. Throws an Error that names the interface if the kernel refuses. */
  send(interfaceIndex: number, frame: Uint8Array): void;
  close(): void;
};

/** A frame from its Ethernet header on, and the interface that it came in by. */
export type HeardFrame = { readonly bytes: Uint8Array; readonly interfaceIndex: number };

/** Hears what a filter lets through, on all interfaces. */
export type ListenSocket = {
  /** The next frame that arrived; undefined if none waits. */
  receive(): HeardFrame | undefined;
  /** From now on another filter is in force. Throws if the kernel refuses it. */
  filter(program: readonly Instruction[]): void;
  close(): void;
};

/** Hears ARP replies and neighbor advertisements on all interfaces. */
export type AnswerSocket = {
  /** The next frame that arrived, from its Ethernet header on; undefined if none waits. */
  receive(): Uint8Array | undefined;
  close(): void;
};

const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const SOCKADDR_LL_BYTES = 20;
const EPERM = 1;
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const ETH_P_ALL = 3;

/**
 * Frames whose type is ARP and operation reply, or whose type is IPv6 and the message a neighbor advertisement. The
 * kernel drops all else, so that this process wakes for nothing.
 */
const ANSWER_FILTER: readonly Instruction[] = [
  [0x28, 0, 0, 12], // the Ethernet type
  [0x15, 0, 2, 0x0806],
  [0x28, 0, 0, 20], // ARP's operation
  [0x15, 5, 6, 2],
  [0x15, 0, 5, 0x86dd],
  [0x30, 0, 0, 20], // IPv6's next header
  [0x15, 0, 3, 58],
  [0x30, 0, 0, 54], // ICMPv6's type
  [0x15, 0, 1, 136],
  [0x06, 0, 0, FRAME_BYTES],
  [0x06, 0, 0, 0],
];

/**
 * Opens an AF_PACKET socket; Node has none. It is bound to no protocol, so it receives nothing and the kernel
 * copies no traffic to it. Needs CAP_NET_RAW.
 */
export function openPacketSocket(): PacketSocket {
  const { libc, socket, close } = loadLibc();
  const sendto = libc.func(
    "long sendto(int fd, const uint8_t *data, size_t size, int flags, const uint8_t *address, uint32_t length)",
  );
  const fd = Number(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (fd < 0) throw new Error(openError(koffi.errno()));
  return {
    send: (interfaceIndex, frame) => {
      const address = Buffer.alloc(SOCKADDR_LL_BYTES);
      // sll_family and sll_ifindex are in host order; SOCK_RAW needs no more, the frame has the rest.
      writeHostU16(address, AF_PACKET, 0);
      writeHostI32(address, interfaceIndex, 4);
      const sent = Number(sendto(fd, frame, frame.length, 0, address, address.length));
      if (sent !== frame.length) {
        throw new Error(`sending on interface ${interfaceIndex} failed: errno ${koffi.errno()}`);
      }
    },
    close: () => {
      close(fd);
    },
  };
}

/** Opens a socket that hears answers. It costs a filter's run per frame of the node, so close it soon. */
export function openAnswerSocket(): AnswerSocket {
  const socket = openListenSocket(ANSWER_FILTER);
  return {
    receive: () => socket.receive()?.bytes,
    close: () => {
      socket.close();
    },
  };
}

/** Opens a socket that hears what the filter lets through. Needs CAP_NET_RAW. */
export function openListenSocket(program: readonly Instruction[]): ListenSocket {
  const { libc, socket, close } = loadLibc();
  const setsockopt = libc.func("setsockopt", "int", [
    "int",
    "int",
    "int",
    koffi.pointer(filterStruct()),
    "uint32",
  ]);
  const bind = libc.func("int bind(int fd, const uint8_t *address, uint32_t length)");
  const recvfrom = libc.func(
    "long recvfrom(int fd, _Out_ uint8_t *data, size_t size, int flags, _Out_ uint8_t *address, _Inout_ uint32_t *length)",
  );
  // Of no protocol until it has its filter: nothing that we do not want to hear comes in before.
  const fd = Number(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd < 0) throw new Error(openError(koffi.errno()));
  const attach = (filter: readonly Instruction[]): boolean => {
    const prog = { len: filter.length, filter: encodeFilter(filter) };
    const size = koffi.sizeof(filterStruct());
    return Number(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, prog, size)) === 0;
  };
  const everything = Buffer.alloc(SOCKADDR_LL_BYTES);
  writeHostU16(everything, AF_PACKET, 0);
  everything.writeUInt16BE(ETH_P_ALL, 2);
  if (!attach(program) || Number(bind(fd, everything, everything.length)) !== 0) {
    const errno = koffi.errno();
    close(fd);
    throw new Error(openError(errno));
  }
  const buffer = Buffer.alloc(FRAME_BYTES);
  const from = Buffer.alloc(SOCKADDR_LL_BYTES);
  return {
    receive: () => {
      const length = Number(recvfrom(fd, buffer, buffer.length, 0, from, [from.length]));
      if (length <= 0) return undefined;
      return {
        bytes: Uint8Array.from(buffer.subarray(0, length)),
        interfaceIndex: new Int32Array(Uint8Array.from(from.subarray(4, 8)).buffer)[0] ?? 0,
      };
    },
    filter: next => {
      if (!attach(next)) throw new Error(`a packet filter was refused (errno ${koffi.errno()})`);
    },
    close: () => {
      close(fd);
    },
  };
}

function encodeFilter(instructions: readonly Instruction[]): Buffer {
  const program = Buffer.alloc(instructions.length * 8);
  for (const [index, [code, ifTrue, ifFalse, value]] of instructions.entries()) {
    writeHostU16(program, code, index * 8);
    program.writeUInt8(ifTrue, index * 8 + 2);
    program.writeUInt8(ifFalse, index * 8 + 3);
    writeHostI32(program, value | 0, index * 8 + 4);
  }
  return program;
}

let program: koffi.IKoffiCType | undefined;

/** struct sock_fprog. */
function filterStruct(): koffi.IKoffiCType {
  return (program ??= koffi.struct({ len: "uint16", filter: "const uint8_t *" }));
}

type Libc = {
  readonly libc: koffi.IKoffiLib;
  readonly socket: koffi.KoffiFunction;
  readonly close: koffi.KoffiFunction;
};

let loaded: Libc | undefined;

function loadLibc(): Libc {
  if (loaded) return loaded;
  const libc = koffi.load(null);
  const socket = libc.func("int socket(int domain, int type, int protocol)");
  return (loaded = { libc, socket, close: libc.func("int close(int fd)") });
}

function openError(errno: number): string {
  const remedy =
    errno === EPERM
      ? "add the capability NET_RAW to the container's security context"
      : "the kernel may lack CONFIG_PACKET";
  return `cannot open a packet socket (errno ${errno}): ${remedy}`;
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function writeHostU16(buffer: Buffer, value: number, offset: number): void {
  if (isLittleEndian) buffer.writeUInt16LE(value, offset);
  else buffer.writeUInt16BE(value, offset);
}

function writeHostI32(buffer: Buffer, value: number, offset: number): void {
  if (isLittleEndian) buffer.writeInt32LE(value, offset);
  else buffer.writeInt32BE(value, offset);
}
