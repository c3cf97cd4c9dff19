import { describe, expect, it } from "vitest";
import { lossRules } from "./heartbeats";

describe("lossRules", () => {
  it.each([
    [{ direction: "both", percent: 100 }, ["hook input", "hook output"], "udp dport 7946 drop"],
    [{ direction: "in", percent: 20 }, ["hook input"], "numgen random mod 1000 < 200 drop"],
    [{ direction: "out", percent: 0.5 }, ["hook output"], "numgen random mod 1000 < 5 drop"],
  ] as const)("%j", (loss, hooks, rule) => {
    const text = lossRules(loss);
    expect(text.match(/hook (input|output)/g)).toEqual(hooks);
    expect(text).toContain(rule);
  });
});
