import { describe, expect, it } from "vitest";
import { movesBetween } from "./moves";
import type { Fate } from "./moves";
import { LINGER_MS, NOTHING_OWNED, nextOwnership, withoutAddresses } from "./ownership";
import type { Ownership } from "./ownership";
import { planAddresses } from "./plan";
import type { Plan } from "./plan";
import { input, service } from "./fixtures";

const IP = "10.20.30.1";
const planOf = (alive: readonly string[], services = [service("web", [IP])]): Plan =>
  planAddresses(input({ services, alive: new Set(alive) }));
const BOTH = planOf(["iris1", "iris2"]); // iris2 owns .1
const ALONE = planOf(["iris1"]);
const NOBODY = planOf(["iris1", "iris2"], []);

/** iris1's next state; `claims` is what others said that they answer for. */
function next(before: Ownership, plan: Plan, now: number, claims: readonly string[] = []) {
  const isClaimedBy = (address: string, node: string) => claims.includes(`${node} ${address}`);
  const isWithheld = () => false;
  return nextOwnership(before, { plan, me: "iris1", now, isClaimedBy, isWithheld });
}

describe("nextOwnership", () => {
  const held = next(NOTHING_OWNED, ALONE, 0);
  const claimed = [`iris2 ${IP}`];

  it("owns what the plan gives it", () => {
    expect([...held.owned]).toEqual([[IP, "all"]]);
    expect(next(NOTHING_OWNED, BOTH, 0).owned.size).toBe(0);
  });

  it("does not answer for what is withheld, whether it did before or not", () => {
    const input = { plan: ALONE, me: "iris1", now: 0, isClaimedBy: () => false };
    for (const before of [NOTHING_OWNED, held]) {
      expect(nextOwnership(before, { ...input, isWithheld: ip => ip === IP })).toEqual(
        NOTHING_OWNED,
      );
    }
  });

  it("answers on, however long it takes, until the new owner answers", () => {
    const moving = next(held, BOTH, 100);
    expect([...moving.owned.keys()]).toEqual([IP]);
    expect(next(moving, BOTH, 1e9)).toEqual(moving);
    expect(next(moving, BOTH, 1e9, [`iris3 ${IP}`])).toEqual(moving);
  });

  it("lets go a little after the new owner answers", () => {
    const seen = next(next(held, BOTH, 100), BOTH, 200, claimed);
    expect(seen.lingering.get(IP)).toBe(200 + LINGER_MS);
    const still = next(seen, BOTH, 250, claimed);
    expect(still).toEqual(seen);
    expect(next(still, BOTH, 200 + LINGER_MS, claimed)).toEqual(NOTHING_OWNED);
  });

  it("answers on when the new owner takes its word back, or goes", () => {
    const seen = next(held, BOTH, 100, claimed);
    expect(next(seen, BOTH, 1000).lingering.get(IP)).toBe(Infinity);
    expect(next(seen, ALONE, 1000)).toEqual(held);
  });

  it("lets go at once of what nobody is to answer for", () => {
    expect(next(held, NOBODY, 100)).toEqual(NOTHING_OWNED);
  });

  it("is the owner again when the address comes back while it lingers", () => {
    expect(next(next(held, BOTH, 100), ALONE, 200)).toEqual(held);
  });
});

describe("withoutAddresses", () => {
  it("lets go at once, of what lingers as well", () => {
    const moving = next(next(NOTHING_OWNED, ALONE, 0), BOTH, 100);
    expect(moving.lingering.size).toBe(1);
    expect(withoutAddresses(moving, new Set([IP]))).toEqual(NOTHING_OWNED);
    expect(withoutAddresses(moving, new Set(["10.20.30.2"]))).toEqual(moving);
  });
});

describe("movesBetween", () => {
  const well = (): undefined => undefined;

  it("names the cause of each move", () => {
    const cause = (before: Plan | undefined, after: Plan, fate?: Fate) =>
      movesBetween(before, after, () => fate)[0]?.cause;
    expect(cause(undefined, BOTH)).toBe("the announcer of iris2 started");
    expect(cause(NOBODY, BOTH)).toBe("first owner");
    expect(cause(BOTH, ALONE, "silent")).toBe("iris2 went silent");
    expect(cause(BOTH, ALONE, "leaving")).toBe("iris2 said that it leaves");
    expect(cause(BOTH, ALONE, "removed")).toBe("the Node iris2 was deleted");
    expect(cause(ALONE, BOTH)).toBe("configuration, Services, endpoints or nodes changed");
  });

  it("is empty where the owner stays", () => {
    expect(movesBetween(BOTH, BOTH, () => "silent")).toEqual([]);
    expect(movesBetween(BOTH, NOBODY, well)).toEqual([]);
  });

  it("says from whom and to whom", () => {
    expect(movesBetween(BOTH, ALONE, well)).toMatchObject([
      { address: IP, from: "iris2", to: "iris1" },
    ]);
  });
});
