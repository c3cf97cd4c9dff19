/** The receiving sockets of all sessions: one for each family, port and device in use, shared by their sessions. */
import type { Family } from "../wire/address";
import { admissionFilter } from "./filter";
import type { Admission } from "./filter";
import type { Receiver } from "./udp";
import type { CONTROL_PORT, MULTIHOP_PORT } from "./wire/packet";

/** Where packets of a session arrive. */
export type Entrance = {
  readonly family: Family;
  readonly port: typeof CONTROL_PORT | typeof MULTIHOP_PORT;
  /** Set only for a socket that is bound to it. */
  readonly device?: string;
};

export type Ports = {
  /** @throws Error that names what the kernel refuses; nothing is opened then. */
  admit(entrance: Entrance, neighbor: Admission): void;
  /** The last one closes the socket. */
  dismiss(entrance: Entrance, neighbor: Admission): void;
};

type Port = { readonly receiver: Receiver; neighbors: readonly Admission[] };
type Open = (entrance: Entrance, isShared: boolean) => Receiver;

export function createPorts(open: Open): Ports {
  const ports = new Map<string, Port>();

  /** Two sockets have one port only if both are told that they share it. */
  function openPort(entrance: Entrance): Port {
    if (entrance.device !== undefined) {
      ports.forEach(({ receiver }) => {
        receiver.share();
      });
    }
    const isShared = entrance.device !== undefined || [...ports.keys()].some(isOfDevice);
    return { receiver: open(entrance, isShared), neighbors: [] };
  }

  function setNeighbors(port: Port, neighbors: readonly Admission[]): void {
    port.receiver.setFilter(admissionFilter(neighbors));
    port.neighbors = neighbors;
  }

  return {
    admit: (entrance, neighbor) => {
      const key = keyOf(entrance);
      const port = ports.get(key) ?? openPort(entrance);
      ports.set(key, port);
      setNeighbors(port, [...port.neighbors, neighbor]);
    },
    dismiss: (entrance, neighbor) => {
      const key = keyOf(entrance);
      const port = ports.get(key);
      if (!port) return;
      const neighbors = port.neighbors.filter(one => one !== neighbor);
      if (neighbors.length > 0) {
        setNeighbors(port, neighbors);
        return;
      }
      ports.delete(key);
      port.receiver.close();
    },
  };
}

function keyOf({ family, port, device = "" }: Entrance): string {
  return `${family} ${port} ${device}`;
}

function isOfDevice(key: string): boolean {
  return !key.endsWith(" ");
}
