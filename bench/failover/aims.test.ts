import { describe, expect, it } from "vitest";
import { aimsOf, linesOf, measuredOf } from "./aims";
import type { Case } from "./cases";
import type { Figures } from "./trial";

const of: Case = {
  title: "a cut",
  event: { run: () => Promise.resolve({}) },
  subjects: ["ancho"],
  limits: { "ms each": 100, lost: 0 },
};
const SAMPLE = { outageMs: 1, failed: 0 };
const trial = (figures: Figures) => ({ samples: [SAMPLE, SAMPLE], figures });

describe("measuredOf", () => {
  const ramp = Array.from({ length: 99 }, (_, i) => i + 1);
  const trials = [
    trial({ "ms each": ramp, lost: 0 }),
    trial({ "ms each": ramp.map(() => 50), lost: 0 }),
    trial({ "ms each": [...ramp.map(() => 50), 400], lost: 2 }),
  ];
  const measured = measuredOf(trials, { of, subject: "ancho", nodes: 10 });

  it("puts lists of all runs together, and of single values takes the greatest", () => {
    expect(aimsOf([measured]).map(({ name, value, holds }) => [name, value, holds])).toEqual([
      ["a cut, 10 nodes: ms each", 98, true],
      ["a cut, 10 nodes: lost", 2, false],
    ]);
  });

  it("tells of the slowest run as well", () => {
    expect(aimsOf([measured])[0]?.peers).toEqual({
      times: 3,
      p50: 50,
      "p99 of the slowest run": 99,
    });
    expect(linesOf(measured).at(-2)).toBe(
      "ancho, 10 nodes, a cut: ms each: 98, p50: 50, p99 of the slowest run: 99",
    );
  });
});
