import koffi from "koffi";
import {
  attachFilter,
  bindSocket,
  openSocket,
  receiveFrom,
  sendTo,
  setOption,
} from "../../../bgp/transport/libc";
import { hostU16, hostU32 } from "../../../bgp/transport/socket-address";
import { AF_PACKET, interfaceOf, linkAddress } from "../../../bgp/transport/link-address";
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

const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1;
const PACKET_DROP_MEMBERSHIP = 2;
const PACKET_MR_MULTICAST = 0;
const PACKET_MREQ_BYTES = 16;
const POLLIN = 1;
const POLLFD_BYTES = 8;
const EFD_FLAGS = SOCK_CLOEXEC | SOCK_NONBLOCK;

/** Opens a socket that hears nothing until it gets a filter. Needs CAP_NET_RAW; throws without. */
export function openQuestionSocket(protocol: number): QuestionSocket {
  const fd = openSocket("opening a packet socket failed", AF_PACKET, SOCK_RAW);
  const setFilter = (program: readonly Instruction[]): void => {
    attachFilter(fd, program);
  };
  setFilter(NOTHING);
  bindSocket(fd, linkAddress(0, protocol), "binding a packet socket failed");
  return {
    fd,
    receive: () => {
      const heard = receiveFrom(fd, FRAME_BYTES);
      if (heard === undefined || heard.data.length === 0) return undefined;
      return { frame: heard.data, interfaceIndex: interfaceOf(heard.address) };
    },
    setFilter,
    setGroup: (interfaceIndex, mac, isWanted) => {
      const value = groupRequest(interfaceIndex, mac);
      const name = isWanted ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP;
      try {
        setOption(fd, { what: "a group", level: SOL_PACKET, name, value });
      } catch {
        // The interface is gone, and its groups with it.
      }
    },
    send: (interfaceIndex, frame) => sendTo(fd, frame, linkAddress(interfaceIndex)) === 0,
  };
}

/** struct packet_mreq of linux/if_packet.h. */
function groupRequest(interfaceIndex: number, mac: Uint8Array): Uint8Array {
  const request = new Uint8Array(PACKET_MREQ_BYTES);
  hostU32(request, 0, interfaceIndex);
  hostU16(request, 4, PACKET_MR_MULTICAST);
  hostU16(request, 6, mac.length);
  request.set(mac, 8);
  return request;
}

export function createWaiter(): Waiter {
  const native = loadNative();
  return {
    wait: (fds, ms) => {
      const polls = new Uint8Array(POLLFD_BYTES * fds.length);
      fds.forEach((fd, at) => {
        hostU32(polls, at * POLLFD_BYTES, fd);
        hostU16(polls, at * POLLFD_BYTES + 4, POLLIN);
      });
      native.poll(polls, fds.length, ms);
      const found = new Uint16Array(polls.buffer);
      return fds.filter((_, at) => found[(at * POLLFD_BYTES + 6) / 2] !== 0);
    },
  };
}

/** Opens the waking end, in the thread that wakes; the other one only needs the file descriptor. */
export function openWakeUp(): WakeUp {
  const native = loadNative();
  const fd = Number(native.eventfd(0, EFD_FLAGS));
  if (fd < 0) throw errorOf("eventfd");
  const one = new Uint8Array(BigUint64Array.of(1n).buffer);
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
  loadNative().read(fd, new Uint8Array(8), 8);
}

type Call = koffi.KoffiFunction;
type Native = {
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
  return {
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
