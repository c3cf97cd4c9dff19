import type { Plan } from "./plan";
import { nextRebalance } from "./rebalance";
import type { Rebalance } from "./rebalance";

/** Moves one group of addresses to this node now and then, where that makes the spread more even. */
export type Rebalancer = {
  /** The addresses that this node takes just now. */
  taking(): ReadonlySet<string>;
  /** Why the address moved here; undefined if it was not taken. */
  causeOf(address: string): string | undefined;
  stop(): void;
};

export type RebalancerOptions = {
  readonly me: string;
  /** Time between two moves, ms; 0: never. */
  readonly everyMs: number;
  /** The plan, while nothing else is going on; undefined otherwise. */
  readonly plan: () => Plan | undefined;
  /** Monotonic clock, ms. */
  readonly now: () => number;
  /** Something is to be taken. */
  readonly onTake: () => void;
  /** Calls back every so many ms; the returned function ends it. */
  readonly every: (ms: number, callback: () => void) => () => void;
};

/** What cannot be taken for so long, ms, is left where it is until the next time. */
const TAKE_MS = 1000;

/**
 * All nodes know the next move; the one that it is for makes it, by claiming what the other one has. That one lets go
 * when it hears the claim, as in every planned move.
 */
export function createRebalancer(options: RebalancerOptions): Rebalancer {
  let move: Rebalance | undefined;
  let until = 0;
  const present = (): Rebalance | undefined => (options.now() < until ? move : undefined);
  const look = (): void => {
    const plan = options.plan();
    const next = plan && nextRebalance(plan);
    move = next?.to === options.me ? next : undefined;
    until = options.now() + TAKE_MS;
    if (move) options.onTake();
  };
  const stop = options.everyMs > 0 ? options.every(options.everyMs, look) : (): void => undefined;
  return {
    taking: () => new Set(present()?.addresses),
    causeOf: address => {
      const one = present();
      return one?.addresses.includes(address) ? one.cause : undefined;
    },
    stop,
  };
}
