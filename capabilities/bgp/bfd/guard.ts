/** What BFD means for a BGP session (RFC 5882 sections 3.2, 4.2 and 10.2). */
import { Cease } from "../wire/codes";
import type { Notification } from "../wire/notification";
import type { Bfd, BfdStatus, BfdWatch } from "./bfd";
import type { BfdOptions, BfdTimers } from "./options";

/** How a peer is watched. */
export type PeerBfd = BfdTimers &
  Pick<BfdOptions, "isMultihop" | "minimumTtl"> & {
    /** No BGP session before BFD is up; otherwise a peer without BFD is spoken to as well. */
    readonly isStrict?: boolean;
  };

/** Whether BGP may go on, and whether BFD was up, so that its end would be news. */
export type GuardState = { readonly isOpen: boolean; readonly wasUp: boolean };

export type GuardEvent =
  | { readonly type: "status"; readonly status: Pick<BfdStatus, "state" | "remoteState"> }
  /** BFD has been down for so long that the peer may no longer have it. */
  | { readonly type: "patienceOver" };

/**
 * Closes for a neighbor that was there and is gone, and opens when it is back. One that has taken BFD down on
 * purpose has not failed, and one that never had it cannot.
 */
export function stepGuard(guard: GuardState, event: GuardEvent, isStrict: boolean): GuardState {
  if (event.type === "patienceOver") return { ...guard, isOpen: guard.isOpen || !isStrict };
  const { state, remoteState } = event.status;
  if (state === "Up") return { isOpen: true, wasUp: true };
  if (remoteState === "AdminDown") return { isOpen: guard.isOpen || !isStrict, wasUp: false };
  return { isOpen: guard.isOpen && !guard.wasUp, wasUp: false };
}

/** The BGP session that is guarded. */
export type GuardedSession = {
  start(): void;
  /** Drops it, if it is up, for this reason, and keeps it down. */
  stop(notification: Notification, reason: string): void;
};

export type Guard = {
  /** The session is up. */
  established(): void;
  /** Undefined before BFD has begun. */
  status(): BfdStatus | undefined;
  configure(timers: BfdTimers): void;
  /** The neighbor is told that BFD ends on purpose. */
  close(): Promise<void>;
};

const CEASE = 6;
/**
 * A neighbor that still has BFD is heard within 3 s of the path's return, since both send once a second. One that
 * made its session for BGP's sake alone, as FRR does for neighbors of a `bgp listen range`, has none before we dial.
 */
export const PATIENCE_MS = 5_000;

/**
 * Starts the session as soon as BFD allows it, begins with BFD when it is up for the first time (FRR, which makes
 * its own session anew then, would take one that is up already for a failure), and stops it when BFD is down (Cease,
 * BFD Down: RFC 9384), until it is up again, or for the patience: a peer that has no BFD any more would be lost for
 * good. Where BFD is to be strict it comes first.
 *
 * @throws RangeError that names an option that is out of its range
 */
export function guardSession(
  bfd: Bfd,
  options: BfdOptions & PeerBfd,
  session: GuardedSession,
): Guard {
  const isStrict = options.isStrict ?? false;
  let guard: GuardState = { isOpen: !isStrict, wasUp: false };
  let patience: NodeJS.Timeout | undefined;
  let watch: BfdWatch | undefined;
  let timers: BfdTimers = options;

  function take(event: GuardEvent, reason: string): void {
    const before = guard;
    guard = stepGuard(before, event, isStrict);
    if (before.isOpen === guard.isOpen) return;
    clearTimeout(patience);
    if (guard.isOpen) {
      session.start();
      return;
    }
    const data = new Uint8Array();
    session.stop(
      { type: "notification", code: CEASE, subcode: Cease.BfdDown, data },
      `BFD is down: ${reason}`,
    );
    patience = setTimeout(() => {
      take({ type: "patienceOver" }, "");
    }, PATIENCE_MS);
  }

  function begin(): void {
    watch ??= bfd.watch({ ...options, ...timers }, status => {
      take({ type: "status", status }, status.reason);
    });
  }

  if (isStrict) begin();
  else session.start();
  return {
    established: begin,
    status: () => watch?.status(),
    configure: changed => {
      timers = changed;
      watch?.configure(changed);
    },
    close: async () => {
      clearTimeout(patience);
      await watch?.close();
    },
  };
}
