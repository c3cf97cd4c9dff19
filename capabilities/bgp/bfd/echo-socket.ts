/**
 * Echo packets leave by a packet socket, since the kernel would keep for itself what is for our own address, and would
 * take what comes back for forged.
 */
import {
  attachFilter,
  bindSocket,
  closeSocket,
  interfaceIndex,
  openSocket,
  receiveFrom,
  sendTo,
} from "../transport/libc";
import { AF_PACKET, hardwareOf, linkAddress } from "../transport/link-address";
import { familyOf } from "../wire/address";
import type { EchoPath } from "./echo-path";
import { echoFilter } from "./filter";
import { decodeEcho } from "./wire/echo";
import type { Echo } from "./wire/echo";

/** Of one session. It cannot wake Node.js: what has come in waits until it is asked for. */
export type EchoSocket = {
  /** Echo packets to our address that have come in. */
  take(): readonly Echo[];
  /** True once a packet of the neighbor's has told its hardware address: nothing can be sent before. */
  isReady(): boolean;
  /** An IP packet; true if it went out. */
  send(packet: Uint8Array): boolean;
  close(): void;
};

const SOCK_DGRAM = 2;
/** Types of packets in Ethernet frames. */
const ETHER_TYPE = { ipv4: 0x0800, ipv6: 0x86dd } as const;
const WHAT = "no packet socket for echo packets: it takes the capability NET_RAW";

/** @throws Error that names what the kernel refuses. */
export function openEchoSocket({ interfaceName, address }: EchoPath, neighbor: string): EchoSocket {
  const type = ETHER_TYPE[familyOf(address)];
  const index = interfaceIndex(interfaceName);
  // Of no protocol until it has its filter: nothing else comes in before.
  const fd = openSocket(WHAT, AF_PACKET, SOCK_DGRAM);
  try {
    attachFilter(fd, echoFilter(address, neighbor));
    bindSocket(fd, linkAddress(index, type), `a packet socket on ${interfaceName}`);
  } catch (error) {
    closeSocket(fd);
    throw error;
  }
  let target: Uint8Array | undefined;
  return {
    take: () => {
      const echoes: Echo[] = [];
      for (let heard = receiveFrom(fd); heard !== undefined; heard = receiveFrom(fd)) {
        const echo = decodeEcho(heard.data);
        if (echo) echoes.push(echo);
        else target = linkAddress(index, type, hardwareOf(heard.address));
      }
      return echoes;
    },
    isReady: () => target !== undefined,
    send: packet => target !== undefined && sendTo(fd, packet, target) === 0,
    close: () => {
      closeSocket(fd);
    },
  };
}
