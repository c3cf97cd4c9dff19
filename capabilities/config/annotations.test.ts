import { describe, expect, it } from "vitest";
import {
  ADDRESS_POOL,
  ASSIGNED,
  LOAD_BALANCER_IPS,
  legacyKey,
  readAnnotation,
} from "./annotations";

describe("readAnnotation", () => {
  it.each([
    ["none at all", undefined, undefined],
    ["none of ours", { a: "b" }, undefined],
    ["the new one", { "metallb.io/address-pool": "a" }, "a"],
    ["the legacy one", { "metallb.universe.tf/address-pool": "b" }, "b"],
    [
      "both: the new one wins",
      { "metallb.io/address-pool": "a", "metallb.universe.tf/address-pool": "b" },
      "a",
    ],
    [
      "an empty new one, which still wins",
      { "metallb.io/address-pool": "", "metallb.universe.tf/address-pool": "b" },
      "",
    ],
  ])("metallb#1.4: reads %s", (_, annotations, value) => {
    expect(readAnnotation(annotations, ADDRESS_POOL)).toBe(value);
  });

  it("knows legacy keys for MetalLB's annotations only", () => {
    expect(legacyKey(LOAD_BALANCER_IPS)).toBe("metallb.universe.tf/loadBalancerIPs");
    expect(legacyKey(ASSIGNED)).toBeUndefined();
  });
});
