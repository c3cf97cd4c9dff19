import type { VirtualIP } from "../../config/kinds/virtual-ip";

/** The condition of a Service that says whether the LAN was seen to reach its addresses where they are to be. */
export const REACHABLE = "Reachable";

export type Reachable = {
  readonly status: "True" | "False" | "Unknown";
  readonly reason: ReachableReason;
  readonly message: string;
};

export type ReachableReason =
  | "OwnerAnswers"
  | "NotObserved"
  | "NotAnnounced"
  | "NobodyAnswers"
  | "AnotherAnswers"
  | "SeveralAnswer";

/** An address that layer 2 is to deliver. */
export type Delivered = {
  readonly address: string;
  /** The node that is to answer; undefined if none is. */
  readonly owner: string | undefined;
  /** What its VirtualIP says. */
  readonly status: VirtualIP["status"];
};

/** So long after a move what was seen before it is not held against the new owner, ms. */
const MOVE_GRACE_MS = 10_000;

/**
 * What another node than the owner sees of the addresses when it asks the LAN. The worst of them counts; where nothing
 * is known after a move, what was said before holds.
 *
 * @param before what the Service says now
 * @returns undefined for a Service of which layer 2 delivers nothing: what routers do with a route is not seen
 */
export function reachableOf(
  addresses: readonly Delivered[],
  { before, now }: { readonly before: Reachable | undefined; readonly now: number },
): Reachable | undefined {
  if (addresses.length === 0) return undefined;
  const views = addresses.map(one => viewOf(one, now));
  const faults = views.flatMap(view => (view.kind === "wrong" ? [view] : []));
  const [first] = faults;
  if (first) {
    const message = faults.map(({ text }) => text).join("; ");
    return { status: "False", reason: first.reason, message };
  }
  if (views.some(({ kind }) => kind === "unknown")) return before ?? NOT_OBSERVED;
  const message = `Another node sees the owner answer for ${views.map(v => v.text).join(" and ")}`;
  return { status: "True", reason: "OwnerAnswers", message };
}

const NOT_OBSERVED: Reachable = {
  ...{ status: "Unknown", reason: "NotObserved" },
  message: "No other node has asked the LAN yet who answers",
};

type View =
  | { readonly kind: "right" | "unknown"; readonly text: string }
  | { readonly kind: "wrong"; readonly text: string; readonly reason: ReachableReason };

function viewOf({ address, owner, status }: Delivered, now: number): View {
  if (owner === undefined) {
    return wrong("NotAnnounced", `${address}: no node answers for it, as Announced tells`);
  }
  const seen = seenOf(owner, status, now);
  if (seen === owner) return { kind: "right", text: address };
  const by = `as node ${status?.observedOwner?.seenBy ?? "?"} sees it`;
  if (seen === undefined) return { kind: "unknown", text: address };
  if (seen === "nobody") {
    return wrong("NobodyAnswers", `${address}: node ${owner} is to answer and does not, ${by}`);
  }
  const isAmong = seen.split(" and ").includes(owner);
  return isAmong
    ? wrong("SeveralAnswer", `${address}: ${seen} answer, ${by}, and only ${owner} is to`)
    : wrong("AnotherAnswers", `${address}: ${seen} answers, ${by}, and ${owner} is to`);
}

/** Who was seen to answer; undefined if that says nothing of the present owner. */
function seenOf(owner: string, status: VirtualIP["status"], now: number): string | undefined {
  const { seen, observedOwner, intendedOwner } = status ?? {};
  if (intendedOwner?.node !== owner || observedOwner?.seenBy === owner) return undefined;
  const movedAt = timeOf(intendedOwner);
  const isOfBefore = timeOf(observedOwner) < movedAt && now - movedAt < MOVE_GRACE_MS;
  return seen === owner || !isOfBefore ? seen : undefined;
}

function wrong(reason: ReachableReason, text: string): View {
  return { kind: "wrong", reason, text };
}

function timeOf(said: { readonly since?: string } | undefined): number {
  return said?.since === undefined ? 0 : Date.parse(said.since);
}
