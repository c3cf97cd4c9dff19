import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { ad, input, localService, node, service } from "./fixtures";
import type { Holder } from "./holders";
import { planAddresses } from "./plan";
import type { Plan } from "./plan";
import { nextRebalance } from "./rebalance";
import { createRebalancer } from "./rebalancer";

const NODES = ["n1", "n2", "n3"];
const ip = (i: number): string => `10.20.30.${i + 1}`;

/** A plan in which these nodes have so many addresses each. */
function planOf(
  loads: Readonly<Record<string, number>>,
  over: Parameters<typeof input>[0] = {},
): Plan {
  const owners = Object.entries(loads).flatMap(([name, count]) => Array<string>(count).fill(name));
  const holders = new Map<string, readonly Holder[]>(
    owners.map((name, i) => [ip(i), [{ node: name, epoch: 1 }]]),
  );
  const services = owners.map((_, i) => service(`s${i}`, [ip(i)]));
  const nodes = NODES.map(name => node(name));
  return planAddresses(input({ nodes, services, holders, placement: "spread", ...over }));
}

describe("nextRebalance", () => {
  it("takes from the node with the most and gives to the one with the fewest, and says why", () => {
    expect(nextRebalance(planOf({ n1: 4, n2: 2, n3: 1 }))).toEqual({
      ...{ addresses: [ip(0)], from: "n1", to: "n3" },
      cause: "rebalance: n1 had 4 and n3 1",
    });
  });

  it("leaves alone what is even but for one, since that would go back and forth", () => {
    expect(nextRebalance(planOf({ n1: 2, n2: 1, n3: 1 }))).toBeUndefined();
    expect(nextRebalance(planOf({}))).toBeUndefined();
  });

  it("moves only where the rules allow, and not away from what is preferred", () => {
    const local = { services: [0, 1].map(i => localService(`s${i}`, [ip(i)], ["n1"])) };
    expect(nextRebalance(planOf({ n1: 2 }, local))).toBeUndefined();
    const preference = { matchLabels: { name: "n1" } };
    const l2Ads = [ad("lan", { preferredNodes: [{ weight: 1, preference }] })];
    const preferring = { config: { ...input({}).config, l2Ads } };
    expect(nextRebalance(planOf({ n1: 3 }, preferring))).toBeUndefined();
  });

  it("moves both addresses of a dual-stack Service at once", () => {
    const both = { services: [0, 1].map(i => service(`s${i}`, [ip(i), `fd00::${i + 1}`])) };
    const move = nextRebalance(planOf({ n1: 2 }, both));
    expect(move?.addresses).toEqual([ip(0), "fd00::1"]);
  });

  it("one move after the other ends with an even spread, and no move is made in vain", () => {
    const load = fc.nat(6);
    fc.assert(
      fc.property(load, load, load, (n1, n2, n3) => {
        const loads: Record<string, number> = { n1, n2, n3 };
        let moves = 0;
        for (let move = nextRebalance(planOf(loads)); move; move = nextRebalance(planOf(loads))) {
          loads[move.from]! -= 1;
          loads[move.to]! += 1;
          moves += 1;
        }
        const all = Object.values(loads);
        expect(Math.max(...all) - Math.min(...all)).toBeLessThanOrEqual(1);
        expect(moves).toBeLessThanOrEqual(n1 + n2 + n3);
      }),
    );
  });
});

describe("createRebalancer", () => {
  function setUp(me: string, plan: Plan | undefined, everyMs = 1000) {
    const [clock, onTake] = [{ now: 0 }, vi.fn()];
    let tick = (): void => undefined;
    const rebalancer = createRebalancer({
      ...{ me, everyMs, plan: () => plan, onTake, now: () => clock.now },
      every: (_, callback) => {
        tick = callback;
        return () => undefined;
      },
    });
    return {
      rebalancer,
      clock,
      onTake,
      look: () => {
        tick();
      },
    };
  }
  const uneven = planOf({ n1: 3 });
  const taker = nextRebalance(uneven)!.to;

  it("only the node that is to have the addresses takes them, for a second", () => {
    const { rebalancer, clock, look } = setUp(taker, uneven);
    expect(rebalancer.taking().size).toBe(0);
    look();
    expect([...rebalancer.taking()]).toEqual([ip(0)]);
    expect(rebalancer.causeOf(ip(0))).toContain("n1 had 3");
    clock.now = 1000;
    expect([rebalancer.taking().size, rebalancer.causeOf(ip(0))]).toEqual([0, undefined]);
    const other = setUp("n1", uneven);
    other.look();
    expect(other.onTake).not.toHaveBeenCalled();
  });

  it("does nothing while something else goes on, and never without an interval", () => {
    const busy = setUp(taker, undefined);
    busy.look();
    const off = setUp(taker, uneven, 0);
    off.look();
    expect([busy.rebalancer.taking().size, off.rebalancer.taking().size]).toEqual([0, 0]);
  });
});
