import type { Phase } from "./membership";

/** So many nodes may all send at the full pace. */
const NODES_AT_FULL_PACE = 32;
const SLOWEST = 10;

/**
 * How much more slowly than the interval a node sends. A node that answers for nothing is missed by nobody, so
 * in a large cluster it says less often that it is there: what the owners say is what has to be heard at once.
 *
 * @returns 1 to 10
 */
export function intervalFactor(node: {
  readonly phase: Phase;
  /** It answers for some address. */
  readonly owns: boolean;
  readonly peers: number;
}): number {
  if (node.owns || node.phase !== "active") return 1;
  return Math.min(Math.max(1, Math.ceil((node.peers + 1) / NODES_AT_FULL_PACE)), SLOWEST);
}
