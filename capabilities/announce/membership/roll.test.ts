import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { beat } from "./fixtures";
import type { Member } from "./membership";
import { createRoll, membersAfter } from "./roll";
import type { Roll } from "./roll";

const nonce = (): bigint => 77n;

function prove(roll: Roll, node: string, now = 0): void {
  roll.hear(beat({ node }), { now, nonce });
  roll.hear(beat({ node, sequence: 2n, answers: 77n }), { now, nonce });
}

describe("createRoll", () => {
  it("tells what changed, once", () => {
    const roll = createRoll(0);
    roll.retain(new Set(["n2"]));
    expect(roll.takeChanges()).toBeUndefined();
    prove(roll, "n2");
    expect(roll.takeChanges()).toMatchObject({ changed: [{ node: "n2" }], gone: [] });
    roll.hear(beat({ sequence: 3n }), { now: 10, nonce });
    expect(roll.takeChanges()).toBeUndefined();
  });

  it("forgets who is no node of the cluster any more, and says so if it was a member", () => {
    const roll = createRoll(0);
    roll.retain(new Set(["n2", "n3"]));
    prove(roll, "n2");
    roll.retain(new Set());
    expect(roll.takeChanges()).toEqual({ changed: [], gone: ["n2"] });
    expect([roll.has("n2"), roll.members()]).toEqual([false, []]);
  });

  it("sees a pause of its own and does not hold it against anybody", () => {
    const roll = createRoll(0);
    prove(roll, "n2");
    expect(roll.sweep(12, 50)).toBe(0);
    expect(roll.sweep(10_000, 50)).toBe(9988);
    expect(roll.members()).toMatchObject([{ health: "heard" }]);
  });

  it("nobody turns before the next turn it tells, and somebody does at it", () => {
    const roll = createRoll(0);
    expect(roll.nextTurn()).toBe(Infinity);
    prove(roll, "n2", 0);
    prove(roll, "n3", 20);
    const turns: number[] = [];
    for (let now = 20; now <= 200; now++) {
      const [before, isDue] = [roll.members(), now >= roll.nextTurn()];
      roll.sweep(now, 50);
      const isTurned = roll.members().some((member, at) => member !== before[at]);
      expect(isTurned).toBe(isDue);
      if (isTurned) turns.push(now);
    }
    expect(turns).toEqual([75, 95, 150, 170]);
    expect(roll.nextTurn()).toBe(Infinity);
  });

  it("whoever follows the changes knows the members", () => {
    const node = fc.constantFrom("n1", "n2", "n3");
    const step = fc.oneof(
      fc.record({ do: fc.constant("hear" as const), node }),
      fc.record({ do: fc.constant("wait" as const), ms: fc.nat(100) }),
      fc.record({ do: fc.constant("retain" as const), nodes: fc.uniqueArray(node) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), steps => {
        const roll = createRoll(0);
        let known: ReadonlyMap<string, Member> = new Map();
        let now = 0;
        for (const one of steps) {
          if (one.do === "hear") prove(roll, one.node, now);
          else if (one.do === "retain") roll.retain(new Set(one.nodes));
          else now += one.ms;
          roll.sweep(now, 50);
          const changes = roll.takeChanges();
          if (changes) known = membersAfter(known, changes);
          const byName = (a: Member, b: Member): number => a.node.localeCompare(b.node);
          expect([...known.values()].sort(byName)).toEqual([...roll.members()].sort(byName));
        }
      }),
    );
  });
});
