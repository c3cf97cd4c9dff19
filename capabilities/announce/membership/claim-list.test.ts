import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NO_CLAIMS, claimsAfter } from "./claim-list";
import { pagesOf } from "./claim-page";

const claims = (count: number, epoch: number) =>
  Array.from({ length: count }, (_, i) => ({ address: `fd00::${(i + 1).toString(16)}`, epoch }));

describe("claimsAfter", () => {
  it("the list counts when all pages are there, in whatever order, doubled or not", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 200 }),
        fc.infiniteStream(fc.nat()),
        (count, random) => {
          const pages = pagesOf(7, claims(count, 1));
          const order = pages
            .flatMap(page => [page, page])
            .map(page => ({ page, at: random.next().value as number }))
            .sort((a, b) => a.at - b.at);
          const seen = new Set<number>();
          order.reduce((list, { page }) => {
            const next = claimsAfter(list, page);
            seen.add(page.index);
            expect(next.claims).toEqual(seen.size === pages.length ? claims(count, 1) : []);
            return next;
          }, NO_CLAIMS);
        },
      ),
    );
  });

  it("until a new list is whole, the one before it holds; pages of two lists do not mix", () => {
    const old = pagesOf(1, claims(60, 1)).reduce(claimsAfter, NO_CLAIMS);
    const [second, third] = [pagesOf(2, claims(90, 2)), pagesOf(3, claims(90, 3))];
    const mixed = [second[0]!, third[1]!, third[2]!].reduce(claimsAfter, old);
    expect(mixed.claims).toEqual(claims(60, 1));
    expect(claimsAfter(mixed, third[0]!).claims).toEqual(claims(90, 3));
  });
});
