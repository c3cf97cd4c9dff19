import { constants } from "node:os";
import {
  attachFilter,
  bindSocket,
  closeSocket,
  openSocket,
  receiveFrom,
  sendTo,
} from "../../bgp/transport/libc";
import type { KernelError } from "../../bgp/transport/libc";
import { AF_PACKET, interfaceOf, linkAddress } from "../../bgp/transport/link-address";
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

const SOCK_RAW = 3;
const ETH_P_ALL = 3;
const { EPERM } = constants.errno;

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
  const fd = withRemedy(() => openSocket(WHAT, AF_PACKET, SOCK_RAW, { isBlocking: true }));
  return {
    send: (interfaceIndex, frame) => {
      const errno = sendTo(fd, frame, linkAddress(interfaceIndex));
      if (errno !== 0) {
        throw new Error(`sending on interface ${interfaceIndex} failed: errno ${errno}`);
      }
    },
    close: () => {
      closeSocket(fd);
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
  // Of no protocol until it has its filter: nothing that we do not want to hear comes in before.
  const fd = withRemedy(() => openSocket(WHAT, AF_PACKET, SOCK_RAW));
  try {
    attachFilter(fd, program);
    withRemedy(() => {
      bindSocket(fd, linkAddress(0, ETH_P_ALL), WHAT);
    });
  } catch (error) {
    closeSocket(fd);
    throw error;
  }
  return {
    receive: () => {
      const heard = receiveFrom(fd, FRAME_BYTES);
      if (heard === undefined || heard.data.length === 0) return undefined;
      return { bytes: heard.data, interfaceIndex: interfaceOf(heard.address) };
    },
    filter: next => {
      attachFilter(fd, next);
    },
    close: () => {
      closeSocket(fd);
    },
  };
}

const WHAT = "cannot open a packet socket";

/** Calls the kernel; a refusal says what to do about it. */
function withRemedy<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    const { message, errno } = error as KernelError;
    const remedy =
      errno === EPERM
        ? "add the capability NET_RAW to the container's security context"
        : "the kernel may lack CONFIG_PACKET";
    throw new Error(`${message}: ${remedy}`);
  }
}
