import type { VirtualIP } from "../../config/kinds/virtual-ip";
import type { Link } from "../layer2/kernel-state";
import type { Binding } from "../layer2/responder";
import type { Move } from "../moves";

/** What this node knows of an address for its VirtualIP's status. */
export type AddressStatus = {
  /** The node that the plan gives the address to; undefined if nobody is to answer. */
  readonly owner: string | undefined;
  /** Where this node answers; empty if it does not. */
  readonly bindings: readonly Binding[];
  /** How this node came to own the address, and when (RFC 3339). */
  readonly move?: Move & { readonly at: string };
};

/** A merge patch of the status. */
type StatusPatch = { readonly status: Readonly<Record<string, unknown>> };

/**
 * The merge patch that makes the status say what is; undefined if it does. Only the owner writes, and after
 * the last owner the node that was it.
 */
export function virtualIpPatch(
  present: VirtualIP,
  me: string,
  address: AddressStatus,
): StatusPatch | undefined {
  const said = present.status?.intendedOwner;
  if (address.owner === undefined) {
    const gone = { protocol: null, intendedOwner: null };
    return said?.node === me ? { status: gone } : undefined;
  }
  const [binding] = address.bindings;
  if (address.owner !== me || !binding || !address.move) return undefined;
  return said?.node === me
    ? refreshed(said, binding.link)
    : takenOver(said, binding.link, address.move);
}

type Owner = NonNullable<NonNullable<VirtualIP["status"]>["intendedOwner"]>;

/** Still the same node: only what it answers with may have changed. */
function refreshed(said: Owner, { mac, name }: Link): StatusPatch | undefined {
  if (said.mac === mac && said.interface === name) return undefined;
  return { status: { intendedOwner: { mac, interface: name } } };
}

function takenOver(
  said: Owner | undefined,
  { mac, name }: Link,
  { from, to, cause, at }: Move & { readonly at: string },
): StatusPatch {
  // What the object says is the truth on who was before: this process may not have seen it.
  const lastMove = { from: said?.node ?? from ?? null, to, cause, at };
  const intendedOwner = { node: to, mac, interface: name, since: at };
  return { status: { protocol: "layer2", intendedOwner, lastMove } };
}
