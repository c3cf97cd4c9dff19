import { describe, expect, it } from "vitest";
import { addTallies, tallyVitest } from "./tally";

const report = (...files: { status: string; tests: [name: string, status: string][] }[]): string =>
  JSON.stringify({
    testResults: files.map((file, i) => ({
      name: `file${i}`,
      status: file.status,
      assertionResults: file.tests.map(([fullName, status]) => ({ fullName, status })),
    })),
  });

describe("tallyVitest", () => {
  it("counts what passed", () => {
    const text = report({
      status: "passed",
      tests: [
        ["a", "passed"],
        ["b", "passed"],
      ],
    });
    expect(tallyVitest("unit", true, text)).toEqual({ passed: 2, failures: [] });
  });

  it("counts a skipped test as failed", () => {
    const text = report({
      status: "passed",
      tests: [
        ["a", "passed"],
        ["b", "skipped"],
      ],
    });
    expect(tallyVitest("unit", true, text)).toEqual({ passed: 1, failures: ["unit: b"] });
  });

  it("names a file that did not load", () => {
    const text = report(
      { status: "passed", tests: [["a", "passed"]] },
      { status: "failed", tests: [] },
    );
    expect(tallyVitest("e2e", false, text).failures).toEqual(["e2e: file1 did not load"]);
  });

  it("does not call a run green that failed outside its tests", () => {
    const text = report({ status: "passed", tests: [["a", "passed"]] });
    expect(tallyVitest("e2e", false, text).failures).toHaveLength(1);
  });

  it("does not call a run green that ran nothing", () => {
    expect(tallyVitest("unit", true, report()).failures).toEqual(["unit: no test passed"]);
    expect(tallyVitest("unit", true, undefined).failures).toEqual(["unit: no test report"]);
  });
});

describe("addTallies", () => {
  it("adds", () => {
    expect(
      addTallies([
        { passed: 1, failures: ["x"] },
        { passed: 2, failures: [] },
      ]),
    ).toEqual({ passed: 3, failures: ["x"] });
  });
});
