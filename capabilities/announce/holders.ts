import { pushTo } from "./grouped";
import type { Claim, Health, Member } from "./membership/membership";
import type { Suspects } from "./membership/witness";

/** A node that answers for an address now, and since which takeover of it. */
export type Holder = { readonly node: string; readonly epoch: number };

/** Who answers for each address now, as far as that gives a right to go on. */
export type Holders = ReadonlyMap<string, readonly Holder[]>;

/** What this node answers for. */
export type Holding = { readonly node: string; readonly claims: readonly Claim[] };

/** What this node knows of who answers for what. */
export type HoldersInput = {
  readonly members: readonly Member[];
  /** What this node answers for; empty when it leaves. */
  readonly own: Holding;
  /** True if the wire says that a silent owner answers for an address no more. */
  readonly isGone: (owner: string, address: string) => boolean;
};

/**
 * Who may go on answering. Who leaves may not. Who is silent may while its kernel answers, unless somebody
 * who is heard claims the address: that one took it over.
 */
export function holdersOf({ members, own, isGone }: HoldersInput): Holders {
  const strong = new Map<string, Holder[]>();
  const weak = new Map<string, Holder[]>();
  for (const { address, epoch } of own.claims) pushTo(strong, address, { node: own.node, epoch });
  for (const { node, phase, health, claims } of members) {
    if (phase === "leaving") continue;
    for (const { address, epoch } of claims) {
      if (health !== "silent") pushTo(strong, address, { node, epoch });
      else if (!isGone(node, address)) pushTo(weak, address, { node, epoch });
    }
  }
  return new Map([...weak, ...strong]);
}

/**
 * The members without what silent ones said of addresses that somebody took from them: whoever took them had made sure that
 * they are gone, and that holds when the new owner is silent, too.
 */
export function withoutReplaced(members: readonly Member[]): readonly Member[] {
  if (members.every(({ health }) => health !== "silent")) return members;
  const highest = highestEpochs(members);
  return members.map(member => {
    if (member.health !== "silent") return member;
    const claims = member.claims.filter(
      ({ address, epoch }) => epoch >= (highest.get(address) ?? 0),
    );
    return claims.length === member.claims.length ? member : { ...member, claims };
  });
}

/** The peers that may be given addresses: active and not silent. */
export function alivePeers(members: readonly Member[]): readonly string[] {
  return members
    .filter(({ phase, health }) => phase === "active" && health !== "silent")
    .map(({ node }) => node);
}

/** The same with this node as the last to take some addresses, which it is about to do. */
export function holdersTaking(holders: Holders, me: string, taking: ReadonlySet<string>): Holders {
  if (taking.size === 0) return holders;
  const taken = [...taking].map((address): [string, readonly Holder[]] => {
    const others = (holders.get(address) ?? []).filter(({ node }) => node !== me);
    const epoch = Math.max(0, ...others.map(holder => holder.epoch)) + 1;
    return [address, [...others, { node: me, epoch }]];
  });
  return new Map([...holders, ...taken]);
}

/**
 * What this node is to claim: what its kernel answers for. An address that it takes gets an epoch above all that
 * is known of. What it took while it heard nobody has none (0): it may be the one that is cut off, and when it
 * hears the others again, theirs shall count. It gets one when the plan gives it the address with others heard.
 */
export function nextClaims(
  before: readonly Claim[],
  answering: ReadonlySet<string>,
  { members, isMine }: { members: readonly Member[]; isMine: (address: string) => boolean },
): readonly Claim[] {
  const known = new Map(before.map(({ address, epoch }) => [address, epoch]));
  const isAlone = members.every(({ health }) => health === "silent");
  let highest: ReadonlyMap<string, number> | undefined;
  const nextEpoch = (address: string): number => {
    highest ??= highestEpochs(members);
    return Math.min((highest.get(address) ?? 0) + 1, 0xffff_ffff);
  };
  return [...answering].map(address => {
    const epoch = known.get(address) ?? 0;
    const isSettled = epoch > 0 || isAlone || !isMine(address);
    return { address, epoch: isSettled ? epoch : nextEpoch(address) };
  });
}

function highestEpochs(members: readonly Member[]): ReadonlyMap<string, number> {
  const highest = new Map<string, number>();
  for (const { address, epoch } of members.flatMap(({ claims }) => claims)) {
    highest.set(address, Math.max(highest.get(address) ?? 0, epoch));
  }
  return highest;
}

/**
 * Of what this node claims, what a peer that is heard has taken since: for a node that could not follow, because it
 * starts or stood still. A peer that started meanwhile and never heard of our claim has one of the same epoch; it
 * followed all along, so ours ends. What was adopted (epoch 0) is kept until somebody has taken it.
 */
export function replacedClaims(
  claims: readonly Claim[],
  members: readonly Member[],
): ReadonlySet<string> {
  const own = new Map(claims.map(({ address, epoch }) => [address, epoch]));
  const taken = members
    .filter(({ health, phase }) => health !== "silent" && phase === "active")
    .flatMap(member =>
      member.claims.filter(
        ({ address, epoch }) => epoch > 0 && epoch >= (own.get(address) ?? Infinity),
      ),
    );
  return new Set(taken.map(({ address }) => address));
}

/**
 * The owners that are late or silent of whom this node would inherit if they were gone, and what.
 * @param heirOf who would own an address of one that is late, or silent; asked only for addresses that nobody has taken yet
 */
export function suspectsOf(
  members: readonly Member[],
  {
    own,
    heirOf,
  }: { own: Holding; heirOf: (address: string, health: Health) => string | undefined },
): Suspects {
  const heard = members.filter(({ health }) => health === "heard");
  const claims = [own.claims, ...heard.map(member => member.claims)].flat();
  const taken = new Set(claims.map(({ address }) => address));
  const suspects = members
    .filter(({ health, phase }) => health !== "heard" && phase !== "leaving")
    .map(member => {
      const addresses = member.claims.map(({ address }) => address);
      const mine = addresses.filter(ip => !taken.has(ip) && heirOf(ip, member.health) === own.node);
      return [member.node, mine] as const;
    });
  return new Map(suspects.filter(([, addresses]) => addresses.length > 0));
}

/** Who claims each address, whether that gives a right or not. */
export function holdersByAddress(
  claimants: readonly { readonly node: string; readonly claims: readonly Claim[] }[],
): Holders {
  const found = new Map<string, Holder[]>();
  for (const { node, claims } of claimants) {
    for (const { address, epoch } of claims) pushTo(found, address, { node, epoch });
  }
  return found;
}

/** The addresses that each member claims. */
export function claimsByNode(members: readonly Member[]): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(
    members.map(({ node, claims }) => [node, new Set(claims.map(({ address }) => address))]),
  );
}
