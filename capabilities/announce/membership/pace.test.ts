import { describe, expect, it } from "vitest";
import { intervalFactor } from "./pace";

describe("intervalFactor", () => {
  const idle = (peers: number) => intervalFactor({ phase: "active", owns: false, peers });

  it.each([
    [0, 1],
    [31, 1],
    [32, 2],
    [99, 4],
    [999, 10],
  ])("who answers for nothing among %d peers sends every %d intervals", (peers, factor) => {
    expect(idle(peers)).toBe(factor);
  });

  it("who answers for an address, starts or leaves sends every interval", () => {
    expect(intervalFactor({ phase: "active", owns: true, peers: 999 })).toBe(1);
    expect(intervalFactor({ phase: "starting", owns: false, peers: 999 })).toBe(1);
    expect(intervalFactor({ phase: "leaving", owns: false, peers: 999 })).toBe(1);
  });
});
