import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RECLAIM_AFTER, parseReclaimAfter, reclaimFindings } from "./reclaim-after";

const of = (text: string): Record<string, string> => ({ [RECLAIM_AFTER]: text });

describe("how long an address is kept", () => {
  it.each([
    ["10m", 600_000],
    ["1h30m", 5_400_000],
    ["45s", 45_000],
    ["1h0m1s", 3_601_000],
    ["0", 0],
    ["0s", 0],
  ])("%s is %d ms", (text, expected) => {
    expect(parseReclaimAfter(of(text))).toBe(expected);
    expect(reclaimFindings(of(text))).toEqual([]);
  });

  it("is ten minutes without a word about it", () => {
    expect(parseReclaimAfter(undefined)).toBe(600_000);
    expect(parseReclaimAfter({ other: "1s" })).toBe(600_000);
  });

  it.each(["", "10", "-5m", "5m 1s", "1s5m", "1.5h", "m", "ten minutes"])(
    "is not said by %j",
    text => {
      expect(parseReclaimAfter(of(text))).toBeUndefined();
      expect(reclaimFindings(of(text))).toMatchObject([
        { field: `metadata.annotations[${RECLAIM_AFTER}]`, value: text },
      ]);
    },
  );

  it("is a whole number of ms from 0, or nothing, whatever is written", () => {
    fc.assert(
      fc.property(fc.string(), text => {
        const ms = parseReclaimAfter(of(text));
        expect(ms === undefined || (Number.isSafeInteger(ms) && ms >= 0)).toBe(true);
      }),
    );
  });
});
