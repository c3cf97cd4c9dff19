import { describe, expect, it } from "vitest";
import { movesBetween } from "./moves";
import { LINGER_MS, NOTHING_OWNED, nextOwnership } from "./ownership";
import { planAddresses } from "./plan";
import type { Plan } from "./plan";
import { input, service } from "./fixtures";

const IP = "10.20.30.1";
const planOf = (alive: readonly string[], services = [service("web", [IP])]): Plan =>
  planAddresses(input({ services, alive: new Set(alive) }));
const BOTH = planOf(["iris1", "iris2"]); // iris2 owns .1
const ALONE = planOf(["iris1"]);
const NOBODY = planOf(["iris1", "iris2"], []);

describe("nextOwnership", () => {
  const held = nextOwnership(NOTHING_OWNED, { plan: ALONE, me: "iris1", now: 0 });

  it("owns what the plan gives it", () => {
    expect([...held.owned]).toEqual([[IP, "all"]]);
    expect(nextOwnership(NOTHING_OWNED, { plan: BOTH, me: "iris1", now: 0 }).owned.size).toBe(0);
  });

  it("goes on answering for a while when another node takes over, then lets go", () => {
    const moving = nextOwnership(held, { plan: BOTH, me: "iris1", now: 100 });
    expect([...moving.owned.keys()]).toEqual([IP]);
    expect(moving.lingering.get(IP)).toBe(100 + LINGER_MS);
    const still = nextOwnership(moving, { plan: BOTH, me: "iris1", now: 500 });
    expect(still.lingering.get(IP)).toBe(100 + LINGER_MS);
    const done = nextOwnership(still, { plan: BOTH, me: "iris1", now: 100 + LINGER_MS });
    expect(done).toEqual(NOTHING_OWNED);
  });

  it("lets go at once of what nobody is to answer for", () => {
    expect(nextOwnership(held, { plan: NOBODY, me: "iris1", now: 100 })).toEqual(NOTHING_OWNED);
  });

  it("is the owner again when the address comes back while it lingers", () => {
    const moving = nextOwnership(held, { plan: BOTH, me: "iris1", now: 100 });
    const back = nextOwnership(moving, { plan: ALONE, me: "iris1", now: 200 });
    expect(back).toEqual(held);
  });
});

describe("movesBetween", () => {
  it("names the cause of each move", () => {
    expect(movesBetween(undefined, BOTH, undefined)).toMatchObject([
      { to: "iris2", cause: "the announcer of iris2 started" },
    ]);
    expect(movesBetween(NOBODY, BOTH, undefined)).toMatchObject([{ cause: "first owner" }]);
    const silent = { joined: [], left: [{ node: "iris2", cause: "silent" }] } as const;
    expect(movesBetween(BOTH, ALONE, silent)).toEqual([
      { address: IP, from: "iris2", to: "iris1", cause: "iris2 went silent" },
    ]);
    const joined = { joined: ["iris2"], left: [] };
    expect(movesBetween(ALONE, BOTH, joined)).toMatchObject([
      { from: "iris1", to: "iris2", cause: "iris2 joined and comes first for this address" },
    ]);
    expect(movesBetween(ALONE, BOTH, undefined)).toMatchObject([
      { cause: "configuration, Services, endpoints or nodes changed" },
    ]);
  });

  it("is empty where the owner stays", () => {
    expect(movesBetween(BOTH, BOTH, { joined: ["x"], left: [] })).toEqual([]);
    expect(movesBetween(BOTH, NOBODY, undefined)).toEqual([]);
  });
});
