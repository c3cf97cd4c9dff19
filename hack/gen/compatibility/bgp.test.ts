import { describe, expect, it } from "vitest";
import { bgpNumbers } from "./bgp";
import { bgpAssertions } from "./bgp-assertions";

describe("numbers of duties in the names of tests", () => {
  it("are found in both ways of writing them, and each file once", () => {
    const found = bgpNumbers([
      { path: "a", text: 'it("bgp 1, 2: does")\nit("bgp#2 does")' },
      { path: "b", text: '"signed, when we dial (bgp 2)" "the bgp 64500"' },
    ]);
    expect([...found].filter(([number]) => number < 96)).toEqual([
      [1, ["a"]],
      [2, ["a", "b"]],
    ]);
  });

  it("go up to 95", () => {
    expect(bgpAssertions).toHaveLength(95);
  });
});
