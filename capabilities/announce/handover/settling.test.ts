import { describe, expect, it } from "vitest";
import { NOTHING_SETTLED, SETTLE_MS, nextSettling } from "./settling";
import type { Settling } from "./settling";

const IP = "10.20.30.1";

/** n2's state after it saw a trail and who answers. */
function see(before: Settling, nodes: string, answers: string, now: number): Settling {
  return nextSettling(before, {
    ...{ me: "n2", now },
    trails: new Map([[IP, { epoch: now, nodes: nodes.split(" ") }]]),
    holders: new Map([[IP, answers.split(" ").map(node => ({ node, epoch: 1 }))]]),
  });
}
const used = (state: Settling): string | undefined => state.used.get(IP)?.nodes.join(" ");

describe("nextSettling", () => {
  const owner = see(NOTHING_SETTLED, "n2 n3", "n2", 0);

  it("uses the first trail, and the owner's own, at once", () => {
    expect(used(owner)).toBe("n2 n3");
    const former = see(NOTHING_SETTLED, "n3 n2", "n3", 0);
    expect(used(see(former, "n2 n3", "n3", 0))).toBe("n2 n3");
  });

  it("sends what it does not track to the one that takes the address back, until clients know that", () => {
    let state = owner;
    for (const [now, answers] of [
      [10, "n2"],
      [20, "n2 n3"],
      [100_000, "n2 n3"],
    ] as const) {
      state = see(state, "n3 n2", answers, now);
      expect(used(state)).toBe("n2 n3");
    }
    state = see(state, "n3 n2", "n3", 200_000);
    expect([...state.restSince]).toEqual([[IP, 200_000]]);
    state = see(state, "n3 n2", "n3", 200_000 + SETTLE_MS - 1);
    expect(used(state)).toBe("n2 n3");
    state = see(state, "n3 n2", "n3", 200_000 + SETTLE_MS);
    expect(used(state)).toBe("n3 n2");
    expect(state.restSince.size).toBe(0);
  });

  it("begins to wait anew when others answer again", () => {
    const resting = see(owner, "n3 n2", "n3", 10);
    const disturbed = see(see(resting, "n3 n2", "n2 n3", 20), "n3 n2", "n3", 30);
    expect([...disturbed.restSince]).toEqual([[IP, 30]]);
  });

  it("waits for nothing when only the count differs", () => {
    expect(see(owner, "n2 n3", "n2", 9).used.get(IP)?.epoch).toBe(9);
  });
});
