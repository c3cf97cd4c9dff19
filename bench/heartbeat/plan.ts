import type { Claim } from "../../capabilities/announce/membership/membership";

/** Who is there, and who answers for what. Member 0 is the one that is measured. */

export const ADDRESSES = 1000;
/** The network of the members, beside that of the two hosts. */
export const MEMBERS_NET = "172.31.0.0/22";

export function memberName(index: number): string {
  return `m${index}`;
}

export function memberAddress(index: number): string {
  return `172.31.${index >> 8}.${index & 255}`;
}

export function addressOf(index: number): string {
  return `10.99.${index >> 8}.${index & 255}`;
}

/** The addresses are dealt out in turn. */
export function claimsOf(member: number, members: number): readonly Claim[] {
  return Array.from({ length: ADDRESSES }, (_, i) => i)
    .filter(i => i % members === member)
    .map(i => ({ address: addressOf(i), epoch: 1 }));
}
