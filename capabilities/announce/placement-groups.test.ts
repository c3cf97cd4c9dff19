import { describe, expect, it } from "vitest";
import { service } from "./fixtures";
import { compareAddresses, placementKeys } from "./placement-groups";

const V4 = "10.20.30.7";
const V6 = "fd00::7";

describe("placementKeys", () => {
  const keysOf = (...lists: readonly (readonly string[])[]) =>
    Object.fromEntries(placementKeys(lists.map((list, i) => service(`s${i}`, list))));

  it("an address alone is its own", () => {
    expect(keysOf([V4], [V6])).toEqual({ [V4]: V4, [V6]: V6 });
  });

  it("a dual-stack Service is placed by its first address, of whichever family, as with MetalLB", () => {
    expect(keysOf([V4, V6])).toEqual({ [V4]: V4, [V6]: V4 });
    expect(keysOf([V6, V4])).toEqual({ [V4]: V6, [V6]: V6 });
  });

  it("Services that share an address have one key, in whatever order they come", () => {
    const chain = [[V4, V6], [V6], [V6, "10.20.30.9"]];
    const expected = { [V4]: V4, [V6]: V4, "10.20.30.9": V4 };
    expect(keysOf(...chain)).toEqual(expected);
    expect(keysOf(...[...chain].reverse())).toEqual(expected);
  });
});

describe("compareAddresses", () => {
  it("orders by family, then by value and not by text", () => {
    const sorted = ["fd00::", "10.0.0.10", "10.0.0.9", "fc00::1"].sort(compareAddresses);
    expect(sorted).toEqual(["10.0.0.9", "10.0.0.10", "fc00::1", "fd00::"]);
  });
});
