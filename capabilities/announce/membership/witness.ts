/**
 * Whether owners that fell silent are gone, as seen on the wire. Their addresses are asked for by ARP and
 * neighbor solicitation; while a kernel answers, the announcer alone is down and the address stays.
 * A value: `nextRound` returns a new one.
 */
export type Witness = ReadonlyMap<string, Case>;

/** One owner under suspicion. */
type Case = {
  /** Addresses that were asked for in the last round. */
  readonly asked: readonly string[];
  /** Rounds in a row in which none of its addresses was answered for. */
  readonly mute: number;
  /** For each address, the times that it was asked for since it was answered. */
  readonly unanswered: ReadonlyMap<string, number>;
  /** Where in the list of its addresses the next round goes on. */
  readonly cursor: number;
  /** Something was answered since it is suspected: its kernel lives, so it matters what of. */
  readonly hasAnswered: boolean;
};

/** Owners under suspicion, and of each the addresses that this node would take. */
export type Suspects = ReadonlyMap<string, readonly string[]>;

/** none: nobody is suspected. asked: none of them is gone yet. verdict: some address of one is. */
export type Suspicion = "none" | "asked" | "verdict";

/** Silent to so many questions, an owner or an address counts as gone. */
const GONE_AFTER = 3;
/**
 * Addresses asked for per owner and round. A dead owner of a thousand shows by the first few; more would be a
 * storm of broadcasts at the moment when the LAN needs it least, and its heirs the processor.
 */
export const ASKED_OF_MUTE = 4;
/** The same of an owner who answered: then each address is to be known of. */
export const ASKED_PER_ROUND = 16;
/** And of one who counts as gone, in case that it comes back while its addresses are being taken. */
const ASKED_OF_GONE = 1;

export const NO_CASES: Witness = new Map();

/**
 * Ends a round and begins the next one.
 * @param answered the addresses that somebody was heard to answer for since the round began
 * @returns the addresses to ask for now. Give them half a heartbeat's time to be answered; more does no harm
 */
export function nextRound(
  before: Witness,
  suspects: Suspects,
  answered: ReadonlySet<string>,
): { readonly witness: Witness; readonly ask: readonly string[] } {
  const witness = new Map<string, Case>();
  for (const [node, addresses] of suspects) {
    if (addresses.length > 0)
      witness.set(node, nextCase(before.get(node) ?? NEW, addresses, answered));
  }
  return { witness, ask: [...witness.values()].flatMap(({ asked }) => asked) };
}

/** True if nobody answers for this address of the owner any more. Only a silent owner may be condemned. */
export function isGone(witness: Witness, owner: string, address: string): boolean {
  const found = witness.get(owner);
  if (!found) return false;
  return found.mute >= GONE_AFTER || (found.unanswered.get(address) ?? 0) >= GONE_AFTER;
}

const NEW: Case = { asked: [], mute: -1, unanswered: new Map(), cursor: 0, hasAnswered: false };

function nextCase(before: Case, addresses: readonly string[], answered: ReadonlySet<string>): Case {
  const unanswered = new Map(before.unanswered);
  for (const address of before.asked) unanswered.set(address, (unanswered.get(address) ?? 0) + 1);
  for (const address of answered) unanswered.delete(address);
  // Any address of it: an answer that was long under way speaks for its kernel, too.
  const isAnswered = [...addresses, ...before.asked].some(address => answered.has(address));
  const mute = isAnswered ? 0 : before.mute + 1;
  const hasAnswered = before.hasAnswered || isAnswered;
  const count = Math.min(countFor({ mute, hasAnswered }), addresses.length);
  const asked = Array.from(
    { length: count },
    (_, i) => addresses[(before.cursor + i) % addresses.length] ?? "",
  );
  const cursor = (before.cursor + count) % addresses.length;
  return { asked, cursor, mute, unanswered, hasAnswered };
}

function countFor({ mute, hasAnswered }: Pick<Case, "mute" | "hasAnswered">): number {
  if (mute >= GONE_AFTER) return ASKED_OF_GONE;
  return hasAnswered ? ASKED_PER_ROUND : ASKED_OF_MUTE;
}
