import { describe, expect, it } from "vitest";
import { NO_CONTESTS, announcedAgain, contestsOf } from "./contests";
import { input, service } from "./fixtures";
import type { Member } from "./membership/membership";
import { planAddresses } from "./plan";

const IP = "10.20.30.1";

/** iris1 alone is to have it. */
const MINE = planAddresses(input({ services: [service("web", [IP])], alive: new Set(["iris1"]) }));

const peer = (node: string, epoch: number, over: Partial<Member> = {}): Member => ({
  ...{ node, phase: "active", health: "heard", interfaces: ["eth0"] },
  claims: [{ address: IP, epoch }],
  ...over,
});

const standing = (own: number | undefined, ...members: readonly Member[]) => ({
  ...{ me: "iris1", members },
  claims: own === undefined ? [] : [{ address: IP, epoch: own }],
});

describe("contestsOf", () => {
  it.each([
    ["one that this node took later", 3, [2], [[IP, false]]],
    ["one that was taken at the same time, as on both sides of a partition", 2, [2], [[IP, false]]],
    ["one that another node took from this one", 2, [3], [[IP, true]]],
    ["one of several who took it later", 2, [1, 3], [[IP, true]]],
    ["one that this node is about to take", undefined, [7], [[IP, false]]],
    ["none without another who answers", 2, [], []],
  ] as const)("%s", (_, own, epochs, expected) => {
    const members = epochs.map((epoch, i) => peer(`iris${i + 2}`, epoch));
    expect([...contestsOf(MINE, standing(own, ...members))]).toEqual(expected);
  });

  it("none of those who are not heard, and none of what is others' by the plan", () => {
    const silent = peer("iris2", 1, { health: "silent" });
    expect(contestsOf(MINE, standing(2, silent))).toEqual(NO_CONTESTS);
    const theirs = { ...standing(2, peer("iris3", 1)), me: "iris2" };
    expect(contestsOf(MINE, theirs)).toEqual(NO_CONTESTS);
  });
});

describe("announcedAgain", () => {
  const earlier = new Map([[IP, false]]);
  const later = new Map([[IP, true]]);

  it.each([
    ["when somebody else answers", NO_CONTESTS, earlier, [IP]],
    ["not while that goes on", earlier, earlier, []],
    ["when it ends", earlier, NO_CONTESTS, [IP]],
    ["not when somebody takes it from this node, whose plan is late", NO_CONTESTS, later, []],
    ["but when that one gives it back", later, NO_CONTESTS, [IP]],
  ])("%s", (_, before, after, expected) => {
    expect(announcedAgain(before, after)).toEqual(expected);
  });
});
