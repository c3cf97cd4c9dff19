import { hash } from "node:crypto";

/** A node that may answer for an address. `score`: sum of the preferences it matches, 0 for none. */
export type Candidate = { readonly node: string; readonly score: number };

/**
 * Orders the candidates for an address; the first one answers for it. Higher scores come first, equal
 * scores by sha256(node + "#" + address) ascending, which is MetalLB's order: nodes that see the same
 * facts agree without talking, and different addresses land on different nodes.
 *
 * @param address canonical text of the address, as `formatAddress` writes it
 */
export function rankCandidates(
  candidates: readonly Candidate[],
  address: string,
): readonly Candidate[] {
  // At rest every address has one holder, and there is nothing to hash.
  if (candidates.length < 2) return candidates;
  return candidates
    .map(candidate => ({ candidate, rank: placementHash(candidate.node, address) }))
    .sort((a, b) => b.candidate.score - a.candidate.score || Buffer.compare(a.rank, b.rank))
    .map(({ candidate }) => candidate);
}

function placementHash(node: string, address: string): Buffer {
  return hash("sha256", `${node}#${address}`, "buffer");
}
