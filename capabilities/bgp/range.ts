import type { Socket } from "node:net";
import type { RouteAttributes } from "./attribute-set";
import { createPeer } from "./peer";
import type { PeerEnvironment, PeerStatus, RunningPeer, StopOptions } from "./peer";
import type { CommonOptions } from "./peer-options";
import type { SessionChange } from "./session";
import { plainAddress } from "./transport/socket-address";
import { familyOf, parseAddress } from "./wire/address";
import { parsePrefix } from "./wire/prefix";

/** Routers that are known by nothing but their network: they dial, we never do. */
export type RangeOptions = CommonOptions & {
  /** Where they may come from, e.g. `10.0.0.0/24`. */
  readonly prefix: string;
  /** How many there may be at once: 100. */
  readonly limit?: number;
  /** Called when a session comes up, goes away, or an attempt has failed. */
  readonly onChange?: (address: string, change: SessionChange) => void;
};

/** Dynamic neighbours. Each exists from the first connection until that is over. */
export type PeerRange = {
  /** As of a peer, for all that are there and will come. */
  announce(prefixes: Iterable<string>, attributes?: RouteAttributes): void;
  withdraw(prefixes: Iterable<string>): void;
  peers(): readonly PeerStatus[];
  /** Tells all of them why, and takes no more. */
  stop(how?: string | StopOptions): Promise<void>;
};

/** A range as the speaker sees it. */
export type RunningRange = {
  readonly range: PeerRange;
  contains(remote: string): boolean;
  accept(socket: Socket): void;
};

const DEFAULT_LIMIT = 100;

/** @throws RangeError if an option is out of its range */
export function createRange(
  options: RangeOptions,
  environment: Omit<PeerEnvironment, "stopped"> & { stopped(range: PeerRange): void },
): RunningRange {
  const { prefix, limit = DEFAULT_LIMIT, onChange, ...common } = options;
  const network = parsePrefix(prefix);
  if (network === undefined) throw new RangeError(`"${prefix}" is no IP prefix`);
  const members = new Map<string, RunningPeer>();
  const routes = new Map<string, RouteAttributes | undefined>();

  function add(address: string): RunningPeer | undefined {
    if (members.size >= limit) return undefined;
    const member = createPeer(
      {
        ...common,
        address,
        isPassive: true,
        onChange: change => {
          if (change.type === "down") remove(address);
          onChange?.(address, change);
        },
      },
      { ...environment, stopped: () => members.delete(address) },
    );
    routes.forEach((attributes, route) => {
      member.peer.announce([route], attributes);
    });
    members.set(address, member);
    return member;
  }

  /** In a moment, as it is about to tell of its end. */
  function remove(address: string): void {
    queueMicrotask(() => {
      const member = members.get(address)?.peer;
      if (member?.status().state === "Active") void member.stop();
    });
  }

  const range: PeerRange = {
    announce: (prefixes, attributes) => {
      const list = [...prefixes];
      list.forEach(route => routes.set(route, attributes));
      members.forEach(({ peer }) => {
        peer.announce(list, attributes);
      });
    },
    withdraw: prefixes => {
      const list = [...prefixes];
      list.forEach(route => routes.delete(route));
      members.forEach(({ peer }) => {
        peer.withdraw(list);
      });
    },
    peers: () => [...members.values()].map(({ peer }) => peer.status()),
    stop: async how => {
      const ends = [...members.values()].map(({ peer }) => peer.stop(how));
      environment.stopped(range);
      await Promise.all(ends);
    },
  };

  return {
    range,
    contains: remote => isWithin(plainAddress(remote), network),
    accept: socket => {
      const address = socket.remoteAddress ?? "";
      const key = address.includes("%") ? address : plainAddress(address);
      const member = members.get(key) ?? add(key);
      if (member === undefined) socket.destroy();
      else member.accept(socket);
    },
  };
}

function isWithin(address: string, network: { readonly text: string }): boolean {
  const length = network.text.split("/")[1] ?? "";
  return (
    parseAddress(address) !== undefined &&
    familyOf(address) === familyOf(network.text) &&
    parsePrefix(`${address}/${length}`)?.text === network.text
  );
}
