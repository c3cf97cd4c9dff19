import { describe, expect, it } from "vitest";
import { FAMILIES, readHeld, rulesetOf, trialOf } from "./ruleset";

const held = new Map([
  ["10.20.30.1", "7 . n2"],
  ["fd00::1", "3 n2 ."],
]);
const previous = new Map([["10.20.30.1", "10.20.30.12"]]);

// That the kernel takes it and does what it says is shown on kernels, in interop.
describe("rulesetOf", () => {
  const text = rulesetOf({ held, previous }, FAMILIES);

  it("has each address in the table of its family, with its note and its way", () => {
    expect(text).toContain('add element ip ancho held { 10.20.30.1 comment "7 . n2" }');
    expect(text).toContain("add element ip ancho previous { 10.20.30.1 : 10.20.30.12 }");
    expect(text).toContain('add element ip6 ancho held { fd00::1 comment "3 n2 ." }');
    expect(text).not.toContain("add element ip6 ancho previous");
  });

  it("replaces what is there", () => {
    for (const what of ["chain ip ancho handover", "set ip ancho held", "map ip ancho previous"]) {
      expect(text.indexOf(`flush ${what}`)).toBeGreaterThan(text.indexOf(`add ${what}`));
      expect(text.indexOf(`flush ${what}`)).toBeLessThan(text.indexOf("add element ip "));
    }
  });

  it("removes a table that has nothing to do, and leaves families alone that cannot", () => {
    const only = new Map([["10.20.30.1", "7 ."]]);
    const both = rulesetOf({ held: only, previous: new Map() }, FAMILIES);
    expect(both).toContain("add table ip6 ancho\ndelete table ip6 ancho\n");
    expect(both).not.toContain("delete table ip ancho");
    expect(rulesetOf({ held, previous }, ["ipv4"])).not.toContain("ip6");
    expect(rulesetOf({ held, previous }, [])).toBe("");
  });
});

describe("trialOf", () => {
  it("makes all that is needed, under another name, and removes it", () => {
    const text = trialOf("ipv6");
    expect(text).toContain("dup to ip6 daddr map @previous drop");
    expect(text.endsWith("delete table ip6 ancho-trial\n")).toBe(true);
  });
});

describe("readHeld", () => {
  const set = (elem?: unknown): string =>
    JSON.stringify({
      nftables: [{ metainfo: {} }, { set: { name: "held", ...(elem ? { elem } : {}) } }],
    });

  it("reads elements with their comments", () => {
    const elem = [
      { elem: { val: "10.20.30.1", comment: "7 . n2" } },
      { elem: { val: "10.20.30.2" } },
    ];
    expect(readHeld(set(elem))).toEqual([
      ["10.20.30.1", "7 . n2"],
      ["10.20.30.2", ""],
    ]);
  });

  it.each([set(), set([]), set(["10.20.30.1"]), set([{ elem: { val: { prefix: {} } } }]), "{}"])(
    "reads nothing from %s",
    text => {
      expect(readHeld(text)).toEqual([]);
    },
  );
});
