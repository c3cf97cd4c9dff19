import { describe, expect, it } from "vitest";
import { sections } from "./behaviours";
import { differences, shownBy } from "./evidence";

describe("shownBy", () => {
  it("finds one or several numbers in the names of tests, each file once", () => {
    const files = [
      { path: "a.test.ts", text: 'it("metallb 44,45: x")\nit("metallb 45: y")' },
      { path: "b.test.ts", text: 'it("metallb 45, 46: z")\nit("leaves metallb#2887 alone")' },
    ];
    expect([...shownBy(files)]).toEqual([
      [44, ["a.test.ts"]],
      [45, ["a.test.ts", "b.test.ts"]],
      [46, ["b.test.ts"]],
    ]);
  });
});

describe("differences", () => {
  it("finds the numbers that items begin with, and no others", () => {
    expect([...differences("- **47, 48** no native mode\n- not **49**\n| **50** |")]).toEqual([
      47, 48,
    ]);
  });
});

describe("sections", () => {
  it("number the behaviours without a gap", () => {
    const next = sections.reduce((expected, { first, behaviours }) => {
      expect(first).toBe(expected);
      return expected + behaviours.length;
    }, 1);
    expect(next).toBe(184);
  });
});
