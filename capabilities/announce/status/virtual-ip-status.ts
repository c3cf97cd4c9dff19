import type { AddressConflict, VirtualIP } from "../../config/kinds/virtual-ip";
import type { Binding } from "../layer2/responder";
import type { Move } from "../moves";

/** What this node knows of an address for its VirtualIP's status. */
export type AddressStatus = {
  /** The node that the plan gives the address to; undefined if nobody is to answer. */
  readonly owner: string | undefined;
  /** Where this node answers; empty if it does not. */
  readonly bindings: readonly Binding[];
  /** How this node came to own the address, and when (RFC 3339). */
  readonly move?: TimedMove;
  /** Who was seen to answer, if this node asks for the address. */
  readonly sight?: ObservedSight;
  /** The stranger that has the address as well, if this node looks after that. */
  readonly conflict?: AddressConflict;
  /** Hardware address of a stranger that is gone. */
  readonly settled?: string;
  /** Nodes that are not heard and may be well all the same: on the other side of a divided LAN. */
  readonly unheard?: ReadonlySet<string>;
};

/** What an observer says: in short, and whom it saw. `at` is RFC 3339. */
export type ObservedSight = {
  readonly text: string;
  readonly node?: string;
  readonly mac?: string;
  readonly interface?: string;
  readonly at: string;
};

/** `answeredMs` and `convergedMs`: what is known of how long it took, ms. */
export type TimedMove = Move & {
  readonly at: string;
  readonly answeredMs?: number;
  readonly convergedMs?: number;
};

/** A merge patch of the status. */
type StatusPatch = { readonly status: Readonly<Record<string, unknown>> };

/**
 * The merge patch that makes the status say what is; undefined if it does. Of the owner only the owner writes, and
 * after the last owner the node that was it; of a stranger, the node that looks after the address.
 */
export function virtualIpPatch(
  present: VirtualIP,
  me: string,
  address: AddressStatus,
): StatusPatch | undefined {
  const status = {
    ...ownerPatch(present, me, address),
    ...sightPatch(present, me, address),
    ...conflictPatch(present, address),
  };
  return Object.keys(status).length > 0 ? { status } : undefined;
}

/** Only what is another sight is written: that the same is seen again, every ten seconds, is not. */
function sightPatch(present: VirtualIP, me: string, address: AddressStatus): object {
  const { owner, sight } = address;
  if (owner === undefined || !sight || present.status?.seen === sight.text) return {};
  const { seenBy, since } = present.status?.observedOwner ?? {};
  if (isOfOtherSide(address, { node: seenBy, since }, sight)) return {};
  const { text, node, mac, interface: name, at } = sight;
  const observed = { node, mac, interface: name };
  const observedOwner = Object.fromEntries(
    Object.entries(observed).map(([field, value]) => [field, value ?? null]),
  );
  return { seen: text, observedOwner: { ...observedOwner, seenBy: me, since: at } };
}

function conflictPatch(present: VirtualIP, { conflict, settled }: AddressStatus): object {
  const said = present.status?.conflict;
  if (!conflict) return said && said.mac === settled ? { conflict: null } : {};
  const isSaid = said?.mac === conflict.mac && said.isInUse === conflict.isInUse;
  return isSaid ? {} : { conflict };
}

function ownerPatch(present: VirtualIP, me: string, address: AddressStatus): object {
  const said = present.status?.intendedOwner;
  if (address.owner === undefined) {
    const nobody = { protocol: null, intendedOwner: null, observedOwner: null, seen: null };
    return said?.node === me ? nobody : {};
  }
  return address.owner === me && !isOutdone(present, address) ? ownPatch(present, me, address) : {};
}

function ownPatch(present: VirtualIP, me: string, { bindings, move }: AddressStatus): object {
  const said = present.status?.intendedOwner;
  const [binding] = bindings;
  if (!binding || !move) return {};
  return said?.node === me
    ? { ...refreshed(said, binding), ...measured(present, move) }
    : takenOver(said, binding, move);
}

/**
 * True if a node that is not heard says that it took the address after this one did. Where the halves of a divided LAN
 * both reach the API server, each has an owner, and these would write in turns for as long as it is divided.
 */
export function isOutdone(
  { status }: Pick<VirtualIP, "status">,
  address: Pick<AddressStatus, "move" | "unheard">,
): boolean {
  return address.move !== undefined && isOfOtherSide(address, status?.intendedOwner, address.move);
}

type Saying = { readonly node?: string | undefined; readonly since?: string | undefined };

function isOfOtherSide(
  { unheard }: Pick<AddressStatus, "unheard">,
  said: Saying | undefined,
  { at }: { readonly at: string },
): boolean {
  if (said?.node === undefined || said.since === undefined) return false;
  return unheard?.has(said.node) === true && said.since > at;
}

type Owner = NonNullable<NonNullable<VirtualIP["status"]>["intendedOwner"]>;

/** Still the same node: only what it answers with may have changed. */
function refreshed(said: Owner, { link: { mac, name }, mode }: Binding): object {
  if (said.mac === mac && said.interface === name && said.mode === mode) return {};
  return { intendedOwner: { mac, interface: name, mode } };
}

/** How long the move took is known a little after it was written. */
function measured({ status }: VirtualIP, move: TimedMove): object {
  const times = timesOf(move);
  const said: Readonly<Record<string, unknown>> = status?.lastMove ?? {};
  const isNews = Object.entries(times).some(([field, value]) => said[field] !== value);
  return isNews && said["at"] === move.at ? { lastMove: times } : {};
}

function timesOf({ answeredMs, convergedMs }: TimedMove): Readonly<Record<string, string>> {
  return {
    ...(answeredMs === undefined ? {} : { answeredIn: duration(answeredMs) }),
    ...(convergedMs === undefined ? {} : { convergedIn: duration(convergedMs) }),
  };
}

/** As Kubernetes and Go write durations: 4ms, 1.25s. */
function duration(ms: number): string {
  return ms < 1000 ? `${Math.max(1, Math.round(ms))}ms` : `${Number((ms / 1000).toFixed(2))}s`;
}

function takenOver(said: Owner | undefined, { link, mode }: Binding, move: TimedMove): object {
  const { mac, name } = link;
  const { from, to, cause, at } = move;
  // What the object says is the truth on who was before: this process may not have seen it.
  const unknown = { answeredIn: null, convergedIn: null };
  const moved = { from: said?.node ?? from ?? null, to, cause, at };
  const lastMove = { ...moved, ...unknown, ...timesOf(move) };
  const intendedOwner = { node: to, mac, interface: name, mode, since: at };
  return { protocol: "layer2", intendedOwner, lastMove };
}
