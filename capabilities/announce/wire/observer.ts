import { parseAddress } from "../../config/address";
import type { Link } from "../layer2/kernel-state";
import { queryOn } from "../packet/query";
import type { Plan } from "../plan";
import type { Hosts } from "./hosts";
import {
  NO_OBSERVATIONS,
  NO_OBSERVERS,
  chooseObservers,
  goOnObserving,
  hearAnswer,
  observe,
  observedBy,
  sightOf,
} from "./observation";
import type { Sight } from "./observation";
import type { Ear } from "./wire";

/** Asks now and then who answers for addresses that other nodes own. */
export type Observer = Ear & {
  /** What to observe from now on; true if it is something else than before. */
  look(news: { plan: Plan; alive: ReadonlySet<string> }): boolean;
  /** Who was seen to answer, and how many ms ago; undefined for an address that is not observed here, or not yet. */
  sight(address: string): (Sight & { readonly agoMs: number }) | undefined;
  /** How many of the addresses are seen to be answered for by whom. */
  counts(): Readonly<Record<SightKind, number>>;
};

/** owner: by the node that is to, alone. */
export const SIGHT_KINDS = ["owner", "other", "nobody"] as const;
export type SightKind = (typeof SIGHT_KINDS)[number];

export type ObserverOptions = {
  readonly me: string;
  readonly send: (interfaceIndex: number, frame: Uint8Array) => void;
  /** The links to ask on. */
  readonly links: () => readonly Link[];
  readonly hosts: () => Hosts;
  /** True if this node is on a LAN with the other. */
  readonly canSee: (node: string) => boolean;
  readonly now: () => number;
  /** Called with each address of which something else is seen than before. */
  readonly onChange: (address: string) => void;
  readonly onError: (error: unknown) => void;
};

export function createObserver(options: ObserverOptions): Observer {
  const { me, send, links, hosts, canSee, now, onChange, onError } = options;
  let state = NO_OBSERVATIONS;
  let observers = NO_OBSERVERS;

  /**
   * The question names this node's own address as its sender: that is true, so no cache learns anything wrong. The
   * kernel's proxying answers nobody who names none.
   */
  function ask(address: string): void {
    const ip = parseAddress(address);
    for (const link of ip ? links() : []) {
      const query = ip && queryOn(link, ip);
      try {
        if (query) send(link.index, query);
      } catch (error) {
        onError(error);
      }
    }
  }

  function sight(address: string): (Sight & { readonly agoMs: number }) | undefined {
    const one = state.get(address);
    if (one?.seen === undefined) return undefined;
    return { ...sightOf(one.seen, hosts()), agoMs: now() - one.seenAt };
  }

  return {
    look: ({ plan, alive }) => {
      const before = state;
      observers = chooseObservers(observers, plan, alive);
      state = observe(state, observedBy(me, observers), now());
      return before.size !== state.size || [...state.keys()].some(ip => !before.has(ip));
    },
    addresses: () => state.keys(),
    hear: ({ what, address, mac }) => {
      if (what === "reply" || what === "advertisement") state = hearAnswer(state, address, mac);
    },
    round: at => {
      const next = goOnObserving(state, at, canSee);
      state = next.state;
      next.ask.forEach(ask);
      next.changed.forEach(onChange);
      return undefined;
    },
    sight,
    counts: () => {
      const counts = { owner: 0, other: 0, nobody: 0 };
      for (const [address, { owner }] of state) {
        const text = sight(address)?.text;
        if (text === undefined) continue;
        counts[text === owner ? "owner" : text === "nobody" ? "nobody" : "other"] += 1;
      }
      return counts;
    },
  };
}
