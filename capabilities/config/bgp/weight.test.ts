import { describe, expect, it } from "vitest";
import { WEIGHT, weighsEndpoints, weightFindings } from "./weight";

describe("what routes are weighed by", () => {
  it("is nothing, or endpoints where that is said", () => {
    expect(weighsEndpoints(undefined)).toBe(false);
    expect(weighsEndpoints({ other: "endpoints" })).toBe(false);
    expect(weighsEndpoints({ [WEIGHT]: "endpoints" })).toBe(true);
    expect(weightFindings({ [WEIGHT]: "endpoints" })).toEqual([]);
    expect(weightFindings({})).toEqual([]);
  });

  it.each(["", "Endpoints", "true", "nodes"])("is not said by %j", text => {
    expect(weighsEndpoints({ [WEIGHT]: text })).toBe(false);
    expect(weightFindings({ [WEIGHT]: text })).toEqual([
      {
        field: `metadata.annotations[${WEIGHT}]`,
        value: text,
        problem: "is nothing that routes can be weighed by",
        remedy: 'write "endpoints", or remove it for routes of equal weight',
      },
    ]);
  });
});
