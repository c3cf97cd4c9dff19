import { pagesOf } from "./claim-page";
import type { ClaimPage } from "./claim-page";
import type { Claim } from "./membership";
import type { Heartbeat } from "./packet";

/** Heartbeats to test with. */

export const CLAIM: Claim = { address: "10.0.0.1", epoch: 3 };

/** A list of one page. */
export function pageOf(claims: readonly Claim[], list = 1): ClaimPage {
  const [page] = pagesOf(list, claims);
  if (!page) throw new Error("a list has a page at least");
  return page;
}

export function beat(over: Partial<Heartbeat> = {}): Heartbeat {
  return {
    node: "n2",
    phase: "active",
    bootId: 100n,
    sequence: 1n,
    asks: 0n,
    answers: 0n,
    intervalMs: 50,
    interfaces: ["eth0"],
    isToGroup: false,
    isDeaf: false,
    wantsWord: false,
    wantsAll: false,
    page: pageOf([CLAIM]),
    ...over,
  };
}
