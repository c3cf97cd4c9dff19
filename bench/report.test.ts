import { describe, expect, it } from "vitest";
import { median, percentile, round } from "./report";

describe("median", () => {
  it.each([
    [[3], 3],
    [[1, 9, 2], 2],
    [[4, 1, 3, 2], 2.5],
  ])("of %j is %d", (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it("refuses to make one up", () => {
    expect(() => median([])).toThrow("no values");
  });
});

describe("percentile", () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);

  it.each([
    [hundred, 50, 50],
    [hundred, 99, 99],
    [hundred, 100, 100],
    [hundred, 0, 1],
    [[7, 5], 50, 5],
    [[7, 5], 99, 7],
  ])("of %j at %d is %d", (values, p, expected) => {
    expect(percentile(values, p)).toBe(expected);
  });

  it("refuses to make one up", () => {
    expect(() => percentile([], 50)).toThrow("no values");
  });
});

describe("round", () => {
  it.each([
    [0.123456, 0.123],
    [98765, 98800],
  ])("%d → %d", (value, expected) => {
    expect(round(value)).toBe(expected);
  });
});
