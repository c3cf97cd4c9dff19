import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPlanner, planFor, suspectsFor, turnOf, urgencyOf } from "./decision";
import type { Facts, Standing, Turn } from "./decision";
import { NOT_READY_LONG_MS } from "./eligibility";
import { ad, node, pool, service } from "./fixtures";
import type { Claim, Member } from "./membership/membership";

const IPS = ["172.30.0.240", "172.30.0.241", "172.30.0.242"];
const NAMES = ["n1", "n2", "n3"];

const claim = fc.record({ address: fc.constantFrom(...IPS), epoch: fc.nat(2) });
const claims: fc.Arbitrary<readonly Claim[]> = fc.uniqueArray(claim, {
  selector: ({ address }) => address,
});
const member = (name: string): fc.Arbitrary<Member> =>
  fc.record({
    node: fc.constant(name),
    phase: fc.constantFrom("starting", "active", "leaving"),
    health: fc.constantFrom("heard", "late", "silent"),
    claims,
    interfaces: fc.constantFrom(["eth0"], []),
  });

/** One change at a time, of all that a plan is made of. */
type Change = (facts: Facts, standing: Standing) => readonly [Facts, Standing];
const ofFacts = (over: Partial<Facts>): Change => {
  return (facts, standing) => [{ ...facts, ...over }, standing];
};
const ofStanding = (over: Partial<Standing>): Change => {
  return (facts, standing) => [facts, { ...standing, ...over }];
};
const ofMember = (changed: Member): Change => {
  return (facts, standing) => {
    const others = standing.members.filter(one => one.node !== changed.node);
    return [facts, { ...standing, members: [...others, changed] }];
  };
};
const addresses = fc.uniqueArray(fc.constantFrom(...IPS));
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("n2", "n3").chain(member).map(ofMember) },
  claims.map(own => ofStanding({ claims: own })),
  fc.boolean().map(isActive => ofStanding({ isActive })),
  addresses.map(some => ofStanding({ taking: new Set(some) })),
  addresses.map((some): Change => {
    return (facts, standing) => {
      const isGone: Standing["isGone"] = (_, address) => some.includes(address);
      return [facts, { ...standing, isGone, verdicts: standing.verdicts + 1 }];
    };
  }),
  fc.constantFrom(["eth0"], []).map(interfaces => ofStanding({ interfaces })),
  addresses.map(some =>
    ofFacts({ services: some.map((address, i) => service(`s${i}`, [address])) }),
  ),
  fc
    .uniqueArray(fc.constantFrom(...NAMES))
    .map(some => ofFacts({ nodes: some.map(name => node(name, { notReadySince: 1 })) })),
  fc.nat(2 * NOT_READY_LONG_MS).map(now => ofFacts({ now })),
  fc.constantFrom("spread" as const, "hash" as const).map(placement => ofFacts({ placement })),
);

const aStep = fc.record({ change, isPlanned: fc.boolean() });

const FACTS: Facts = {
  config: {
    ...{ pools: [pool("lan", "172.30.0.240-172.30.0.250")], l2Ads: [ad("lan")] },
    ...{ bgpPeers: [], bgpAds: [] },
  },
  services: IPS.map((address, i) => service(`s${i}`, [address])),
  nodes: NAMES.map(name => node(name)),
  ...{ ignoreExcludeLabel: false, placement: "spread", now: 0 },
};
const STANDING: Standing = {
  ...{ me: "n1", isActive: true, members: [], claims: [], interfaces: ["eth0"] },
  ...{ taking: new Set(), isGone: () => false, verdicts: 0 },
};

describe("createPlanner", () => {
  it("its plans are always those that would be made anew", () => {
    fc.assert(
      fc.property(fc.array(aStep, { maxLength: 12 }), steps => {
        const planner = createPlanner();
        let [facts, standing] = [FACTS, STANDING];
        for (const step of steps) {
          [facts, standing] = step.change(facts, standing);
          // As the announcer does it: not each change is a plan.
          if (step.isPlanned)
            expect(planner.plan(facts, standing)).toEqual(planFor(facts, standing));
          expect(planner.suspects(facts, standing)).toEqual(suspectsFor(facts, standing));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("keeps a plan while members are only heard, late, and heard again", () => {
    const { plan } = createPlanner();
    const peer = (health: Member["health"]): Member => {
      const own = [{ address: "172.30.0.241", epoch: 1 }];
      return { node: "n2", phase: "active", health, claims: own, interfaces: ["eth0"] };
    };
    const first = plan(FACTS, { ...STANDING, members: [peer("heard")] });
    expect(plan({ ...FACTS, now: 9 }, { ...STANDING, members: [peer("late")] })).toBe(first);
    expect(plan(FACTS, { ...STANDING, members: [peer("silent")] })).not.toBe(first);
  });

  it("makes no plan for a verdict on who is late: it is not believed yet", () => {
    const { plan } = createPlanner();
    const own = [{ address: "172.30.0.241", epoch: 1 }];
    const late = { node: "n2", phase: "active", health: "late", interfaces: ["eth0"] } as const;
    const standing: Standing = { ...STANDING, members: [{ ...late, claims: own }] };
    expect(plan(FACTS, { ...standing, isGone: () => true, verdicts: 1 })).toBe(
      plan(FACTS, standing),
    );
  });

  it("keeps a plan while a silent owner's verdict is awaited", () => {
    const { plan } = createPlanner();
    const own = [{ address: "172.30.0.241", epoch: 1 }];
    const silent = { node: "n2", phase: "active", health: "silent", interfaces: ["eth0"] } as const;
    const standing: Standing = { ...STANDING, members: [{ ...silent, claims: own }] };
    const first = plan(FACTS, standing);
    expect(plan({ ...FACTS, now: 9 }, { ...standing })).toBe(first);
    const heir = plan(FACTS, { ...standing, isGone: () => true, verdicts: 1 });
    expect(heir.addresses.get("172.30.0.241")?.owner).toBe("n1");
  });
});

describe("planFor", () => {
  it("who took an address last is all that has to be gone", () => {
    const [address] = IPS as [string];
    const silent = (name: string, epoch: number): Member => ({
      ...{ node: name, phase: "active", health: "silent", interfaces: ["eth0"] },
      claims: [{ address, epoch }],
    });
    const members = [silent("n2", 1), silent("n3", 2)];
    const ownerIf = (isGone: Standing["isGone"]) =>
      planFor(FACTS, { ...STANDING, members, isGone }).addresses.get(address)?.owner;
    expect(ownerIf(() => false)).toBe("n3");
    expect(ownerIf(owner => owner === "n2")).toBe("n3");
    expect(ownerIf(owner => owner === "n3")).toBe("n1");
    expect(suspectsFor(FACTS, { ...STANDING, members })).toEqual(new Map([["n3", [address]]]));
  });
});

describe("turnOf", () => {
  const peer = (over: Partial<Member> = {}): Member => ({
    ...{ node: "n2", phase: "active", health: "heard", claims: [], interfaces: ["eth0"] },
    ...over,
  });
  const claims = [{ address: "172.30.0.240", epoch: 1 }];

  it.each<{ readonly what: string; readonly after: readonly Member[]; readonly turn: Turn }>([
    { what: "is as it was", after: [peer()], turn: "late" },
    { what: "is late", after: [peer({ health: "late" })], turn: "late" },
    { what: "is late and claims", after: [peer({ health: "late", claims })], turn: "news" },
    { what: "claims", after: [peer({ claims })], turn: "news" },
    { what: "fell silent", after: [peer({ health: "silent" })], turn: "silent" },
    { what: "leaves", after: [peer({ phase: "leaving" })], turn: "turn" },
    {
      what: "left and is silent",
      after: [peer({ phase: "leaving", health: "silent" })],
      turn: "turn",
    },
    { what: "is no more", after: [], turn: "turn" },
    { what: "is another one", after: [peer({ node: "n3" })], turn: "turn" },
  ])("of a member that $what is $turn", ({ after, turn }) => {
    expect(turnOf([peer()], after)).toBe(turn);
  });

  it("of one that is heard again is a turn, whoever fell silent with it", () => {
    const silent = peer({ health: "silent" });
    expect(turnOf([silent], [peer()])).toBe("turn");
    const other = peer({ node: "n3" });
    expect(turnOf([silent, other], [peer(), { ...other, health: "silent" }])).toBe("turn");
  });
});

describe("urgencyOf", () => {
  it("waits for what the wire says", () => {
    expect(urgencyOf("silent", "none")).toBe("later");
    expect(urgencyOf("silent", "asked")).toBe("later");
    expect(urgencyOf("news", "asked")).toBe("later");
    expect(urgencyOf("silent", "verdict")).toBe("now");
  });

  it("and else not", () => {
    expect(urgencyOf("turn", "asked")).toBe("now");
    expect(urgencyOf("news", "none")).toBe("soon");
    expect(urgencyOf("news", "verdict")).toBe("soon");
  });
});
