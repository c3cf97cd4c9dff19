/**
 * Whether the LAN has learnt who answers for addresses that this node took over: the gateway and neighbours are asked
 * something from the address, until they answer to it. By that they have taken in where it is (RFC 826 merges the
 * sender's mapping before it replies; RFC 4861 section 7.2.3 does with a solicitation), and their answer shows it. A
 * value: each step returns a new one. Times are ms on a clock that only goes forward.
 */
export type Convergence = ReadonlyMap<string, Takeover>;

/** One address that was taken over. */
export type Takeover = {
  readonly startedAt: number;
  /** Who has to answer, by `targetKey`. */
  readonly targets: ReadonlyMap<string, Target & { readonly answeredAt?: number }>;
  /** Rounds of questions so far. */
  readonly rounds: number;
  readonly nextAt: number;
};

/** A host that is to learn of the move. */
export type Target = {
  /** Canonical text. */
  readonly address: string;
  /** Its hardware address, if known: then it alone is asked. */
  readonly mac?: string;
  readonly interfaceIndex: number;
  /** A gateway has to answer; a neighbour may have gone since. */
  readonly isGateway: boolean;
};

/** When the questions are asked, ms after the first; from the last on, at its distance to the one before. */
const ROUNDS_AT_MS = [0, 20, 50, 100, 200, 400, 700, 1200, 2000, 3000];
/** A neighbour that was asked so often and was silent is not waited for. */
const NEIGHBOUR_ROUNDS = 6;
/** A gateway is given up after so many rounds, about 30 s. */
const MOST_ROUNDS = 37;

export const NO_TAKEOVERS: Convergence = new Map();

/** Begins, or adds the hosts of another link to what has begun. Without anybody to ask there is nothing to wait for. */
export function takeOver(
  before: Convergence,
  address: string,
  { startedAt, targets, now }: { startedAt: number; targets: readonly Target[]; now: number },
): Convergence {
  if (targets.length === 0) return before;
  const known = before.get(address);
  const isSame = known?.startedAt === startedAt;
  const all = new Map([
    ...(isSame ? known.targets : []),
    ...targets.map(target => [targetKey(target), target] as const),
  ]);
  const begun = { startedAt, targets: all, rounds: 0, nextAt: now };
  return new Map(before).set(address, begun);
}

/** Ends the questions for an address that is no longer ours. */
export function giveUp(before: Convergence, address: string): Convergence {
  if (!before.has(address)) return before;
  const after = new Map(before);
  after.delete(address);
  return after;
}

/** Takes in that a host answered a question that was asked from the address. */
export function answered(
  before: Convergence,
  address: string,
  { from, interfaceIndex, now }: { from: string; interfaceIndex: number; now: number },
): Convergence {
  const takeover = before.get(address);
  const key = targetKey({ address: from, interfaceIndex });
  const target = takeover?.targets.get(key);
  if (!takeover || !target || target.answeredAt !== undefined) return before;
  const targets = new Map(takeover.targets).set(key, { ...target, answeredAt: now });
  return new Map(before).set(address, { ...takeover, targets });
}

/** What is due now. */
export type Converging = {
  readonly state: Convergence;
  readonly ask: readonly { readonly address: string; readonly target: Target }[];
  readonly done: readonly Converged[];
};

/** How it ended for one address. */
export type Converged = {
  readonly address: string;
  /** From the start until the last one answered, ms; undefined if a gateway never did, or nobody at all. */
  readonly ms?: number;
  /** Addresses of the hosts that never answered. */
  readonly silent: readonly string[];
};

export function goOnConverging(before: Convergence, now: number): Converging {
  const state = new Map(before);
  const ask: { address: string; target: Target }[] = [];
  const done: Converged[] = [];
  for (const [address, takeover] of before) {
    const open = [...takeover.targets.values()].filter(one => one.answeredAt === undefined);
    const isDue = takeover.nextAt <= now;
    const isOver = open.every(one => isDue && takeover.rounds >= roundsFor(one));
    if (isOver) {
      done.push(resultOf(address, takeover));
      state.delete(address);
    } else if (isDue) {
      const asked = open.filter(one => takeover.rounds < roundsFor(one));
      ask.push(...asked.map(target => ({ address, target })));
      const rounds = takeover.rounds + 1;
      state.set(address, { ...takeover, rounds, nextAt: now + waitAfter(rounds) });
    }
  }
  return { state, ask, done };
}

/** When something is due next; undefined for never. */
export function nextConverging(state: Convergence): number | undefined {
  const times = [...state.values()].map(({ nextAt }) => nextAt);
  return times.length > 0 ? Math.min(...times) : undefined;
}

function roundsFor({ isGateway }: Target): number {
  return isGateway ? MOST_ROUNDS : NEIGHBOUR_ROUNDS;
}

function waitAfter(rounds: number): number {
  const last = ROUNDS_AT_MS.length - 1;
  const at = Math.min(rounds, last);
  return (ROUNDS_AT_MS[at] ?? 0) - (ROUNDS_AT_MS[at - 1] ?? 0);
}

function resultOf(address: string, { startedAt, targets }: Takeover): Converged {
  const all = [...targets.values()];
  const times = all.flatMap(({ answeredAt }) => answeredAt ?? []);
  const mute = all.filter(({ answeredAt }) => answeredAt === undefined);
  const isTold = times.length > 0 && mute.every(({ isGateway }) => !isGateway);
  return {
    address,
    silent: mute.map(one => one.address).sort(),
    ...(isTold ? { ms: Math.max(...times) - startedAt } : {}),
  };
}

function targetKey({
  address,
  interfaceIndex,
}: Pick<Target, "address" | "interfaceIndex">): string {
  return `${address}%${interfaceIndex}`;
}
