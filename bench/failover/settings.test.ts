import { describe, expect, it } from "vitest";
import { readSettings } from "./settings";

const choices = { cases: ["cut", "drain"], subjects: ["ancho", "keepalived"] } as const;

describe("readSettings", () => {
  it("takes everything, 30 times, unless told otherwise", () => {
    const { timesOf, ...all } = readSettings([], choices);
    expect(all).toEqual({ ...choices, nodes: [3, 10], minutes: 10 });
    expect(timesOf("cut")).toBe(30);
    const args = ["--cases=drain", "--subjects", "ancho", "--nodes=5", "--minutes=.5"];
    const some = { cases: ["drain"], subjects: ["ancho"], nodes: [5], minutes: 0.5 };
    expect(readSettings(args, choices)).toMatchObject(some);
  });

  it("takes a number of times for all cases, and others for some", () => {
    const { timesOf } = readSettings(["--times=5,drain=12"], choices);
    expect(["cut", "drain"].map(timesOf)).toEqual([5, 12]);
  });

  it.each([
    ["--cases=cut,dig", '--cases has "dig": give some of cut,drain'],
    ["--subjects=", '--subjects has "": give some of ancho,keepalived'],
    ["--nodes=1", '--nodes is "1"'],
    ["--nodes=3,x", '--nodes is "3,x"'],
    ["--times=0", '--times has "0"'],
    ["--times=3,dig=2", '--times has "dig"'],
    ["--times=3,cut", '--times has ""'],
    ["--minutes=-1", '--minutes is "-1"'],
    ["--time=3", "--time"],
  ])("refuses %s", (arg, message) => {
    expect(() => readSettings([arg], choices)).toThrow(message);
  });
});
