import { parseAddress } from "../config/address";
import type { IpAddress } from "../config/address";
import type { ServiceFacts } from "./facts";

/**
 * For each address the address whose hash places it. Addresses of one Service, and of Services that share one
 * of them, have the same: so a dual-stack Service is answered for by one node where the same nodes may, also
 * when an IPv6-only Service shares half of it. It is the first address of the Service, as with MetalLB; of several
 * Services the lowest of these, IPv4 before IPv6.
 */
export function placementKeys(services: readonly ServiceFacts[]): ReadonlyMap<string, string> {
  const parent = new Map<string, string>();
  const rootOf = (address: string): string => {
    const above = parent.get(address) ?? address;
    return above === address ? address : rootOf(above);
  };
  for (const { addresses } of services) {
    const roots = [...new Set(addresses.map(rootOf))].sort(compareAddresses);
    for (const address of [...addresses, ...roots]) parent.set(address, roots[0] ?? address);
  }
  const keys = new Map<string, string>();
  for (const [first] of services.map(({ addresses }) => addresses)) {
    if (first === undefined) continue;
    const root = rootOf(first);
    const known = keys.get(root);
    if (known === undefined || compareAddresses(first, known) < 0) keys.set(root, first);
  }
  return new Map(
    [...parent.keys()].map(address => [address, keys.get(rootOf(address)) ?? address]),
  );
}

/** Orders addresses in canonical text: IPv4 before IPv6, then by value. */
export function compareAddresses(a: string, b: string): number {
  return compareParsed(parseAddress(a), parseAddress(b));
}

/** What belongs to an address. */
export type Addressed<T> = {
  readonly address: string;
  /** Undefined if it is none. */
  readonly ip: IpAddress | undefined;
  readonly value: T;
};

/** Sorts what belongs to addresses by these, each read once: every plan sorts them all. */
export function sortByAddress<T>(entries: Iterable<readonly [string, T]>): readonly Addressed<T>[] {
  return [...entries]
    .map(([address, value]) => ({ address, ip: parseAddress(address), value }))
    .sort((a, b) => compareParsed(a.ip, b.ip));
}

function compareParsed(left: IpAddress | undefined, right: IpAddress | undefined): number {
  if (!left || !right || left.family !== right.family) {
    return (left?.family ?? "").localeCompare(right?.family ?? "");
  }
  return left.value < right.value ? -1 : Number(left.value > right.value);
}
