import type { MembershipChange } from "./membership/membership";
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

/**
 * The addresses that have another owner in the second plan than in the first one.
 * @param before absent for the first plan of this process
 * @param change what the members did between the two plans, if that is what made a new plan necessary
 */
export function movesBetween(
  before: Plan | undefined,
  after: Plan,
  change: MembershipChange | undefined,
): readonly Move[] {
  return [...after.addresses.values()].flatMap(({ address, owner }): Move[] => {
    const from = before?.addresses.get(address)?.owner;
    if (from === owner) return [];
    const cause = before ? causeOf(from, owner, change) : `the announcer of ${owner} started`;
    return [{ address, to: owner, cause, ...(from === undefined ? {} : { from }) }];
  });
}

function causeOf(
  from: string | undefined,
  to: string,
  change: MembershipChange | undefined,
): string {
  if (from === undefined) return FIRST;
  const gone = change?.left.find(({ node }) => node === from);
  if (gone) return LEFT_TEXT[gone.cause](from);
  if (change?.joined.includes(to)) return `${to} joined and comes first for this address`;
  return CHANGED;
}

const LEFT_TEXT = {
  silent: (node: string) => `${node} went silent`,
  leaving: (node: string) => `${node} said that it leaves`,
  removed: (node: string) => `the Node ${node} was deleted`,
} as const;
