import { parseAddress, rangeContains } from "../../config/address";
import type { AddressRange } from "../../config/address";
import { familyOf } from "../layer2/kernel-state";

/** A network that this node is in. */
export type Subnet = { readonly range: AddressRange; readonly interfaceIndex: number };

export type WayInput = {
  /** The node's addresses, canonical text. */
  readonly addresses: readonly string[];
  readonly subnets: readonly Subnet[];
  /** Interfaces that the address is answered for on. */
  readonly announcing: ReadonlySet<number>;
};

/**
 * Which of a node's addresses to send to what is for `address`: one of its family in a network that both are in, on
 * the LAN where it is announced if there is one, since the kernel there may refuse a client's packet that comes by
 * another interface (rp_filter). Through a router it would come back to whoever owns the address.
 */
export function wayTo(address: string, input: WayInput): string | undefined {
  const family = familyOf(address);
  const ways = input.addresses
    .filter(candidate => familyOf(candidate) === family)
    .flatMap(candidate => {
      const parsed = parseAddress(candidate);
      return input.subnets
        .filter(({ range }) => parsed && rangeContains(range, parsed))
        .map(({ interfaceIndex }) => ({ candidate, interfaceIndex }));
    });
  const best = ways.find(({ interfaceIndex }) => input.announcing.has(interfaceIndex)) ?? ways[0];
  return best?.candidate;
}
