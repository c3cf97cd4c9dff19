import type { Holder, Holders } from "../holders";
import type { Member } from "../membership/membership";

/** Who answered for an address, the last one first, each node once: where its running connections may be. */
export type Trail = {
  /** The epoch of the takeover up to which it was followed. */
  readonly epoch: number;
  readonly nodes: readonly string[];
};

/** By address. */
export type Trails = ReadonlyMap<string, Trail>;

export type TrailsInput = {
  readonly me: string;
  /** Who is to answer, by address. What is not in it is forgotten. */
  readonly owners: ReadonlyMap<string, string>;
  /** Who answers, of this node and the members that are heard. */
  readonly holders: Holders;
  /** False for a node that the cluster has no more. */
  readonly exists: (node: string) => boolean;
  /** True for a node that is not heard and did not say that it leaves. */
  readonly isLost: (node: string) => boolean;
};

const NONE: Trail = { epoch: 0, nodes: [] };

/**
 * The trails after what is known now. A node sends what it does not track to whoever comes after it in its own
 * trail. So if X sends to Y, X took the address later than Y, by X's trail; where all followed every takeover there is
 * no circle. Who missed one, which the epochs tell, forgets what it knew of those before; and who is lost while another one
 * takes the address may have seen it otherwise, as each half of a LAN has its own owner, so it is forgotten, too.
 */
export function nextTrails(before: Trails, input: TrailsInput): Trails {
  return new Map(
    [...input.owners].map(([address, owner]) => {
      const trail = before.get(address) ?? NONE;
      const followed = afterClaims(trail, input.holders.get(address) ?? [], input);
      const nodes = taken(followed.nodes, owner, input).filter(node => input.exists(node));
      return [address, isSame(trail, followed.epoch, nodes) ? trail : { ...followed, nodes }];
    }),
  );
}

/**
 * Of several who answer, as in a move, the one with the higher epoch took it later. Who turns up with a lower one, as
 * after a partition, is left out: it may believe the same of the other.
 */
function afterClaims(trail: Trail, holders: readonly Holder[], input: TrailsInput): Trail {
  let { epoch, nodes } = trail;
  const inOrder = [...holders].sort((a, b) => a.epoch - b.epoch || (a.node < b.node ? -1 : 1));
  for (const holder of inOrder) {
    // Whoever has it may be sent something by others, and must know that it had it (`held`).
    if (nodes.length > 0 && holder.epoch > epoch + 1)
      nodes = nodes.filter(node => node === input.me);
    if (holder.epoch > epoch || nodes.length === 0) nodes = taken(nodes, holder.node, input);
    epoch = Math.max(epoch, holder.epoch);
  }
  // An announcer that crashed begins to count anew.
  return { epoch: inOrder.at(-1)?.epoch ?? epoch, nodes };
}

/** After a node has taken the address, or has it still. */
function taken(
  nodes: readonly string[],
  by: string,
  { me, isLost }: TrailsInput,
): readonly string[] {
  if (nodes[0] === by) return nodes;
  return [by, ...nodes.filter(node => node !== by && (node === me || !isLost(node)))];
}

function isSame(trail: Trail, epoch: number, nodes: readonly string[]): boolean {
  return (
    trail.epoch === epoch &&
    trail.nodes.length === nodes.length &&
    trail.nodes.every((node, i) => node === nodes[i])
  );
}

/** The members that are not lost. Who left in order reads its notes when it is back, and notices what it missed. */
export function followed(members: readonly Member[]): readonly string[] {
  return members
    .filter(({ health, phase }) => health !== "silent" || phase === "leaving")
    .map(({ node }) => node);
}
