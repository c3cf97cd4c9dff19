import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isGood, measureOutage } from "./outage";

const series = (text: string, step = 10) =>
  Array.from(text, (c, i) =>
    c === "+" ? { at: i * step, ok: true } : { at: i * step, ok: false, failure: "reset" },
  );

describe("measureOutage", () => {
  it.each([
    ["", { attempts: 0, failed: 0, outageMs: 0 }],
    ["++++", { attempts: 4, failed: 0, outageMs: 0 }],
    ["++--++", { attempts: 6, failed: 2, outageMs: 30 }],
    ["+-+--+", { attempts: 6, failed: 3, outageMs: 30 }],
    ["++--", { attempts: 4, failed: 2, outageMs: 20 }],
    ["--++", { attempts: 4, failed: 2, outageMs: 20 }],
  ])("%s", (text, expected) => {
    const failures = text.includes("-") ? ["reset"] : [];
    expect(measureOutage(series(text))).toEqual({ ...expected, failures });
  });

  it("does not depend on the order in which attempts ended", () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean()).chain(oks => {
          const attempts = oks.map((ok, i) => ({ at: i * 7, ok }));
          return fc.tuple(
            fc.constant(attempts),
            fc.shuffledSubarray(attempts, { minLength: attempts.length }),
          );
        }),
        ([attempts, shuffled]) => {
          expect(measureOutage(shuffled)).toEqual(measureOutage(attempts));
        },
      ),
    );
  });
});

describe("isGood", () => {
  it.each([
    ["++++", true],
    ["--++", true],
    ["-+-+", false],
    ["+++-", false],
    ["", false],
    ["++", false],
  ])("of %s, by its last two of four: %s", (text, expected) => {
    expect(isGood(series(text), 30, 20)).toBe(expected);
  });
});
