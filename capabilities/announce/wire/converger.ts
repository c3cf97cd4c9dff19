import { parseAddress } from "../../config/address";
import type { Link } from "../layer2/kernel-state";
import { familyOf } from "../layer2/kernel-state";
import type { Gateway, Neighbor } from "../layer2/neighbors";
import { parseMac } from "../packet/ethernet";
import { queryFrame } from "../packet/query";
import {
  NO_TAKEOVERS,
  answered,
  giveUp,
  goOnConverging,
  nextConverging,
  takeOver,
} from "./convergence";
import type { Converged, Target } from "./convergence";
import type { Hosts } from "./hosts";
import type { Ear } from "./wire";

/** Asks gateway and neighbours from an address that was taken over, until they answer to its new place. */
export type Converger = Ear & {
  /** @param startedAt when it was decided, ms */
  begin(address: string, link: Link, startedAt: number): void;
  stop(address: string): void;
};

/** Who is on the LAN, as the kernel knew it last. */
export type Surroundings = {
  readonly neighbors: readonly Neighbor[];
  readonly gateways: readonly Gateway[];
  readonly hosts: Hosts;
};

export type ConvergerOptions = {
  readonly send: (interfaceIndex: number, frame: Uint8Array) => void;
  readonly surroundings: () => Surroundings;
  readonly now: () => number;
  readonly onDone: (result: Converged) => void;
  readonly onError: (error: unknown) => void;
};

/** Neighbours asked per address and link: those beyond them hear the announcement, as always. */
const MOST_NEIGHBOURS = 8;

export function createConverger(options: ConvergerOptions): Converger {
  const { send, surroundings, now, onDone, onError } = options;
  let state = NO_TAKEOVERS;
  const links = new Map<number, Link>();

  function ask(from: string, { address, mac, interfaceIndex }: Target): void {
    const [ip, source] = [parseAddress(address), parseAddress(from)];
    const own = parseMac(links.get(interfaceIndex)?.mac ?? "");
    const to = mac === undefined ? undefined : parseMac(mac);
    if (!ip || !source || !own) return;
    try {
      send(interfaceIndex, queryFrame(ip, { mac: own, source, ...(to ? { to } : {}) }));
    } catch (error) {
      onError(error);
    }
  }

  return {
    begin: (address, link, startedAt) => {
      links.set(link.index, link);
      const targets = targetsOn(link, address, surroundings());
      state = takeOver(state, address, { startedAt, targets, now: now() });
    },
    stop: address => {
      state = giveUp(state, address);
    },
    addresses: () =>
      [...state.values()].flatMap(one => [...one.targets.values()].map(t => t.address)),
    hear: ({ what, address: from, to }, interfaceIndex) => {
      const isAnswer = what === "reply" || what === "advertisement";
      if (isAnswer && to !== undefined) {
        state = answered(state, to, { from, interfaceIndex, now: now() });
      }
    },
    round: at => {
      const next = goOnConverging(state, at);
      state = next.state;
      for (const { address, target } of next.ask) ask(address, target);
      next.done.forEach(onDone);
      return nextConverging(state);
    },
  };
}

/** The link's gateways, and neighbours that are no nodes of the cluster, of the address's family. */
export function targetsOn(
  link: Link,
  address: string,
  { neighbors, gateways, hosts }: Surroundings,
): readonly Target[] {
  const isHere = (one: Gateway | Neighbor): boolean =>
    one.interfaceIndex === link.index && familyOf(one.address) === familyOf(address);
  const macOf = new Map(neighbors.filter(isHere).map(one => [one.address, one.mac]));
  const first = [...new Set(gateways.filter(isHere).map(one => one.address))];
  const others = [...macOf]
    .filter(([ip, mac]) => !first.includes(ip) && ip !== address && !hosts.has(mac))
    .map(([ip]) => ip)
    .slice(0, MOST_NEIGHBOURS);
  return [...first, ...others].map(ip => {
    const mac = macOf.get(ip);
    const isGateway = first.includes(ip);
    const target = { address: ip, interfaceIndex: link.index, isGateway };
    return mac === undefined ? target : { ...target, mac };
  });
}
