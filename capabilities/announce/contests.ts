import type { Standing } from "./decision";
import type { Plan } from "./plan";

/**
 * Addresses that are this node's by its plan and that others answer for as well; true where one of them took the
 * address after this node did: that is not announced from here as long as both answer.
 */
export type Contests = ReadonlyMap<string, boolean>;

export const NO_CONTESTS: Contests = new Map();

/** Who else answers for what is this node's, as far as it is heard. */
export function contestsOf(
  { addresses }: Plan,
  { me, members, claims }: Pick<Standing, "me" | "members" | "claims">,
): Contests {
  const own = new Map(claims.map(({ address, epoch }) => [address, epoch]));
  const contests = new Map<string, boolean>();
  const others = members.filter(({ health }) => health !== "silent");
  for (const { address, epoch } of others.flatMap(member => member.claims)) {
    if (addresses.get(address)?.owner !== me) continue;
    const isLater = epoch > (own.get(address) ?? Infinity);
    contests.set(address, isLater || contests.get(address) === true);
  }
  return contests;
}

/**
 * What is to be announced again. Whoever else answers has told the LAN so: it is told again when that begins, as when
 * two halves of a LAN meet, and when it ends. But whoever took an address later knew of this node, and did so by a plan
 * that has not come here yet; to announce it then would turn clients back to a node that does not track the
 * connections that they have begun meanwhile.
 */
export function announcedAgain(before: Contests, after: Contests): readonly string[] {
  const begun = [...after].filter(([address, isLater]) => !before.has(address) && !isLater);
  const ended = [...before].filter(([address]) => !after.has(address));
  return [...begun, ...ended].map(([address]) => address);
}
