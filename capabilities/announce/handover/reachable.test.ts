import { describe, expect, it } from "vitest";
import type { Member } from "../membership/membership";
import { SILENCE_MS, isReachable, nextSilences } from "./reachable";

const member = (over: Partial<Member>): Member => ({
  ...{ node: "n1", phase: "active", health: "heard", claims: [], interfaces: [] },
  ...over,
});
const n1 = { name: "n1", notReadySince: undefined };

function reach(
  over: Partial<Member> | undefined,
  silentMs: number,
  node: Parameters<typeof isReachable>[0] = n1,
) {
  const members = over ? [member(over)] : [];
  const before = nextSilences(new Map(), { nodes: [n1], members, now: 1000 });
  const silences = nextSilences(before, { nodes: [n1], members, now: 1000 + silentMs });
  return isReachable(node, { members, silences, now: 1000 + silentMs });
}

describe("isReachable", () => {
  it.each([
    ["heard", { health: "heard" }, Infinity, true],
    ["late", { health: "late" }, Infinity, true],
    ["silent, perhaps only restarted", { health: "silent" }, SILENCE_MS - 1, true],
    ["silent for long", { health: "silent" }, SILENCE_MS, false],
    ["never heard", undefined, SILENCE_MS, false],
    ["gone in order, as in an upgrade", { health: "silent", phase: "leaving" }, 600_000, true],
  ] as const)("a node that is %s", (_, over, ms, expected) => {
    expect(reach(over, ms)).toBe(expected);
  });

  it("a node that left and is not Ready", () => {
    const node = { name: "n1", notReadySince: 5 };
    expect(reach({ health: "silent", phase: "leaving" }, SILENCE_MS, node)).toBe(false);
  });

  it("a node that was heard again", () => {
    const silent = { nodes: [n1], members: [member({ health: "silent" })], now: 0 };
    const before = nextSilences(new Map(), silent);
    expect([...before]).toEqual([["n1", 0]]);
    expect(nextSilences(before, { ...silent, members: [member({})], now: 9 }).size).toBe(0);
  });
});
