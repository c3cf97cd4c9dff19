import { describe, expect, it } from "vitest";
import { readSettings } from "./settings";

const choices = { cases: ["cut", "drain"], subjects: ["ancho", "keepalived"] } as const;

describe("readSettings", () => {
  it("takes everything, 30 times, unless told otherwise", () => {
    const all = { ...choices, nodes: [3, 10], times: 30, minutes: 10 };
    expect(readSettings([], choices)).toEqual(all);
    const args = ["--cases=drain", "--subjects", "ancho", "--nodes=5", "--times=2", "--minutes=.5"];
    const some = { cases: ["drain"], subjects: ["ancho"], nodes: [5], times: 2, minutes: 0.5 };
    expect(readSettings(args, choices)).toEqual(some);
  });

  it.each([
    ["--cases=cut,dig", '--cases has "dig": give some of cut,drain'],
    ["--subjects=", '--subjects has "": give some of ancho,keepalived'],
    ["--nodes=1", '--nodes is "1"'],
    ["--nodes=3,x", '--nodes is "3,x"'],
    ["--times=0", '--times is "0"'],
    ["--minutes=-1", '--minutes is "-1"'],
    ["--time=3", "--time"],
  ])("refuses %s", (arg, message) => {
    expect(() => readSettings([arg], choices)).toThrow(message);
  });
});
