import koffi from "koffi";
import { FRAME_BYTES, NOTHING } from "./filter";
import type { Instruction } from "./filter";

/** A question as it came in: the frame from its Ethernet header on, and the interface. */
export type Heard = { readonly frame: Uint8Array; readonly interfaceIndex: number };

/** A socket that hears one protocol on all interfaces, as far as its filter lets it. */
export type QuestionSocket = {
  /** For `createWaiter`. */
  readonly fd: number;
  /** The next frame that waits; undefined if none does. */
  receive(): Heard | undefined;
  /** From now on this filter is in force. Throws if the kernel refuses it. */
  setFilter(program: readonly Instruction[]): void;
  /** Has the interface hear a group's hardware address, or not any more. An interface that is gone is no error. */
  setGroup(interfaceIndex: number, mac: Uint8Array, isWanted: boolean): void;
  /** Sends a frame. False if the kernel refuses, as it does when the interface is down. */
  send(interfaceIndex: number, frame: Uint8Array): boolean;
};

/** Sleeps until there is something to read. */
export type Waiter = {
  /** Returns the file descriptors that can be read; none after `ms`. The thread sleeps meanwhile. */
  wait(fds: readonly number[], ms: number): readonly number[];
};

/** Wakes a thread that waits: a file descriptor that can be read after `wake` until `clear`. */
export type WakeUp = { readonly fd: number; wake(): void; close(): void };

export const ETH_P_ARP = 0x0806;
export const ETH_P_IPV6 = 0x86dd;

const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1;
const PACKET_DROP_MEMBERSHIP = 2;
const PACKET_MR_MULTICAST = 0;
const SOCKADDR_LL_BYTES = 20;
const PACKET_MREQ_BYTES = 16;
const POLLIN = 1;
const POLLFD_BYTES = 8;
const EFD_FLAGS = SOCK_CLOEXEC | SOCK_NONBLOCK;

/** Opens a socket that hears nothing until it gets a filter. Needs CAP_NET_RAW; throws without. */
export function openQuestionSocket(protocol: number): QuestionSocket {
  const native = loadNative();
  const fd = Number(native.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd < 0) throw errorOf("opening a packet socket");
  const setFilter = (program: readonly Instruction[]): void => {
    const fprog = { len: program.length, filter: encodeFilter(program) };
    const size = koffi.sizeof(native.fprog);
    if (Number(native.attachFilter(fd, SOL_SOCKET, SO_ATTACH_FILTER, fprog, size)) !== 0) {
      throw errorOf(`a filter of ${program.length} instructions`);
    }
  };
  setFilter(NOTHING);
  const any = linkAddress(0);
  any.writeUInt16BE(protocol, 2);
  if (Number(native.bind(fd, any, any.length)) !== 0) throw errorOf("binding a packet socket");
  const buffer = Buffer.alloc(FRAME_BYTES);
  const from = Buffer.alloc(SOCKADDR_LL_BYTES);
  return {
    fd,
    receive: () => {
      const length = Number(native.recvfrom(fd, buffer, buffer.length, 0, from, [from.length]));
      if (length <= 0) return undefined;
      const frame = Uint8Array.from(buffer.subarray(0, length));
      return { frame, interfaceIndex: host.readInt32(from, 4) };
    },
    setFilter,
    setGroup: (interfaceIndex, mac, isWanted) => {
      const request = Buffer.alloc(PACKET_MREQ_BYTES);
      host.writeInt32(request, interfaceIndex, 0);
      host.writeUInt16(request, PACKET_MR_MULTICAST, 4);
      host.writeUInt16(request, mac.length, 6);
      request.set(mac, 8);
      const option = isWanted ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP;
      native.setsockopt(fd, SOL_PACKET, option, request, request.length);
    },
    send: (interfaceIndex, frame) => {
      const to = linkAddress(interfaceIndex);
      return Number(native.sendto(fd, frame, frame.length, 0, to, to.length)) === frame.length;
    },
  };
}

export function createWaiter(): Waiter {
  const native = loadNative();
  return {
    wait: (fds, ms) => {
      const polls = Buffer.alloc(POLLFD_BYTES * fds.length);
      fds.forEach((fd, at) => {
        host.writeInt32(polls, fd, at * POLLFD_BYTES);
        host.writeUInt16(polls, POLLIN, at * POLLFD_BYTES + 4);
      });
      native.poll(polls, fds.length, ms);
      return fds.filter((_, at) => polls.readUInt16LE(at * POLLFD_BYTES + 6) !== 0);
    },
  };
}

/** Opens the waking end, in the thread that wakes; the other one only needs the file descriptor. */
export function openWakeUp(): WakeUp {
  const native = loadNative();
  const fd = Number(native.eventfd(0, EFD_FLAGS));
  if (fd < 0) throw errorOf("eventfd");
  const one = Buffer.alloc(8);
  host.writeInt32(one, 1, host.isLittle ? 0 : 4);
  return {
    fd,
    wake: () => {
      native.write(fd, one, one.length);
    },
    close: () => {
      native.close(fd);
    },
  };
}

/** Takes note of having been woken. */
export function clearWakeUp(fd: number): void {
  loadNative().read(fd, Buffer.alloc(8), 8);
}

function linkAddress(interfaceIndex: number): Buffer {
  const address = Buffer.alloc(SOCKADDR_LL_BYTES);
  host.writeUInt16(address, AF_PACKET, 0);
  host.writeInt32(address, interfaceIndex, 4);
  return address;
}

function encodeFilter(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, [code, ifTrue, ifFalse, value]] of program.entries()) {
    host.writeUInt16(bytes, code, index * 8);
    bytes.writeUInt8(ifTrue, index * 8 + 2);
    bytes.writeUInt8(ifFalse, index * 8 + 3);
    host.writeInt32(bytes, value | 0, index * 8 + 4);
  }
  return bytes;
}

type Call = koffi.KoffiFunction;
type Native = {
  readonly fprog: koffi.IKoffiCType;
  readonly attachFilter: Call;
  readonly setsockopt: Call;
  readonly socket: Call;
  readonly bind: Call;
  readonly recvfrom: Call;
  readonly sendto: Call;
  readonly poll: Call;
  readonly eventfd: Call;
  readonly write: Call;
  readonly read: Call;
  readonly close: Call;
};
let native: Native | undefined;

function loadNative(): Native {
  return (native ??= declareNative());
}

function declareNative(): Native {
  const libc = koffi.load(null);
  const fprog = koffi.struct({ len: "uint16", filter: "const uint8_t *" });
  const attach = ["int", "int", "int", koffi.pointer(fprog), "uint32"];
  return {
    fprog,
    attachFilter: libc.func("setsockopt", "int", attach),
    setsockopt: libc.func(
      "int setsockopt(int fd, int level, int name, const uint8_t *value, uint32_t length)",
    ),
    socket: libc.func("int socket(int domain, int type, int protocol)"),
    bind: libc.func("int bind(int fd, const uint8_t *address, uint32_t length)"),
    recvfrom: libc.func(
      "long recvfrom(int fd, _Out_ uint8_t *data, size_t size, int flags, _Out_ uint8_t *address, _Inout_ uint32_t *length)",
    ),
    sendto: libc.func(
      "long sendto(int fd, const uint8_t *data, size_t size, int flags, const uint8_t *address, uint32_t length)",
    ),
    poll: libc.func("int poll(_Inout_ uint8_t *fds, unsigned long count, int timeout)"),
    eventfd: libc.func("int eventfd(uint32_t value, int flags)"),
    write: libc.func("long write(int fd, const uint8_t *data, size_t size)"),
    read: libc.func("long read(int fd, _Out_ uint8_t *data, size_t size)"),
    close: libc.func("int close(int fd)"),
  };
}

function errorOf(what: string): Error {
  return new Error(`${what} failed: errno ${koffi.errno()}`);
}

/** Numbers in the order of this machine. */
const host = {
  isLittle: new Uint8Array(Uint16Array.of(1).buffer)[0] === 1,
  writeUInt16(buffer: Buffer, value: number, at: number): void {
    if (this.isLittle) buffer.writeUInt16LE(value, at);
    else buffer.writeUInt16BE(value, at);
  },
  writeInt32(buffer: Buffer, value: number, at: number): void {
    if (this.isLittle) buffer.writeInt32LE(value, at);
    else buffer.writeInt32BE(value, at);
  },
  readInt32(buffer: Buffer, at: number): number {
    return this.isLittle ? buffer.readInt32LE(at) : buffer.readInt32BE(at);
  },
};
