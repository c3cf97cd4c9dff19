import { renderAttributes } from "./attribute-set";
import type { AttributeSet, Egress, Rendering } from "./attribute-set";
import { packAnnouncements, packWithdrawals } from "./packing";
import { familyOf } from "./wire/address";
import type { Family } from "./wire/address";
import { afiOf } from "./wire/attributes/multiprotocol";
import { SAFI_UNICAST } from "./wire/codes";
import { encodeMessage } from "./wire/message";
import { RefreshSubtype } from "./wire/route-refresh";
import { endOfRib } from "./wire/update";

/**
 * What one peer is to know (RFC 4271 section 3.2), and which messages bring it there. The messages
 * are made when they can be sent: changes that come meanwhile are merged, so a slow peer costs no
 * more memory than one entry per prefix, and of a change and its reverse nothing is sent.
 */
export type AdjRibOut = {
  /** Prefixes in canonical form (`parsePrefix`). */
  announce(prefixes: Iterable<string>, set: AttributeSet): void;
  withdraw(prefixes: Iterable<string>): void;
  /** All prefixes that are to be announced, whether the peer knows them or not. */
  prefixes(): Iterable<string>;
  /** How many prefixes the peer is yet to be told of, or that they are gone: all, without a session. */
  pending(): number;
  /** The session is up: everything is due, and End-of-RIB after it. */
  connect(egress: Egress): void;
  disconnect(): void;
  /** Everything again, as the last choice (RFC 8326), until the next session. */
  drain(): void;
  /** Whether End-of-RIB may go out: not while we have not yet been told all (RFC 4724 section 4.1). */
  setComplete(isComplete: boolean): void;
  /** The peer asks for everything of a family again (RFC 2918); more asking is one answer. */
  refresh(family: Family): void;
  /** The next whole message; undefined if the peer knows everything or there is no session. */
  next(): Uint8Array | undefined;
};

/** What the peer has of a prefix that is due: that set, nothing, or nobody knows (a refresh). */
type Known = AttributeSet | undefined | "unsure";

export function createAdjRibOut(): AdjRibOut {
  /** What the peer is to have. It has it, except for what is due and the families that are owed whole. */
  const wanted = new Map<string, AttributeSet>();
  const due = new Map<string, Known>();
  const owedTables = new Set<Family>();
  const owedEnds = new Set<Family>();
  /** Families of which the table is being sent: how much of it the peer has is not known. */
  let inTransfer: readonly Family[] = [];
  let isComplete = true;
  let egress: Egress | undefined;
  let messages: Iterator<Uint8Array> | undefined;

  function isTold(prefix: string): boolean {
    return egress?.families.includes(familyOf(prefix)) ?? false;
  }

  /** `before` is what was wanted until now. */
  function change(prefix: string, before: AttributeSet | undefined): void {
    if (!isTold(prefix)) {
      return;
    }
    if (!due.has(prefix)) {
      const family = familyOf(prefix);
      const isUnsure = owedTables.has(family) || inTransfer.includes(family);
      due.set(prefix, isUnsure ? "unsure" : before);
      return;
    }
    const known = due.get(prefix);
    if (known !== "unsure" && known?.key === wanted.get(prefix)?.key) {
      due.delete(prefix);
    }
  }

  function next(): Uint8Array | undefined {
    for (;;) {
      if (egress === undefined || (messages === undefined && !hasWork())) {
        return undefined;
      }
      messages ??= onePass(egress);
      const result = messages.next();
      if (result.done !== true) {
        return result.value;
      }
      messages = undefined;
    }
  }

  function hasWork(): boolean {
    return due.size + owedTables.size + (isComplete ? owedEnds.size : 0) > 0;
  }

  /** Everything that is due now; what changes on the way is for the next pass. */
  function* onePass(to: Egress): Generator<Uint8Array> {
    const ends = isComplete ? [...owedEnds] : [];
    inTransfer = [...owedTables];
    owedTables.clear();
    // A family that is owed its End-of-RIB is told for the first time; peers that know no marks get just the routes.
    const marked = inTransfer.filter(family => to.hasEnhancedRefresh && !owedEnds.has(family));
    for (const family of marked) yield refreshMark(family, RefreshSubtype.Begin);
    const rendered = renderer(to);
    for (const { rendering, prefixes } of planTables(rendered)) {
      yield* packAnnouncements(rendering, unchanged(prefixes));
    }
    inTransfer = [];
    yield* sendChanges(rendered, to);
    for (const family of marked) yield refreshMark(family, RefreshSubtype.End);
    for (const family of ends) {
      owedEnds.delete(family);
      yield encodeMessage(endOfRib(family));
    }
  }

  function* sendChanges(rendered: Renderer, to: Egress): Generator<Uint8Array> {
    const plan = planChanges(rendered);
    for (const [family, prefixes] of plan.withdrawals) {
      const isGone = (prefix: string): boolean =>
        rendered(wanted.get(prefix), family) === undefined;
      yield* packWithdrawals(family, isOld(family, to), takeDue(prefixes, isGone));
    }
    for (const { set, rendering, prefixes } of plan.announcements.values()) {
      const isSame = (prefix: string): boolean => wanted.get(prefix)?.key === set.key;
      yield* packAnnouncements(rendering, takeDue(prefixes, isSame));
    }
  }

  /** All that is wanted of the families in transfer, sorted by what can share a message. */
  function planTables(rendered: Renderer): Iterable<Group> {
    const groups: Groups = new Map();
    if (inTransfer.length === 0) return [];
    for (const [prefix, set] of wanted) {
      const family = familyOf(prefix);
      const rendering = inTransfer.includes(family) ? rendered(set, family) : undefined;
      if (rendering !== undefined) addTo(groups, { set, rendering }, prefix);
    }
    return groups.values();
  }

  /** What has changed since is due, and is sent as such. */
  function* unchanged(prefixes: readonly string[]): Generator<string> {
    for (const prefix of prefixes) {
      if (due.size === 0 || !due.has(prefix)) yield prefix;
    }
  }

  /** Sorts what is due in the same way. */
  function planChanges(rendered: Renderer): {
    readonly withdrawals: ReadonlyMap<Family, readonly string[]>;
    readonly announcements: Groups;
  } {
    const withdrawals = new Map<Family, string[]>();
    const announcements: Groups = new Map();
    for (const [prefix, known] of due) {
      const family = familyOf(prefix);
      const set = wanted.get(prefix);
      const rendering = rendered(set, family);
      if (set !== undefined && rendering !== undefined) {
        addTo(announcements, { set, rendering }, prefix);
      } else if (known === undefined) {
        due.delete(prefix);
      } else {
        withdrawals.set(family, withdrawals.get(family) ?? []);
        withdrawals.get(family)?.push(prefix);
      }
    }
    return { withdrawals, announcements };
  }

  /** Hands out prefixes that are still due as they were when the pass began. */
  function* takeDue(
    prefixes: readonly string[],
    isStill: (prefix: string) => boolean,
  ): Generator<string> {
    for (const prefix of prefixes) {
      if (due.has(prefix) && isStill(prefix)) {
        due.delete(prefix);
        yield prefix;
      }
    }
  }

  return {
    announce: (prefixes, set) => {
      for (const prefix of prefixes) {
        const before = wanted.get(prefix);
        if (before?.key !== set.key) {
          wanted.set(prefix, set);
          change(prefix, before);
        }
      }
    },
    withdraw: prefixes => {
      for (const prefix of prefixes) {
        const before = wanted.get(prefix);
        if (before !== undefined) {
          wanted.delete(prefix);
          change(prefix, before);
        }
      }
    },
    prefixes: () => wanted.keys(),
    pending: () => {
      if (egress === undefined) return wanted.size;
      const whole = new Set([...owedTables, ...inTransfer]);
      if (whole.size === 0) return due.size;
      const owed = [...wanted.keys()].filter(one => whole.has(familyOf(one)) && !due.has(one));
      return due.size + owed.length;
    },
    connect: to => {
      egress = to;
      messages = undefined;
      inTransfer = [];
      due.clear();
      for (const owed of [owedTables, owedEnds]) {
        owed.clear();
        to.families.forEach(family => owed.add(family));
      }
    },
    disconnect: () => {
      egress = undefined;
      messages = undefined;
      due.clear();
    },
    drain: () => {
      if (egress === undefined) return;
      egress = { ...egress, isShuttingDown: true };
      egress.families.forEach(family => owedTables.add(family));
    },
    setComplete: to => {
      isComplete = to;
    },
    refresh: family => {
      if (egress?.families.includes(family) === true) owedTables.add(family);
    },
    next,
  };
}

/** Prefixes that can share messages. */
type Group = {
  readonly set: AttributeSet;
  readonly rendering: Rendering;
  readonly prefixes: string[];
};
type Groups = Map<Rendering, Group>;

function addTo(groups: Groups, of: Omit<Group, "prefixes">, prefix: string): void {
  const group = groups.get(of.rendering);
  if (group === undefined) {
    groups.set(of.rendering, { ...of, prefixes: [prefix] });
  } else {
    group.prefixes.push(prefix);
  }
}

type Renderer = (set: AttributeSet | undefined, family: Family) => Rendering | undefined;

/** Renders each set once per family and pass. */
function renderer(to: Egress): Renderer {
  const cache = { ipv4: new Map<string, Rendering | undefined>(), ipv6: new Map() } as Record<
    Family,
    Map<string, Rendering | undefined>
  >;
  return (set, family) => {
    if (set === undefined) {
      return undefined;
    }
    if (!cache[family].has(set.key)) {
      cache[family].set(set.key, renderAttributes(set, family, to));
    }
    return cache[family].get(set.key);
  };
}

/** IPv4 withdrawals are in the old field, unless IPv4 routes go in MP_REACH_NLRI (RFC 8950). */
function isOld(family: Family, { hasIpv4OverIpv6 }: Egress): boolean {
  return family === "ipv4" && !hasIpv4OverIpv6;
}

function refreshMark(family: Family, subtype: number): Uint8Array {
  return encodeMessage({ type: "routeRefresh", afi: afiOf(family), safi: SAFI_UNICAST, subtype });
}
