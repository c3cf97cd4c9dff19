import { createSocket } from "node:dgram";
import type { Socket, SocketType } from "node:dgram";
import type { HeartbeatLink } from "./membership";

/**
 * Groups of the link, which no router forwards and switches flood (RFC 4541 2.1.2): the ones that IANA keeps for
 * experiments (RFC 4727), since a number of our own would have to be assigned.
 */
export const GROUPS: Readonly<Record<SocketType, string>> = {
  udp4: "224.0.0.254",
  udp6: "ff02::114",
};

/** The sockets that listen, on which the groups are joined. */
export type Listening = ReadonlyMap<SocketType, Socket>;

/** Heartbeats to all at once, on some links. */
export type Group = {
  setLinks(links: readonly HeartbeatLink[]): void;
  /** Sends a packet on every link, each made anew: no two may have one sequence number. */
  send(port: number, make: () => Buffer | undefined): void;
  close(): void;
};

type Way = { readonly type: SocketType; readonly via: string; readonly to: string };
type Open = Way & { readonly socket: Socket };

export function createGroup(listening: Listening, warn: (message: string) => void): Group {
  const open = new Map<string, Open>();

  function close(key: string): void {
    const one = open.get(key);
    open.delete(key);
    one?.socket.close();
    if (one) attempt(() => listening.get(one.type)?.dropMembership(GROUPS[one.type], one.via));
  }

  function start(key: string, way: Way): void {
    try {
      listening.get(way.type)?.addMembership(GROUPS[way.type], way.via);
      const socket = createSocket({ type: way.type, ipv6Only: way.type === "udp6", lookup });
      open.set(key, { ...way, socket });
      socket.on("error", error => {
        warn(`heartbeats to ${way.to}: ${error.message}`);
        if (open.get(key)?.socket === socket) close(key);
      });
      socket.bind(() => {
        attempt(() => {
          socket.setMulticastInterface(way.via);
        });
        socket.setMulticastLoopback(false);
      });
    } catch (error) {
      // The peers ask for unicast where they do not hear us.
      warn(`no multicast heartbeats by ${key}: ${String(error)}`);
    }
  }

  return {
    setLinks: links => {
      const ways = new Map(links.map(link => [keyOf(link), wayOf(link, listening)]));
      for (const key of [...open.keys()]) if (!ways.has(key)) close(key);
      for (const [key, way] of ways) if (way && !open.has(key)) start(key, way);
    },
    send: (port, make) => {
      for (const { socket, to } of open.values()) {
        // What cannot be sent is what the silence of this node tells its peers.
        attempt(() => {
          const packet = make();
          if (packet) socket.send(packet, port, to, () => undefined);
        });
      }
    },
    close: () => {
      for (const key of [...open.keys()]) close(key);
    },
  };
}

/** Addresses need no lookup; Node's own would put every packet off. */
export function lookup(
  address: string,
  _: unknown,
  done: (error: null, address: string, family: number) => void,
): void {
  done(null, address, address.includes(":") ? 6 : 4);
}

function keyOf({ index, name, ipv4, linkLocal }: HeartbeatLink): string {
  return [name, index, ipv4 ?? linkLocal ?? ""].join(" ");
}

function wayOf({ name, ipv4, linkLocal }: HeartbeatLink, listening: Listening): Way | undefined {
  if (ipv4 !== undefined && listening.has("udp4")) {
    return { type: "udp4", via: ipv4, to: GROUPS.udp4 };
  }
  if (linkLocal === undefined || !listening.has("udp6")) return undefined;
  return { type: "udp6", via: `::%${name}`, to: `${GROUPS.udp6}%${name}` };
}

function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // The link went meanwhile; its successor is a way of its own.
  }
}
