import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ASKED_OF_MUTE, ASKED_PER_ROUND, NO_CASES, isGone, nextRound } from "./witness";
import type { Suspects, Witness } from "./witness";

const A = "10.0.0.1";
const B = "10.0.0.2";
const suspect = (...addresses: readonly string[]): Suspects => new Map([["n2", addresses]]);

/** Plays rounds in which these are answered. */
function play(suspects: Suspects, rounds: readonly (readonly string[])[]): Witness {
  return rounds.reduce(
    (witness, answered) => nextRound(witness, suspects, new Set(answered)).witness,
    NO_CASES,
  );
}

describe("nextRound", () => {
  it("condemns an owner after three questions without an answer", () => {
    const rounds = [[], [], []];
    expect(isGone(play(suspect(A, B), rounds), "n2", A)).toBe(false);
    const gone = play(suspect(A, B), [...rounds, []]);
    expect([isGone(gone, "n2", A), isGone(gone, "n2", B)]).toEqual([true, true]);
    expect(isGone(gone, "n3", A)).toBe(false);
  });

  it("an answer for any of its addresses shows that its kernel lives, and the count starts over", () => {
    const rounds = [[], [], [], [A], [], []];
    expect(isGone(play(suspect(A), rounds), "n2", A)).toBe(false);
    expect(isGone(play(suspect(A), [...rounds, []]), "n2", A)).toBe(true);
  });

  it("an address alone is gone when it is not answered for and others are", () => {
    const witness = play(suspect(A, B), [[], [B], [B], [B]]);
    expect([isGone(witness, "n2", A), isGone(witness, "n2", B)]).toEqual([true, false]);
  });

  it("who is suspected no more is forgotten", () => {
    const gone = play(suspect(A), [[], [], [], []]);
    const heard = nextRound(gone, new Map(), new Set());
    expect(heard).toEqual({ witness: new Map(), ask: [] });
    expect(isGone(nextRound(heard.witness, suspect(A), new Set()).witness, "n2", A)).toBe(false);
    expect(nextRound(NO_CASES, suspect(), new Set()).witness.size).toBe(0);
  });

  const many = Array.from({ length: 1000 }, (_, i) => `fd00::${i.toString(16)}`);

  it("asks a mute owner for some addresses only, and one who counts as gone for one", () => {
    let witness = NO_CASES;
    const counts = [0, 1, 2, 3, 4].map(() => {
      const next = nextRound(witness, suspect(...many), new Set());
      witness = next.witness;
      return next.ask.length;
    });
    expect(counts).toEqual([ASKED_OF_MUTE, ASKED_OF_MUTE, ASKED_OF_MUTE, 1, 1]);
    const answered = nextRound(witness, suspect(...many), new Set([many[0]!]));
    expect(answered.ask.length).toBe(ASKED_PER_ROUND);
    expect(isGone(answered.witness, "n2", many[9]!)).toBe(false);
  });

  it("asks one who answers for few addresses at a time, and for all in turn", () => {
    const asked = new Set<string>();
    let { witness } = nextRound(NO_CASES, suspect(...many), new Set());
    for (let i = 0; i < Math.ceil(many.length / ASKED_PER_ROUND); i++) {
      const next = nextRound(witness, suspect(...many), new Set([many[0]!]));
      expect(next.ask.length).toBe(ASKED_PER_ROUND);
      next.ask.forEach(address => asked.add(address));
      witness = next.witness;
    }
    expect(asked.size).toBe(many.length);
  });

  it("never condemns an owner that answers one question of three, whoever else is suspected", () => {
    const pattern = fc.array(fc.boolean(), { minLength: 3, maxLength: 60 });
    fc.assert(
      fc.property(pattern, answers => {
        const suspects = new Map([
          ["n2", [A]],
          ["n3", [B]],
        ]);
        let witness = NO_CASES;
        let lost = 0;
        for (const isAnswered of answers) {
          const isHeard = isAnswered || lost === 2;
          lost = isHeard ? 0 : lost + 1;
          witness = nextRound(witness, suspects, new Set(isHeard ? [A] : [])).witness;
          expect(isGone(witness, "n2", A)).toBe(false);
        }
        if (answers.length > 3) expect(isGone(witness, "n3", B)).toBe(true);
      }),
    );
  });
});
