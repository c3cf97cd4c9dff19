import type { SessionNews } from "./sessions";

/** What users are told of a session. */
export type Telling = {
  readonly type: "Normal" | "Warning";
  readonly reason: "BGPSessionUp" | "BGPSessionDown" | "BGPSessionFailed";
  readonly message: string;
};

/** Reasons of failed attempts that are told of one outage. */
const MOST_REASONS = 5;

/**
 * Tells transitions, and nothing twice: that a session came up, that it went down and why, and of the attempts to
 * bring it up again each reason once.
 */
export function createTeller(node: string): (news: SessionNews) => Telling | undefined {
  const told = new Map<string, Set<string>>();
  return ({ peer, change }) => {
    if (change.type === "up") {
      told.delete(peer);
      const message = `the BGP session of node ${node} is established`;
      return { type: "Normal", reason: "BGPSessionUp", message };
    }
    const reasons = told.get(peer) ?? new Set();
    told.set(peer, reasons);
    const isNews = change.wasUp || (!reasons.has(change.reason) && reasons.size < MOST_REASONS);
    reasons.add(change.reason);
    if (!isNews) return undefined;
    const [reason, text] = change.wasUp
      ? (["BGPSessionDown", "went down"] as const)
      : (["BGPSessionFailed", "cannot be established"] as const);
    const message = `the BGP session of node ${node} ${text}: ${change.reason}`;
    return { type: "Warning", reason, message };
  };
}
