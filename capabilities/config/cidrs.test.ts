import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cidrRange, formatAddress, parseRange } from "./address";
import type { AddressRange } from "./address";
import { rangeToCidrs } from "./cidrs";

const texts = (range: AddressRange) =>
  rangeToCidrs(range).map(({ address, length }) => `${formatAddress(address)}/${length}`);

const bounds = fc.tuple(fc.bigInt(0n, 2n ** 32n - 1n), fc.bigInt(0n, 2n ** 32n - 1n));

describe("rangeToCidrs", () => {
  it("metallb 3: cuts 3.3.3.2-3.3.3.254 into the same pieces in the same order", () => {
    expect(texts(parseRange("3.3.3.2-3.3.3.254") as AddressRange)).toEqual([
      "3.3.3.2/31",
      "3.3.3.4/30",
      "3.3.3.8/29",
      "3.3.3.16/28",
      "3.3.3.32/27",
      "3.3.3.64/26",
      "3.3.3.128/26",
      "3.3.3.192/27",
      "3.3.3.224/28",
      "3.3.3.240/29",
      "3.3.3.248/30",
      "3.3.3.252/31",
      "3.3.3.254/32",
    ]);
  });

  it("leaves the whole of a family in one piece", () => {
    expect(texts(cidrRange({ family: "ipv4", value: 0n }, 0))).toEqual(["0.0.0.0/0"]);
    expect(texts(cidrRange({ family: "ipv6", value: 0n }, 0))).toEqual(["::/0"]);
  });

  it("covers the range without gap or overlap, and no two pieces could be one", () => {
    fc.assert(
      fc.property(bounds, ([a, b]) => {
        const range = { family: "ipv4", first: a < b ? a : b, last: a < b ? b : a } as const;
        const pieces = rangeToCidrs(range).map(({ address, length }) => cidrRange(address, length));
        expect(pieces[0]?.first).toBe(range.first);
        expect(pieces.at(-1)?.last).toBe(range.last);
        pieces.slice(1).forEach((piece, i) => {
          const before = pieces[i]!;
          expect(piece.first).toBe(before.last + 1n);
          const size = before.last - before.first + 1n;
          const sameSize = piece.last - piece.first + 1n === size;
          expect(sameSize && before.first % (2n * size) === 0n).toBe(false);
        });
      }),
    );
  });
});
