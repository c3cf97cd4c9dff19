import { ADDRESS_BITS } from "./address";
import type { AddressRange, IpAddress } from "./address";

/** A prefix: its first address and its length in bits. */
export type Cidr = { readonly address: IpAddress; readonly length: number };

/** The fewest CIDRs that hold exactly the range, in ascending order; at most two per bit of the family. */
export function rangeToCidrs(range: AddressRange): readonly Cidr[] {
  const { family, last } = range;
  const cidrs: Cidr[] = [];
  for (let value = range.first; value <= last; ) {
    const hostBits = widestAt(value, last, ADDRESS_BITS[family]);
    cidrs.push({ address: { family, value }, length: ADDRESS_BITS[family] - hostBits });
    value += 1n << BigInt(hostBits);
  }
  return cidrs;
}

// How many host bits a prefix that begins at `first` can have without passing `last`.
function widestAt(first: bigint, last: bigint, bits: number): number {
  let hostBits = 0;
  const fits = (n: number): boolean => {
    const size = 1n << BigInt(n);
    return first % size === 0n && first + size - 1n <= last;
  };
  while (hostBits < bits && fits(hostBits + 1)) hostBits += 1;
  return hostBits;
}
