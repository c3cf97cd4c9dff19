import type { NodeFacts } from "../facts";
import type { Member } from "../membership/membership";

/** Since when nodes are not heard, ms. */
export type Silences = ReadonlyMap<string, number>;

/** An announcer that was killed is back sooner; connections that a dead node had are reset that much later, ms. */
export const SILENCE_MS = 5000;

/** The silences after what is known now; nodes that were never heard are silent, too. */
export function nextSilences(
  before: Silences,
  { nodes, members, now }: ReachInput & { readonly nodes: readonly Pick<NodeFacts, "name">[] },
): Silences {
  const heard = new Set(members.filter(({ health }) => health !== "silent").map(m => m.node));
  return new Map(
    nodes
      .filter(({ name }) => !heard.has(name))
      .map(({ name }) => [name, before.get(name) ?? now] as const),
  );
}

type ReachInput = { readonly members: readonly Member[]; readonly now: number };

/**
 * True if the node's kernel is believed to run, whether its announcer does or not. An announcer that said that it leaves
 * may be away for long, as in an upgrade that loads an image: then the node counts as long as it is Ready.
 */
export function isReachable(
  { name, notReadySince }: Pick<NodeFacts, "name" | "notReadySince">,
  { members, silences, now }: ReachInput & { readonly silences: Silences },
): boolean {
  const since = silences.get(name);
  if (since === undefined || now - since < SILENCE_MS) return true;
  const hasLeft = members.find(({ node }) => node === name)?.phase === "leaving";
  return hasLeft && notReadySince === undefined;
}
