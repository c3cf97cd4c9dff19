import type { WantedInterfaces } from "./layer2/interfaces";
import type { Owned } from "./layer2/responder";
import type { Plan } from "./plan";

/** What this node answers for: what the plan gives it, and what it still holds for the new owner. */
export type Ownership = {
  readonly owned: Owned;
  /**
   * Addresses that another node is to own, and until when (ms) we go on answering: without end until that
   * node says that it answers.
   */
  readonly lingering: ReadonlyMap<string, number>;
};

export const NOTHING_OWNED: Ownership = { owned: new Map(), lingering: new Map() };

/**
 * How long an address is still answered for here after its new owner said that it answers, ms. It covers the
 * new owner's first announcements, of which one may get lost; both deliver meanwhile.
 */
export const LINGER_MS = 300;

export type OwnershipInput = {
  readonly plan: Plan;
  readonly me: string;
  readonly now: number;
  /** True if the node says that it answers for the address. */
  readonly isClaimedBy: (address: string, node: string) => boolean;
  /** True for an address that must not be answered for yet, since a stranger may have it. */
  readonly isWithheld: (address: string) => boolean;
};

/**
 * The next state of affairs. An address that moves to another node is answered for until that one does; one
 * that nobody is to answer for any more goes at once.
 */
export function nextOwnership(before: Ownership, input: OwnershipInput): Ownership {
  const { plan, me, now, isClaimedBy, isWithheld } = input;
  const owned = new Map<string, WantedInterfaces>();
  const lingering = new Map<string, number>();
  for (const { address, owner, interfaces } of plan.addresses.values()) {
    const held = before.owned.get(address);
    if (owner === me) {
      if (!isWithheld(address)) owned.set(address, interfaces);
    } else if (held !== undefined) {
      const known = before.lingering.get(address) ?? Infinity;
      const until = isClaimedBy(address, owner) ? Math.min(known, now + LINGER_MS) : Infinity;
      if (until <= now) continue;
      owned.set(address, held);
      lingering.set(address, until);
    }
  }
  return { owned, lingering };
}

/** The same without addresses that others have taken: they are let go at once. */
export function withoutAddresses(
  { owned, lingering }: Ownership,
  lost: ReadonlySet<string>,
): Ownership {
  return {
    owned: new Map([...owned].filter(([address]) => !lost.has(address))),
    lingering: new Map([...lingering].filter(([address]) => !lost.has(address))),
  };
}

/** True if the same addresses are to be answered for on the same interfaces. */
export function isSameOwned(before: Owned, after: Owned): boolean {
  return (
    before.size === after.size &&
    [...after].every(([address, wanted]) => String(before.get(address)) === String(wanted))
  );
}
