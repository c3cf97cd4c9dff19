import type { Member } from "../membership/membership";

type NodeState = { readonly name: string; readonly notReadySince: number | undefined };

/**
 * Nodes that are not heard and may be well all the same, on the other side of a divided LAN: they did not say that they
 * leave, and Kubernetes holds them for Ready, or cannot be asked.
 */
export function unheardNodes(
  members: readonly Member[],
  nodes: readonly NodeState[],
): ReadonlySet<string> {
  const ready = new Set(nodes.flatMap(node => (node.notReadySince === undefined ? node.name : [])));
  const unheard = members.filter(
    ({ node, health, phase }) => health === "silent" && phase !== "leaving" && ready.has(node),
  );
  return new Set(unheard.map(({ node }) => node));
}

/** Longer than Kubernetes takes to see that a node is gone, ms. Then this one goes by what it has itself. */
const CUT_OFF_AT_MOST_MS = 60_000;

/** Since when this node hears nobody of several others; undefined while it hears one. `now` in ms. */
export type Solitude = { readonly since: number | undefined };

export const IN_COMPANY: Solitude = { since: undefined };

export type SolitudeInput = {
  readonly me: string;
  /** Nodes that may own addresses. */
  readonly alive: ReadonlySet<string>;
  readonly unheard: ReadonlySet<string>;
  readonly now: number;
};

/** How long a node has been alone, carried on. */
export function nextSolitude(before: Solitude, input: SolitudeInput): Solitude {
  const { me, alive, unheard, now } = input;
  const hearsOne = [...alive].some(node => node !== me);
  return hearsOne || unheard.size < 2 ? IN_COMPANY : { since: before.since ?? now };
}

/**
 * True if this node is rather cut off from all others than these are all gone. It serves who reaches it, and takes for
 * that what was theirs, which may be a thousand addresses; telling of it is left to who is heard by others.
 */
export function isCutOff({ since }: Solitude, now: number): boolean {
  return since !== undefined && now - since < CUT_OFF_AT_MOST_MS;
}
