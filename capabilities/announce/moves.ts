import type { Member } from "./membership/membership";
import type { MoveCause } from "./metrics";
import type { Plan } from "./plan";

/** An address that changed hands: shown in VirtualIP status and counted. */
export type Move = {
  readonly address: string;
  readonly from?: string;
  readonly to: string;
  /** A sentence without a full stop. */
  readonly cause: string;
};

const FIRST = "first owner";
const CHANGED = "configuration, Services, endpoints or nodes changed";

/** What became of a former owner, if that is why its addresses moved. */
export type Fate = "silent" | "leaving" | "removed";

/** What is known of a node that does not own any more what it did. */
export function fateOf(
  node: string,
  nodes: readonly { readonly name: string }[],
  members: readonly Member[],
): Fate | undefined {
  if (!nodes.some(({ name }) => name === node)) return "removed";
  const member = members.find(peer => peer.node === node);
  if (member?.phase === "leaving") return "leaving";
  return member?.health === "silent" ? "silent" : undefined;
}

/**
 * The addresses that have another owner in the second plan than in the first one.
 * @param before absent for the first plan of this process
 * @param fateOf what became of a node; undefined for one that is well
 * @param reasonOf why this node took an address of its own will
 */
export function movesBetween(
  before: Plan | undefined,
  after: Plan,
  fateOf: (node: string) => Fate | undefined,
  reasonOf: (address: string) => string | undefined = () => undefined,
): readonly Move[] {
  return [...after.addresses.values()].flatMap(({ address, owner }): Move[] => {
    const from = before?.addresses.get(address)?.owner;
    if (from === owner) return [];
    const cause =
      reasonOf(address) ?? (before ? causeOf(from, fateOf) : `the announcer of ${owner} started`);
    return [{ address, to: owner, cause, ...(from === undefined ? {} : { from }) }];
  });
}

function causeOf(from: string | undefined, fateOf: (node: string) => Fate | undefined): string {
  if (from === undefined) return FIRST;
  const fate = fateOf(from);
  return fate ? FATE_TEXT[fate](from) : CHANGED;
}

const FATE_TEXT = {
  silent: (node: string) => `${node} went silent`,
  leaving: (node: string) => `${node} said that it leaves`,
  removed: (node: string) => `the Node ${node} was deleted`,
} as const;

/** The cause as the counter of moves names it. */
export function causeLabel({ cause }: Move): MoveCause {
  if (cause.endsWith("went silent")) return "silent";
  if (cause.endsWith("leaves")) return "leaving";
  if (cause.startsWith("rebalance")) return "rebalance";
  return cause === "first owner" ? "first" : "other";
}
