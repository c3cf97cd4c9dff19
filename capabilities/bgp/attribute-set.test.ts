import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attributeSet } from "./attribute-set";

describe("attributes of a route", () => {
  it("metallb 38: have communities in the order of their numbers, not of their text", () => {
    const { attributes } = attributeSet({
      communities: ["1:5", "0:2345", "0:1234", "0:20000"],
      largeCommunities: ["1235:0:0", "1234:10:0", "1234:1:0", "1234:0:1", "1234:0:0"],
    });
    expect(attributes.communities).toEqual(["0:1234", "0:2345", "0:20000", "1:5"]);
    expect(attributes.largeCommunities).toEqual([
      ...["1234:0:0", "1234:0:1", "1234:1:0", "1234:10:0", "1235:0:0"],
    ]);
  });

  it("have one key, however their communities were listed and how often", () => {
    const part = fc.integer({ min: 0, max: 0xffff });
    const community = fc.tuple(part, part).map(parts => parts.join(":"));
    fc.assert(
      fc.property(fc.array(community), fc.integer(), (communities, seed) => {
        const again = [...communities, ...communities].sort(
          (a, b) => ((a.length * seed) % 7) - ((b.length * seed) % 5),
        );
        expect(attributeSet({ communities: again }).key).toBe(attributeSet({ communities }).key);
      }),
    );
  });
});
