import { claimsOf } from "./claim-page";
import type { ClaimPage } from "./claim-page";
import type { Claim } from "./membership";

/**
 * What a peer answers for, put together from pages. The list counts when all its pages are there; until then
 * the one before it does.
 */
export type ClaimList = {
  readonly claims: readonly Claim[];
  /** Number of the list that `claims` is; undefined before the first. */
  readonly list: number | undefined;
  readonly partial: {
    readonly list: number;
    readonly pages: ReadonlyMap<number, ClaimPage>;
  };
};

export const NO_CLAIMS: ClaimList = {
  claims: [],
  list: undefined,
  partial: { list: -1, pages: new Map() },
};

/** Takes in a page; pages may come in any order and more than once. */
export function claimsAfter(before: ClaimList, page: ClaimPage): ClaimList {
  if (page.list === before.list) return before;
  const known = before.partial.list === page.list ? before.partial.pages : new Map<number, never>();
  const pages = new Map<number, ClaimPage>(known).set(page.index, page);
  if (pages.size < page.pages) return { ...before, partial: { list: page.list, pages } };
  const all = Array.from({ length: page.pages }, (_, index) => pages.get(index));
  const claims = all.flatMap(part => (part ? claimsOf(part) : []));
  return { claims, list: page.list, partial: NO_CLAIMS.partial };
}
