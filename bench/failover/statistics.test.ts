import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { percentile, summarize } from "./statistics";

describe("percentile", () => {
  it.each([
    [[5], 50, 5],
    [[1, 2, 3, 4], 50, 2],
    [[4, 3, 2, 1], 51, 3],
    [[1, 2, 3], 99, 3],
    [[1, 2, 3], 0, 1],
    [Array.from({ length: 200 }, (_, i) => i + 1), 99, 198],
  ])("of %j at %d is %d", (values, percent, expected) => {
    expect(percentile(values, percent)).toBe(expected);
  });

  it("is a value that so many percent do not exceed, and no smaller one is", () => {
    const some = fc.array(fc.integer(), { minLength: 1 });
    fc.assert(
      fc.property(some, fc.integer({ min: 1, max: 100 }), (values, percent) => {
        const found = percentile(values, percent);
        const share = (limit: (v: number) => boolean) =>
          values.filter(limit).length / values.length;
        expect(values).toContain(found);
        expect(share(v => v <= found)).toBeGreaterThanOrEqual(percent / 100);
        expect(share(v => v < found)).toBeLessThan(percent / 100);
      }),
    );
  });

  it("refuses to make one up", () => {
    expect(() => percentile([], 50)).toThrow("no values");
  });
});

describe("summarize", () => {
  it("adds up failures and ranks outages", () => {
    const samples = [
      { outageMs: 200, failed: 40 },
      { outageMs: 0, failed: 0 },
      { outageMs: 300, failed: 60 },
    ];
    const expected = { times: 3, p50: 200, p90: 300, p99: 300, max: 300, failed: 100 };
    expect(summarize(samples)).toEqual(expected);
  });
});
