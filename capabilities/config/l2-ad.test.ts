import { describe, expect, it } from "vitest";
import { formatConfigError } from "./config-error";
import { parseL2Ad, preferenceFor, resolvePools } from "./l2-ad";
import type { L2Ad } from "./l2-ad";

const raw = (spec?: unknown) => ({
  metadata: { name: "ad", namespace: "metallb-system" },
  ...(spec === undefined ? {} : { spec }),
});
const requirement = (operator: string, ...values: readonly string[]) => ({
  matchExpressions: [{ key: "rack", operator, ...(values.length > 0 ? { values } : {}) }],
});

function valid(spec?: unknown): L2Ad {
  const parsed = parseL2Ad(raw(spec));
  if (!parsed.ok) throw new Error(parsed.errors.map(formatConfigError).join("\n"));
  return resolvePools(parsed.value, []);
}

function sentences(spec: unknown): readonly string[] {
  const parsed = parseL2Ad(raw(spec));
  return parsed.ok ? [] : parsed.errors.map(formatConfigError);
}

describe("parseL2Ad", () => {
  it("takes one without a spec: all pools, nodes, interfaces and Services", () => {
    expect(valid()).toEqual({
      name: "ad",
      pools: [],
      nodeSelectors: [],
      interfaces: [],
      serviceSelectors: [],
      preferredNodes: [],
    });
  });

  it("metallb 42: keeps interfaces; none means all", () => {
    expect(valid({ interfaces: ["eth0", "eth1"] }).interfaces).toEqual(["eth0", "eth1"]);
    expect(valid({ interfaces: [] }).interfaces).toEqual([]);
  });

  it("metallb 43: names of interfaces are a set", () => {
    expect(valid({ interfaces: ["eth0", "eth1", "eth0"] }).interfaces).toEqual(["eth0", "eth1"]);
  });

  it.each([
    [
      "metallb 34: a pool twice",
      { ipAddressPools: ["a", "b", "a"] },
      'spec.ipAddressPools[2] "a" repeats spec.ipAddressPools[0]',
    ],
    [
      "metallb 41: a pool selector twice",
      { ipAddressPoolSelectors: [{ matchLabels: { a: "b" } }, { matchLabels: { a: "b" } }] },
      "spec.ipAddressPoolSelectors[1]",
    ],
    [
      "metallb 41: a node selector twice, its values in another order",
      { nodeSelectors: [requirement("In", "a", "b"), requirement("In", "b", "a")] },
      "spec.nodeSelectors[1]",
    ],
    [
      "metallb 41: a value twice",
      { nodeSelectors: [requirement("In", "quux", "quux")] },
      'spec.nodeSelectors[0].matchExpressions[0].values[1] "quux" repeats',
    ],
    [
      "metallb 41: an expression twice",
      {
        nodeSelectors: [
          {
            matchExpressions: [
              { key: "a", operator: "Exists" },
              { key: "a", operator: "Exists" },
            ],
          },
        ],
      },
      "spec.nodeSelectors[0].matchExpressions[1]",
    ],
    [
      "metallb 44: an unknown operator in a preference",
      { preferredNodeSelectors: [{ weight: 1, preference: requirement("surrounds", "a") }] },
      'spec.preferredNodeSelectors[0].preference.matchExpressions[0].operator "surrounds" is not one of the allowed values; write one of In, NotIn, Exists, DoesNotExist.',
    ],
    [
      "a weight of 101",
      { preferredNodeSelectors: [{ weight: 101, preference: {} }] },
      "spec.preferredNodeSelectors[0].weight 101 is too big; write at most 100.",
    ],
    [
      "a weight of 1.5",
      { preferredNodeSelectors: [{ weight: 1.5, preference: {} }] },
      "spec.preferredNodeSelectors[0].weight 1.5 has the wrong type; write a whole number.",
    ],
    [
      "In without values",
      { serviceSelectors: [requirement("In")] },
      "spec.serviceSelectors[0].matchExpressions[0].values is empty, but the operator In compares with values",
    ],
    [
      "Exists with values",
      { serviceSelectors: [requirement("Exists", "a")] },
      'spec.serviceSelectors[0].matchExpressions[0].values ["a"] is given, but the operator Exists takes no values',
    ],
    [
      "a key that is none",
      { nodeSelectors: [{ matchExpressions: [{ key: "a b", operator: "Exists" }] }] },
      'spec.nodeSelectors[0].matchExpressions[0].key "a b" is not a label key',
    ],
    [
      "an empty key",
      { nodeSelectors: [{ matchExpressions: [{ key: "", operator: "Exists" }] }] },
      'spec.nodeSelectors[0].matchExpressions[0].key "" is not a label key',
    ],
    [
      "a key with an empty prefix",
      { nodeSelectors: [{ matchLabels: { "/name": "a" } }] },
      "is not a label key",
    ],
    [
      "a value that is none",
      { nodeSelectors: [{ matchLabels: { rack: "-a-" } }] },
      'spec.nodeSelectors[0].matchLabels.rack "-a-" is not a label value',
    ],
    [
      "no key",
      { nodeSelectors: [{ matchExpressions: [{ operator: "Exists" }] }] },
      "spec.nodeSelectors[0].matchExpressions[0].key is missing",
    ],
    [
      "no operator",
      { nodeSelectors: [{ matchExpressions: [{ key: "a" }] }] },
      "spec.nodeSelectors[0].matchExpressions[0].operator is missing; write one of In",
    ],
  ])("refuses %s", (_, spec, sentence) => {
    expect(sentences(spec)).toHaveLength(1);
    expect(sentences(spec)[0]).toContain(`L2Advertisement metallb-system/ad: `);
    expect(sentences(spec)[0]).toContain(sentence);
  });

  it("takes keys and values as Kubernetes does", () => {
    const matchLabels = { "kubernetes.io/hostname": "NodeA", a: "", "x.y/z_1": "1.2-3" };
    expect(valid({ nodeSelectors: [{ matchLabels }] }).nodeSelectors).toEqual([{ matchLabels }]);
  });
});

describe("preferenceFor", () => {
  const prefer = (weight: number, matchLabels: object) => ({ weight, preference: { matchLabels } });

  it("metallb 44: the weights that match add up", () => {
    const ad = valid({
      preferredNodeSelectors: [prefer(60, { role: "edge" }), prefer(50, { zone: "a" })],
    });
    expect(preferenceFor(ad, { role: "edge", zone: "a" })).toBe(110);
    expect(preferenceFor(ad, { role: "edge" })).toBe(60);
    expect(preferenceFor(ad, {})).toBe(0);
  });

  it("metallb 44: an empty preference is for every eligible node", () => {
    const ad = valid({ preferredNodeSelectors: [{ weight: 7, preference: {} }] });
    expect(preferenceFor(ad, { any: "thing" })).toBe(7);
  });

  it("metallb 44,45: a node that the advertisement does not allow has no score", () => {
    const ad = valid({
      nodeSelectors: [{ matchLabels: { role: "worker" } }],
      preferredNodeSelectors: [prefer(100, { role: "edge" })],
    });
    expect(preferenceFor(ad, { role: "edge" })).toBe(0);
    expect(preferenceFor(ad, { role: "worker" })).toBe(0);
  });

  it("metallb 45: selectors of Services do not change the score", () => {
    const ad = valid({
      serviceSelectors: [{ matchLabels: { app: "web" } }],
      preferredNodeSelectors: [prefer(10, { role: "edge" })],
    });
    expect(preferenceFor(ad, { role: "edge" })).toBe(10);
  });
});
