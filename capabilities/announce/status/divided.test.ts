import { describe, expect, it } from "vitest";
import type { Member } from "../membership/membership";
import { IN_COMPANY, isCutOff, nextSolitude, unheardNodes } from "./divided";

const member = (node: string, over: Partial<Member> = {}): Member => ({
  ...{ node, phase: "active", health: "silent", claims: [], interfaces: ["eth0"] },
  ...over,
});
const ready = (name: string) => ({ name, notReadySince: undefined });
const nodes = ["n1", "n2", "n3"].map(ready);

describe("unheardNodes", () => {
  it("are silent and Ready", () => {
    const late = member("n3", { health: "late" });
    expect([...unheardNodes([member("n2"), late], nodes)]).toEqual(["n2"]);
  });

  it("are not those that said that they leave, that are not Ready, or that are no nodes any more", () => {
    const left = member("n2", { phase: "leaving" });
    const gone = [ready("n1"), ready("n2"), { name: "n3", notReadySince: 1 }];
    expect(unheardNodes([left, member("n3"), member("n4")], gone).size).toBe(0);
  });
});

describe("solitude", () => {
  const ask = (alive: readonly string[], unheard: readonly string[], now: number) => ({
    ...{ me: "n1", now },
    ...{ alive: new Set(alive), unheard: new Set(unheard) },
  });
  const alone = nextSolitude(IN_COMPANY, ask(["n1"], ["n2", "n3"], 1_000));

  it("begins when the last one is heard no more, and is carried on", () => {
    expect(alone).toEqual({ since: 1_000 });
    expect(nextSolitude(alone, ask(["n1"], ["n2", "n3"], 9_000))).toEqual(alone);
    expect(nextSolitude(alone, ask(["n1", "n2"], ["n3"], 9_000))).toEqual(IN_COMPANY);
  });

  it("is none of two nodes: that the other one is gone is as likely", () => {
    expect(nextSolitude(IN_COMPANY, ask(["n1"], ["n2"], 1_000))).toEqual(IN_COMPANY);
  });

  it("ends when Kubernetes holds the others for gone", () => {
    expect(nextSolitude(alone, ask(["n1"], [], 9_000))).toEqual(IN_COMPANY);
  });

  it("is taken for being cut off for a minute, and not for ever: the others may be gone after all", () => {
    expect(isCutOff(IN_COMPANY, 1_000)).toBe(false);
    expect(isCutOff(alone, 1_000)).toBe(true);
    expect(isCutOff(alone, 60_999)).toBe(true);
    expect(isCutOff(alone, 61_000)).toBe(false);
  });
});
