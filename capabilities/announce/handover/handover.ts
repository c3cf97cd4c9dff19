import type { Family } from "../../config/address";
import type { NodeFacts } from "../facts";
import { holdersByAddress } from "../holders";
import type { Holders } from "../holders";
import { kept } from "../kept";
import { chooseInterfaces } from "../layer2/interfaces";
import { familyOf } from "../layer2/kernel-state";
import type { Link } from "../layer2/kernel-state";
import type { Claim, Member } from "../membership/membership";
import type { Plan } from "../plan";
import { NO_FORWARDING, forwardingOf, isSameForwarding, parseNote } from "./forwarding";
import type { Forwarding } from "./forwarding";
import type { Filter } from "./nft";
import { SILENCE_MS, isReachable, nextSilences } from "./reachable";
import type { Silences } from "./reachable";
import { NOTHING_SETTLED, SETTLE_MS, nextSettling } from "./settling";
import { followed, nextTrails } from "./trail";
import type { Trails } from "./trail";
import { wayTo } from "./way";
import type { Subnet } from "./way";

/** What the announcer knows. */
export type HandoverNews = {
  readonly plan: Plan;
  readonly members: readonly Member[];
  /** What this node's kernel answers for. */
  readonly own: readonly Claim[];
  readonly nodes: readonly NodeFacts[];
  readonly links: readonly Link[];
};

/** Keeps running connections alive when addresses move: packets of those that this node does not track go to the former owner. */
export type Handover = {
  /** Finds out what the kernel can do, and what an earlier run left. Never rejects. */
  start(): Promise<void>;
  planned(news: HandoverNews): void;
  /** True for an address that others answer for and this node must not yet: what it does not track would break. */
  isAwaited(address: string): boolean;
  /** Leaves in the kernel what is there: connections go on while the announcer is away. */
  stop(): Promise<void>;
};

/** Where it is not wanted. */
export const NO_HANDOVER: Handover = {
  start: () => Promise.resolve(),
  planned: () => undefined,
  isAwaited: () => false,
  stop: () => Promise.resolve(),
};

export type HandoverOptions = {
  readonly me: string;
  readonly filter: Filter;
  readonly subnets: () => Promise<readonly Subnet[]>;
  /** Interfaces that are not to announce unless named. */
  readonly excludes: readonly RegExp[];
  /** Monotonic clock, ms. */
  readonly now: () => number;
  readonly after: (ms: number, callback: () => void) => () => void;
  /** What was awaited is there, or will not come. */
  readonly onReady: () => void;
  /** How many addresses' connections go to a former owner, and what is wrong, as sentences. */
  readonly onState: (state: HandoverState) => void;
};

export type HandoverState = { readonly addresses: number; readonly problems: readonly string[] };

const RETRY_MS = 10_000;
/**
 * To run nft takes longer than to take over what nobody answers for, so that comes first, ms. There is no haste: whoever
 * failed does not track connections any more.
 */
const HURRY_MS = 1_000;

export function createHandover(options: HandoverOptions): Handover {
  const { me, filter, now, after } = options;
  let families: readonly Family[] = [];
  let unusable: readonly string[] = [];
  let failure: string | undefined;
  let trails: Trails = new Map();
  let settling = NOTHING_SETTLED;
  let silences: Silences = new Map();
  /** Who answers, this node included. */
  let holders: Holders = new Map();
  let subnets: readonly Subnet[] = [];
  let news: HandoverNews | undefined;
  let wanted = NO_FORWARDING;
  /** What the kernel has; undefined: not known. */
  let present: Forwarding | undefined;
  let awaited: ReadonlySet<string> = new Set();
  let retryAt = -Infinity;
  let running: Promise<void> | undefined;
  let isStopped = false;
  let cancelTimer = (): void => undefined;
  let hurry: (() => void) | undefined;

  function want(notesAll = false): Forwarding {
    if (!news) return NO_FORWARDING;
    const { members, nodes, links, plan } = news;
    const byName = new Map(nodes.map(node => [node.name, node]));
    const at = now();
    // Of a thousand addresses most go the same way.
    const ways = new Map<string, string | undefined>();
    return forwardingOf(trails, {
      ...{ me, notesAll, used: settling.used },
      isReachable: name => {
        const node = byName.get(name);
        return node !== undefined && isReachable(node, { members, silences, now: at });
      },
      wayTo: (name, address) => {
        const wish = plan.addresses.get(address)?.interfaces ?? "all";
        return kept(ways, `${name} ${familyOf(address)} ${String(wish)}`, () => {
          const chosen = chooseInterfaces(links, wish, options.excludes);
          const announcing = new Set(chosen.map(({ index }) => index));
          const addresses = byName.get(name)?.addresses ?? [];
          return wayTo(address, { addresses, subnets, announcing });
        });
      },
    });
  }

  function learn(): void {
    if (!news) return;
    const { plan, members, own, nodes } = news;
    const names = new Set(nodes.map(({ name }) => name));
    const heard = members.filter(({ health }) => health !== "silent");
    holders = holdersByAddress([...heard, { node: me, claims: own }]);
    const known = new Set(followed(members));
    trails = nextTrails(trails, {
      ...{ me, holders, isLost: name => !known.has(name) },
      owners: new Map([...plan.addresses].map(([address, { owner }]) => [address, owner])),
      exists: name => names.has(name),
    });
    settling = nextSettling(settling, { me, trails, holders, now: now() });
    silences = nextSilences(silences, { nodes, members, now: now() });
  }

  const isInForce = (forwarding: Forwarding): boolean =>
    present !== undefined && isSameForwarding(forwarding, present);

  /** Of what is wanted and not there yet, what this node is about to take from others that answer. */
  function awaitedNow(): ReadonlySet<string> {
    if (!news || failure !== undefined || isInForce(wanted)) return new Set();
    const { plan } = news;
    const missing = [...wanted.previous].filter(
      ([address, way]) =>
        families.includes(familyOf(address)) &&
        present?.previous.get(address) !== way &&
        plan.addresses.get(address)?.owner === me &&
        holders.get(address)?.every(({ node }) => node !== me),
    );
    return new Set(missing.map(([address]) => address));
  }

  /** One run at a time; what is wanted is read when it begins. */
  async function run(): Promise<void> {
    while (!isStopped && !isInForce(wanted)) {
      try {
        subnets = await options.subnets();
        wanted = want();
        const next = wanted;
        await filter.apply(next, families);
        present = next;
        failure = undefined;
      } catch (error) {
        present = undefined;
        failure = error instanceof Error ? error.message : String(error);
        retryAt = now() + RETRY_MS;
      }
      tell();
      awaited = new Set();
      options.onReady();
      if (failure !== undefined) break;
    }
  }

  function tell(): void {
    const problems = failure === undefined ? unusable : [...unusable, failure];
    options.onState({ addresses: present?.previous.size ?? 0, problems });
  }

  /** This node is about to answer for what nobody answers for, and takes nothing from others that do. */
  function isHurried(): boolean {
    const taken = [...(news?.plan.addresses.values() ?? [])].flatMap(({ address, owner }) => {
      const known = owner === me ? (holders.get(address) ?? []) : undefined;
      return known === undefined || known.some(({ node }) => node === me) ? [] : [known.length];
    });
    return taken.length > 0 && taken.every(others => others === 0);
  }

  function endHurry(): void {
    hurry?.();
    hurry = undefined;
  }

  function canRun(): boolean {
    return families.length > 0 && !running && !isStopped && now() >= retryAt;
  }

  function update(isLate = false): void {
    if (!isLate && isHurried()) {
      awaited = new Set();
      hurry ??= after(HURRY_MS, () => {
        endHurry();
        update(true);
      });
      return;
    }
    wanted = want();
    awaited = awaitedNow();
    if (!canRun() || isInForce(wanted)) return;
    endHurry();
    running = run().finally(() => {
      running = undefined;
    });
  }

  /** What nothing tells: a silence or rest that has lasted, and that a failed change may succeed now. */
  function lookAgain(): void {
    cancelTimer();
    const ends = [
      ...[...silences.values()].map(since => since + SILENCE_MS - now()),
      ...[...settling.restSince.values()].map(since => since + SETTLE_MS - now()),
    ];
    const next = Math.min(
      ...ends.filter(ms => ms > 0),
      failure === undefined ? Infinity : RETRY_MS,
    );
    if (next < Infinity && !isStopped) {
      cancelTimer = after(next + 1, () => {
        learn();
        update();
        lookAgain();
      });
    }
  }

  return {
    start: async () => {
      const found = await filter.probe();
      ({ families, problems: unusable } = found);
      try {
        subnets = await options.subnets();
        const notes = await filter.held(families);
        const known = notes.map(([address, note]) => [address, parseNote(me, note)] as const);
        trails = new Map(known.flatMap(([address, trail]) => (trail ? [[address, trail]] : [])));
        // What it does is not read; without a trace of a table, it is nothing.
        present = notes.length === 0 ? NO_FORWARDING : undefined;
      } catch (error) {
        failure = String(error);
      }
      tell();
    },
    planned: latest => {
      news = latest;
      learn();
      update();
      lookAgain();
    },
    isAwaited: address => awaited.has(address),
    stop: async () => {
      cancelTimer();
      endHurry();
      await running;
      isStopped = true;
      const last = want(true);
      if (!news || families.length === 0 || isInForce(last)) return;
      // Without the notes, fewer connections are found by the next run; it ends all the same.
      await filter.apply(last, families).catch(() => undefined);
    },
  };
}
