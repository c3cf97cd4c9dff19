import type { VirtualIP } from "../../config/kinds/virtual-ip";

/** What this node knows of how BGP delivers an address. */
export type BgpStanding = {
  /** Names of BGPPeers of this node that know the address, sorted. */
  readonly peers: readonly string[];
  /** Names of the Nodes that are Ready. */
  readonly readyNodes: ReadonlySet<string>;
};

type Status = NonNullable<VirtualIP["status"]>;
type Entries = NonNullable<Status["bgp"]>;
/** Parts of a merge patch: null takes away. */
type EntriesPatch = Readonly<Record<string, Entries[string] | null>>;
type StatusPatch = Readonly<Record<string, unknown>>;

/**
 * What is to change of `status.bgp`. Each node writes its own entry while its Node is Ready. Of the entries of nodes
 * that are not, or are no more, the first Ready one takes them away: a node that lost its power does not do it itself.
 */
export function bgpEntriesPatch(
  vip: VirtualIP,
  me: string,
  { peers, readyNodes }: BgpStanding,
  now: string,
): EntriesPatch {
  const entries = entriesOf(vip);
  const isFirst = [...readyNodes].sort()[0] === me;
  const stale = Object.keys(entries).filter(node => isFirst && !readyNodes.has(node));
  const own = readyNodes.has(me) ? ownEntryPatch(entries[me], peers, now) : undefined;
  return {
    ...Object.fromEntries(stale.map(node => [node, null])),
    ...(own === undefined ? {} : { [me]: own }),
  };
}

function ownEntryPatch(
  present: Entries[string] | undefined,
  peers: readonly string[],
  now: string,
): Entries[string] | null | undefined {
  const { peers: said, since } = present ?? { peers: [], since: now };
  if (JSON.stringify(said) === JSON.stringify(peers)) return undefined;
  return peers.length > 0 ? { peers: [...peers], since } : null;
}

function entriesOf(vip: VirtualIP | undefined): Entries {
  return vip?.status?.bgp ?? {};
}

/** Nodes that advertise the address, sorted. */
export function advertisers(vip: VirtualIP | undefined): readonly string[] {
  return Object.keys(entriesOf(vip)).sort();
}

/**
 * One patch of the two, and the field `protocol` with it; undefined if there is nothing to change.
 *
 * @param layer2 what layer 2 would have in the status
 */
export function joinedPatch(
  vip: VirtualIP,
  me: string,
  { layer2, bgp }: { readonly layer2: StatusPatch; readonly bgp: EntriesPatch },
): { readonly status: StatusPatch } | undefined {
  const isChange = Object.keys({ ...layer2, ...bgp }).length > 0;
  const patch = {
    ...withoutProtocol(layer2),
    ...(Object.keys(bgp).length > 0 ? { bgp } : {}),
    ...protocolPatch(vip, me, { ...{ layer2, bgp }, isChange }),
  };
  return Object.keys(patch).length > 0 ? { status: patch } : undefined;
}

function withoutProtocol(patch: StatusPatch): StatusPatch {
  return Object.fromEntries(Object.entries(patch).filter(([field]) => field !== "protocol"));
}

type Change = {
  readonly layer2: StatusPatch;
  readonly bgp: EntriesPatch;
  readonly isChange: boolean;
};

/** One node writes the protocol: layer 2's owner, or the first that advertises, or who takes the last of both away. */
function protocolPatch(vip: VirtualIP, me: string, change: Change): StatusPatch {
  const owner = ownerAfter(vip, change);
  const entries = Object.entries<unknown>({ ...entriesOf(vip), ...change.bgp });
  const nodes = entries.flatMap(([name, entry]) => (entry === null ? [] : [name])).sort();
  const [first = change.isChange ? me : undefined] = nodes;
  const protocols = [
    ...(owner === undefined ? [] : ["layer2"]),
    ...nodes.slice(0, 1).map(() => "bgp"),
  ];
  const protocol = protocols.length > 0 ? protocols.join(",") : null;
  const isSaid = protocol === (vip.status?.protocol ?? null);
  return (owner ?? first) === me && !isSaid ? { protocol } : {};
}

function ownerAfter({ status }: VirtualIP, { layer2 }: Change): string | undefined {
  const said = status?.intendedOwner;
  // A patch without the name leaves it as it is.
  const patched = layer2["intendedOwner"] as { readonly node?: string } | null | undefined;
  return patched === null ? undefined : (patched?.node ?? said?.node);
}
