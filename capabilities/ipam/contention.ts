/** How far a process keeps from the others that hand out addresses at the same moment. */
export type Contention = {
  /** Another process was faster, of which ours had not heard yet. */
  noteLost(now: number): void;
  /** How many free addresses to leave to the others; 0 unless a claim was lost a moment ago. */
  headStart(now: number): number;
};

const SPREAD = 32;
const CALM_MS = 1_000;

/**
 * Two processes that both begin with the lowest free address try every address twice while many Services come: each
 * hears of the other's claims some milliseconds late. So the one that lost a claim leaves some addresses free,
 * by chance 1 to 32, until it has lost none for a second; the holes are filled by those that come after.
 *
 * @param random in [0, 1)
 */
export function createContention(random: () => number): Contention {
  let distance = 0;
  let until = -Infinity;
  return {
    noteLost: now => {
      distance = 1 + Math.floor(random() * SPREAD);
      until = now + CALM_MS;
    },
    headStart: now => (now < until ? distance : 0),
  };
}
