import type { Claim } from "./membership";
import type { ClaimPage } from "./packet";

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
    readonly pages: ReadonlyMap<number, readonly Claim[]>;
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
  const pages = new Map<number, readonly Claim[]>(known).set(page.index, page.claims);
  if (pages.size < page.pages) return { ...before, partial: { list: page.list, pages } };
  const claims = Array.from({ length: page.pages }, (_, index) => pages.get(index) ?? []).flat();
  return { claims, list: page.list, partial: NO_CLAIMS.partial };
}
