import { describe, expect, it } from "vitest";
import { matchesAny, matchesSelector } from "./selector";
import type { LabelSelector, SelectorRequirement } from "./selector";

const labels = { app: "web", rack: "a" };
const expression = (requirement: SelectorRequirement): LabelSelector => ({
  matchExpressions: [requirement],
});

describe("matchesSelector", () => {
  it.each<[string, LabelSelector, boolean]>([
    ["an empty selector", {}, true],
    ["equal labels", { matchLabels: { app: "web" } }, true],
    ["another value", { matchLabels: { app: "db" } }, false],
    ["a missing label", { matchLabels: { tier: "x" } }, false],
    ["In", expression({ key: "rack", operator: "In", values: ["a", "b"] }), true],
    ["In with other values", expression({ key: "rack", operator: "In", values: ["b"] }), false],
    ["In for a missing label", expression({ key: "x", operator: "In", values: ["b"] }), false],
    ["NotIn", expression({ key: "rack", operator: "NotIn", values: ["b"] }), true],
    ["NotIn with the value", expression({ key: "rack", operator: "NotIn", values: ["a"] }), false],
    ["NotIn for a missing label", expression({ key: "x", operator: "NotIn", values: ["a"] }), true],
    ["Exists", expression({ key: "rack", operator: "Exists" }), true],
    ["Exists for a missing label", expression({ key: "x", operator: "Exists" }), false],
    ["DoesNotExist", expression({ key: "x", operator: "DoesNotExist" }), true],
    ["DoesNotExist for a label", expression({ key: "rack", operator: "DoesNotExist" }), false],
    [
      "conditions of which one fails",
      {
        matchLabels: { app: "web" },
        matchExpressions: [{ key: "rack", operator: "DoesNotExist" }],
      },
      false,
    ],
  ])("judges %s", (_, selector, matches) => {
    expect(matchesSelector(selector, labels)).toBe(matches);
  });

  it("takes no labels for an object without labels", () => {
    expect(matchesSelector({}, undefined)).toBe(true);
    expect(matchesSelector({ matchLabels: { app: "web" } }, undefined)).toBe(false);
  });

  it("does not take what every JavaScript object inherits for a label", () => {
    expect(matchesSelector(expression({ key: "constructor", operator: "Exists" }), labels)).toBe(
      false,
    );
  });
});

describe("matchesAny", () => {
  it("is an OR, and an empty list means all", () => {
    expect(matchesAny([], labels)).toBe(true);
    expect(
      matchesAny([{ matchLabels: { app: "db" } }, { matchLabels: { app: "web" } }], labels),
    ).toBe(true);
    expect(matchesAny([{ matchLabels: { app: "db" } }], labels)).toBe(false);
  });
});
