import { describe, expect, it } from "vitest";
import { rulesFor } from "./bgp-secrets";

/** What it does on a cluster is in e2e/bgp.test.ts. */
describe("the right to read passwords", () => {
  it("is for Secrets by name, and to read them only", () => {
    expect(rulesFor(["a", "b"])).toEqual([
      {
        ...{ apiGroups: [""], resources: ["secrets"], resourceNames: ["a", "b"] },
        verbs: ["get", "list", "watch"],
      },
    ]);
  });

  it("is none without names: a rule without resourceNames would be for all Secrets", () => {
    expect(rulesFor([])).toEqual([]);
  });
});
