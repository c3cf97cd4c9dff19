import { describe, expect, it } from "vitest";
import { rawPool } from "../fixtures";
import { neighbourWarnings, overlapRefusal } from "./neighbours";

const NONE = { nodes: [], serviceCidrs: [], podCidrs: [] };
const POOL = rawPool("a", ["10.0.0.0/24", "2001:db8::/120"]);

describe("overlapRefusal", () => {
  it("names both pools, the entry and what to do", () => {
    expect(overlapRefusal(POOL, [rawPool("b", ["10.0.0.128/25"])])).toBe(
      'IPAddressPool metallb-system/a: spec.addresses[0] "10.0.0.0/24" overlaps 10.0.0.128/25 of IPAddressPool b; take the addresses out of one of the two pools.',
    );
  });

  it.each([
    ["apart from it", rawPool("b", ["10.0.1.0/24"])],
    ["of its own name", rawPool("a", ["10.0.0.0/25"])],
    ["that cannot be read", rawPool("b", ["x"])],
  ])("is none beside a pool %s", (_, other) => {
    expect(overlapRefusal(POOL, [other])).toBeUndefined();
  });

  it("is none for a pool that cannot be read; others refuse that", () => {
    expect(overlapRefusal(rawPool("a", ["x"]), [POOL])).toBeUndefined();
  });
});

describe("neighbourWarnings", () => {
  it("is none where nothing is in the way", () => {
    const nodes = [{ name: "n1", addresses: ["10.0.1.1", "n1.example"] }];
    expect(neighbourWarnings(POOL, { ...NONE, nodes, serviceCidrs: ["10.96.0.0/12"] })).toEqual([]);
  });

  it("names the node whose address is in the pool", () => {
    const nodes = [{ name: "n1", addresses: ["10.0.0.7", "2001:db8::7"] }];
    expect(neighbourWarnings(POOL, { ...NONE, nodes })).toEqual([
      'IPAddressPool metallb-system/a: spec.addresses[0] "10.0.0.0/24" holds 10.0.0.7, an address of node n1; take those addresses out of the pool.',
      'IPAddressPool metallb-system/a: spec.addresses[1] "2001:db8::/120" holds 2001:db8::7, an address of node n1; take those addresses out of the pool.',
    ]);
  });

  it("names the prefixes of Services and of Pods", () => {
    const found = neighbourWarnings(POOL, {
      ...NONE,
      serviceCidrs: ["10.0.0.0/16"],
      podCidrs: ["10.0.0.64/26"],
    });
    expect(found[0]).toContain("overlaps 10.0.0.0/16, the cluster addresses of Services;");
    expect(found[1]).toContain("overlaps 10.0.0.64/26, the addresses of Pods;");
  });

  it("is bounded in a large cluster", () => {
    const nodes = Array.from({ length: 100 }, (_, i) => ({
      name: `n${i}`,
      addresses: [`10.0.0.${i}`],
    }));
    expect(neighbourWarnings(POOL, { ...NONE, nodes })).toHaveLength(5);
  });
});
