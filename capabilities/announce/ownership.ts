import type { WantedInterfaces } from "./layer2/interfaces";
import type { Owned } from "./layer2/responder";
import type { Plan } from "./plan";

/** What this node answers for: what the plan gives it, and what it still holds for the new owner. */
export type Ownership = {
  readonly owned: Owned;
  /** Addresses that another node now owns, and until when (ms) we go on answering. */
  readonly lingering: ReadonlyMap<string, number>;
};

export const NOTHING_OWNED: Ownership = { owned: new Map(), lingering: new Map() };

/**
 * How long an address that another node takes over is still answered for here, ms: the new owner shall answer
 * before the old one stops. Both deliver meanwhile, so that no packet is lost. It covers the time in which
 * the other node learns of the same change, and its first two announcements.
 */
export const LINGER_MS = 1000;

/**
 * The next state of affairs. An address that moves to another node lingers; one that nobody is to answer for
 * any more goes at once.
 */
export function nextOwnership(
  before: Ownership,
  { plan, me, now }: { readonly plan: Plan; readonly me: string; readonly now: number },
): Ownership {
  const owned = new Map<string, WantedInterfaces>();
  const lingering = new Map<string, number>();
  for (const { address, owner, interfaces } of plan.addresses.values()) {
    const held = before.owned.get(address);
    if (owner === me) {
      owned.set(address, interfaces);
    } else if (held !== undefined) {
      const until = before.lingering.get(address) ?? now + LINGER_MS;
      if (until <= now) continue;
      owned.set(address, held);
      lingering.set(address, until);
    }
  }
  return { owned, lingering };
}
