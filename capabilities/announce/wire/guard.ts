import type { Sighting } from "../packet/sighting";

/**
 * Whether the addresses that this node looks after are free of strangers: hosts outside the cluster that say they
 * have one of them. A value: each step returns a new one. Times are ms on a clock that only goes forward.
 */
export type Guard = ReadonlyMap<string, Watch>;

/** A host outside the cluster, and the interface by which it was heard. */
export type Stranger = { readonly mac: string; readonly interface: string };

/** How one address stands. */
export type Watch =
  /** To be used for the first time: nobody is told of it before nobody has answered. */
  | { readonly stage: "probing"; readonly asked: number; readonly nextAt: number }
  /** Nobody else has it. `settled` is the hardware address of a stranger that is gone. */
  | { readonly stage: "clear"; readonly defendedAt: number; readonly settled?: string }
  | {
      readonly stage: "conflict";
      readonly stranger: Stranger;
      /** True if the address was in use here before: then we go on answering for it. */
      readonly isInUse: boolean;
      /** Questions in a row that the stranger did not answer. */
      readonly quiet: number;
      readonly nextAt: number;
      readonly defendedAt: number;
    };

/** What is known of an address that this node is to look after. */
export type Duty = {
  /** True if nobody answers for it yet, and nobody did before. */
  readonly isFirstUse: boolean;
  /** The stranger that its VirtualIP tells of. */
  readonly known?: Stranger & { readonly isInUse: boolean };
};

/** How often to ask, and how often to defend. */
export type GuardTimes = {
  /** Questions before the first use; 0 for none. */
  readonly probes: number;
  /** Time between these questions, and after the last one, ms. */
  readonly probeIntervalMs: number;
  /** Time between questions whether a stranger is still there, ms. */
  readonly recheckMs: number;
};

/** A stranger that leaves so many questions in a row unanswered is gone. */
export const QUIET_ROUNDS = 3;
/** RFC 5227 section 2.4 (c): an address is defended once in this time at most, ms. */
export const DEFEND_INTERVAL_MS = 10_000;

export const NO_GUARD: Guard = new Map();

/** Looks after exactly these addresses from now on. What is known of those that were looked after before stays. */
export function lookAfter(
  before: Guard,
  duties: ReadonlyMap<string, Duty>,
  { now, times }: { readonly now: number; readonly times: GuardTimes },
): Guard {
  return new Map(
    [...duties].map(([address, duty]) => {
      const watch = before.get(address);
      return [address, watch ? update(watch, duty, now) : begin(duty, now, times)];
    }),
  );
}

function begin({ isFirstUse, known }: Duty, now: number, times: GuardTimes): Watch {
  if (known) return conflict(known, now);
  const mustProbe = isFirstUse && times.probes > 0;
  return mustProbe
    ? { stage: "probing", asked: 0, nextAt: now }
    : { stage: "clear", defendedAt: -Infinity };
}

/** Another node may have seen a stranger. One that is gone stands in the VirtualIP until it is taken out there. */
function update(watch: Watch, { known }: Duty, now: number): Watch {
  if (watch.stage === "conflict") return watch;
  const settled = watch.stage === "clear" ? watch.settled : undefined;
  if (known) return known.mac === settled ? watch : conflict(known, now);
  return watch.stage === "clear" ? { stage: "clear", defendedAt: watch.defendedAt } : watch;
}

function conflict({ isInUse, ...stranger }: NonNullable<Duty["known"]>, now: number): Watch {
  return { stage: "conflict", stranger, isInUse, quiet: 0, nextAt: now, defendedAt: -Infinity };
}

/** True if the address may not be answered for: it is being asked for, or a stranger had it first. */
export function isWithheld(guard: Guard, address: string): boolean {
  const watch = guard.get(address);
  return watch?.stage === "probing" || (watch?.stage === "conflict" && !watch.isInUse);
}

/** What a frame leads to. */
export type Noticed = {
  readonly guard: Guard;
  /** Say now that the address is ours. */
  readonly defend: boolean;
};

/** A frame of a host outside the cluster that is about one of the addresses. */
export type StrangeSighting = Sighting & { readonly interface: string };

/**
 * Takes in what a stranger said. One that only asks before it takes an address (a probe) has it not: it is told that
 * the address is in use, which is no conflict. While we probe ourselves, it is one (RFC 5227 section 2.1.1).
 */
export function notice(guard: Guard, seen: StrangeSighting, now: number): Noticed {
  const { address, what, mac } = seen;
  const watch = guard.get(address);
  if (!watch) return { guard, defend: false };
  if (what === "probe" && watch.stage !== "probing") return answerProbe(guard, watch, seen, now);
  const isInUse = watch.stage === "clear" || (watch.stage === "conflict" && watch.isInUse);
  const defendedAt = watch.stage === "probing" ? -Infinity : watch.defendedAt;
  const defend = isInUse && now - defendedAt >= DEFEND_INTERVAL_MS;
  return {
    defend,
    guard: withWatch(guard, address, {
      stage: "conflict",
      stranger: { mac, interface: seen.interface },
      isInUse,
      quiet: 0,
      nextAt: watch.stage === "conflict" ? watch.nextAt : now,
      defendedAt: defend ? now : defendedAt,
    }),
  };
}

/** The kernel's proxying does not answer an ARP probe, so it is for us to. Who asks every second is told each time. */
function answerProbe(
  guard: Guard,
  watch: Exclude<Watch, { stage: "probing" }>,
  { address }: StrangeSighting,
  now: number,
): Noticed {
  const isInUse = watch.stage === "clear" || watch.isInUse;
  const defend = isInUse && now - watch.defendedAt >= PROBE_ANSWER_INTERVAL_MS;
  return {
    defend,
    guard: defend ? withWatch(guard, address, { ...watch, defendedAt: now }) : guard,
  };
}

/** PROBE_MIN is 1 s (RFC 5227 section 1.1): every probe of a host that keeps to it is answered, ms. */
const PROBE_ANSWER_INTERVAL_MS = 900;

/** What is due. */
export type Due = {
  readonly guard: Guard;
  /** Addresses to ask for now, by probes. */
  readonly ask: readonly string[];
};

/** Goes on with what is due at `now`: questions, and the conclusions from those that nobody answered. */
export function goOn(guard: Guard, now: number, times: GuardTimes): Due {
  const next = new Map(guard);
  const ask: string[] = [];
  for (const [address, watch] of guard) {
    if (watch.stage === "clear" || watch.nextAt > now) continue;
    const after = watch.stage === "probing" ? probe(watch, now, times) : recheck(watch, now, times);
    next.set(address, after);
    if (after.stage !== "clear") ask.push(address);
  }
  return { guard: next, ask };
}

function probe(
  { asked, nextAt }: Extract<Watch, { stage: "probing" }>,
  now: number,
  { probes, probeIntervalMs }: GuardTimes,
): Watch {
  if (asked >= probes) return { stage: "clear", defendedAt: -Infinity };
  // A process that was late does not shorten the time that the last question has to be answered.
  const next = Math.max(nextAt + probeIntervalMs, now + probeIntervalMs / 2);
  return { stage: "probing", asked: asked + 1, nextAt: next };
}

function recheck(
  watch: Extract<Watch, { stage: "conflict" }>,
  now: number,
  { recheckMs }: GuardTimes,
): Watch {
  if (watch.quiet >= QUIET_ROUNDS) {
    return { stage: "clear", defendedAt: watch.defendedAt, settled: watch.stranger.mac };
  }
  return { ...watch, quiet: watch.quiet + 1, nextAt: now + recheckMs };
}

/** When something is due next; undefined for never. */
export function nextDue(guard: Guard): number | undefined {
  const times = [...guard.values()].flatMap(w => (w.stage === "clear" ? [] : [w.nextAt]));
  return times.length > 0 ? Math.min(...times) : undefined;
}

function withWatch(guard: Guard, address: string, watch: Watch): Guard {
  return new Map(guard).set(address, watch);
}
