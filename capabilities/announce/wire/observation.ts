import { hash } from "node:crypto";
import { rankCandidates } from "../election";
import type { Plan } from "../plan";

/**
 * Who is seen to answer for the addresses of other nodes. Each is asked for by one node that does not own it. A
 * value: each step returns a new one. Times are ms on a clock that only goes forward.
 */
export type Observations = ReadonlyMap<string, Observation>;

/** One address, as this node sees it. */
export type Observation = {
  readonly owner: string;
  /** What was seen last and confirmed: hardware addresses that answer, sorted; undefined before the first answer. */
  readonly seen?: readonly string[];
  /** When that was seen last. */
  readonly seenAt: number;
  /** A different sight that has yet to be confirmed, and how often it was had in a row. */
  readonly doubt?: { readonly macs: readonly string[]; readonly times: number };
  /** Hardware addresses that have answered the question that is open. */
  readonly answers: ReadonlySet<string>;
  /** When the question was asked; undefined if none is open. */
  readonly askedAt?: number;
  readonly nextAt: number;
};

/** An address is asked for so often, ms. */
export const OBSERVE_MS = 10_000;
/** More addresses are asked for less often: one node asks for ten in a second at most, ms. */
const BETWEEN_MS = 100;
/** So long answers are awaited, ms. */
const ANSWER_MS = 400;
/** What is different is asked for again soon, ms. */
const DOUBT_MS = 1_000;
/** A different answer counts when it came twice in a row, silence when there was nothing three times. */
const CONFIRM = { answer: 2, silence: 3 } as const;
/** A new owner is asked for after its first announcements, ms. */
const FIRST_MS = 500;

export const NO_OBSERVATIONS: Observations = new Map();

/** Who observes each address, and of which owner; a value to be handed on to the next asking. */
export type Observers = {
  readonly alive: ReadonlySet<string>;
  readonly of: ReadonlyMap<string, { readonly owner: string; readonly observer?: string }>;
};

export const NO_OBSERVERS: Observers = { alive: new Set(), of: new Map() };

/**
 * Of the nodes that do not own an address, the first by hash observes it. Who was found before stays the first while
 * it is there and nobody new is: to find it anew costs a hash for each address and node.
 */
export function chooseObservers(
  before: Observers,
  plan: Plan,
  alive: ReadonlySet<string>,
): Observers {
  const nodes = [...alive].sort();
  const isNobodyNew = nodes.every(node => before.alive.has(node));
  const known = isNobodyNew ? before.of : NO_OBSERVERS.of;
  const of = [...plan.addresses.values()].map(({ address, owner }) => {
    const one = known.get(address);
    const stays = one?.owner === owner && one.observer !== undefined && alive.has(one.observer);
    return [address, stays ? one : chooseObserver(address, owner, nodes)] as const;
  });
  return { alive, of: new Map(of) };
}

function chooseObserver(
  address: string,
  owner: string,
  nodes: readonly string[],
): { readonly owner: string; readonly observer?: string } {
  const others = nodes.filter(node => node !== owner).map(node => ({ node, score: 0 }));
  const [first] = rankCandidates(others, address);
  return first ? { owner, observer: first.node } : { owner };
}

/** The addresses that a node is to observe, and who owns each. */
export function observedBy(me: string, { of }: Observers): ReadonlyMap<string, string> {
  return new Map(
    [...of].flatMap(([address, { owner, observer }]) =>
      observer === me ? [[address, owner] as const] : [],
    ),
  );
}

/** Observes exactly these from now on; an address with another owner is looked at soon. */
export function observe(
  before: Observations,
  owners: ReadonlyMap<string, string>,
  now: number,
): Observations {
  return new Map(
    [...owners].map(([address, owner]) => {
      const known = before.get(address);
      if (known?.owner === owner) return [address, known];
      const nextAt = now + FIRST_MS + spread(address, DOUBT_MS);
      const kept = known?.seen === undefined ? {} : { seen: known.seen };
      return [address, { owner, ...kept, seenAt: now, answers: new Set<string>(), nextAt }];
    }),
  );
}

/** Takes in that somebody answers for an address. */
export function hearAnswer(state: Observations, address: string, mac: string): Observations {
  const one = state.get(address);
  if (one?.askedAt === undefined || one.answers.has(mac)) return state;
  return new Map(state).set(address, { ...one, answers: new Set([...one.answers, mac]) });
}

/** What is due now: addresses to ask for, and those of which something else is seen than before. */
export type Observed = {
  readonly state: Observations;
  readonly ask: readonly string[];
  readonly changed: readonly string[];
};

/**
 * Concludes from the answers, and asks anew.
 * @param canSee true if this node would hear the owner of an address: else its silence means nothing
 */
export function goOnObserving(
  before: Observations,
  now: number,
  canSee: (owner: string) => boolean,
): Observed {
  const periodMs = Math.max(OBSERVE_MS, before.size * BETWEEN_MS);
  const state = new Map(before);
  const ask: string[] = [];
  const changed: string[] = [];
  for (const [address, one] of before) {
    let next = one;
    if (one.askedAt !== undefined && now - one.askedAt >= ANSWER_MS) {
      next = conclude(one, { now, periodMs, isDeaf: !canSee(one.owner) });
      if (next.seen !== one.seen) changed.push(address);
    } else if (one.askedAt === undefined && one.nextAt <= now) {
      next = { ...one, askedAt: now, answers: new Set() };
      ask.push(address);
    }
    state.set(address, next);
  }
  return { state, ask, changed };
}

type Round = { readonly now: number; readonly periodMs: number; readonly isDeaf: boolean };

function conclude(one: Observation, { now, periodMs, isDeaf }: Round): Observation {
  const { owner, seen, seenAt, doubt, answers } = one;
  const macs = [...answers].sort();
  const rest = { owner, answers: new Set<string>() };
  const kept = seen === undefined ? {} : { seen };
  const later = { ...rest, nextAt: now + periodMs };
  if (macs.length === 0 && isDeaf) return { ...later, ...kept, seenAt };
  const times = timesInARow(doubt, macs);
  if (isSame(seen, macs) || times >= neededFor(seen, macs)) {
    return { ...later, seen: isSame(seen, macs) && seen ? seen : macs, seenAt: now };
  }
  return { ...rest, ...kept, seenAt, doubt: { macs, times }, nextAt: now + DOUBT_MS };
}

function isSame(a: readonly string[] | undefined, b: readonly string[]): boolean {
  return a !== undefined && String(a) === String(b);
}

function timesInARow(doubt: Observation["doubt"], macs: readonly string[]): number {
  return doubt && isSame(doubt.macs, macs) ? doubt.times + 1 : 1;
}

/** The first answer of all is believed at once. */
function neededFor(seen: readonly string[] | undefined, macs: readonly string[]): number {
  if (macs.length === 0) return CONFIRM.silence;
  return seen === undefined ? 1 : CONFIRM.answer;
}

/** The same for the same address, and different for others, so that questions do not come in a bunch. */
function spread(address: string, ms: number): number {
  return hash("sha256", address, "buffer").readUInt16BE(0) % ms;
}

/** Who answers, as users are told. */
export type Sight = {
  /** Names of nodes, hardware addresses of hosts that are none, or "nobody". */
  readonly text: string;
  readonly mac?: string;
  readonly node?: string;
  /** Hardware addresses of hosts that are no nodes. */
  readonly strangers: readonly string[];
};

/** @param hosts which node has a hardware address */
export function sightOf(macs: readonly string[], hosts: ReadonlyMap<string, string>): Sight {
  const names = [...new Set(macs.map(mac => hosts.get(mac) ?? mac))].sort();
  const [mac] = macs;
  const node = mac === undefined ? undefined : hosts.get(mac);
  return {
    text: names.join(" and ") || "nobody",
    strangers: macs.filter(one => !hosts.has(one)),
    ...(mac === undefined ? {} : { mac }),
    ...(node === undefined ? {} : { node }),
  };
}
