import { describe, expect, it } from "vitest";
import { median, round } from "./report";

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

describe("round", () => {
  it.each([
    [0.123456, 0.123],
    [98765, 98800],
  ])("%d → %d", (value, expected) => {
    expect(round(value)).toBe(expected);
  });
});
