import { sameRouterConflict } from "../../config/bgp/conflicts";
import type { BgpPeer } from "../../config/bgp/peer";
import type { ConfigError } from "../../config/config-error";

/**
 * Of a node's peers that are the same router, the first: a router has one session with a node and refuses a second.
 * Admission refuses such peers; nodes that get other labels later can still bring two of them together.
 *
 * @param peers sorted by name
 */
export function withoutRivals(
  peers: readonly BgpPeer[],
  namespace = "",
): { readonly peers: readonly BgpPeer[]; readonly errors: readonly ConfigError[] } {
  const kept: BgpPeer[] = [];
  const errors: ConfigError[] = [];
  for (const peer of peers) {
    const conflict = kept
      .map(other => sameRouterConflict(peer, other, [], namespace))
      .find(error => error !== undefined);
    if (conflict) errors.push(conflict);
    else kept.push(peer);
  }
  return { peers: kept, errors };
}
