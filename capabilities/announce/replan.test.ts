import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LAN, ad, adFor, input, localService, node, service } from "./fixtures";
import type { ServiceFacts } from "./facts";
import type { Holder } from "./holders";
import { planAddresses } from "./plan";
import type { PlanInput } from "./plan";
import { replanAddresses } from "./replan";

const NAMES = ["n1", "n2", "n3", "n4", "n5"];
const SIZE = 6;
const ipv4 = (i: number): string => `10.20.30.${i}`;
const ipv6 = (i: number): string => `fd00::${i}`;

/** One family, both, or an IPv6 address that two Services share. */
const addresses = fc.constantFrom(
  (i: number) => [ipv4(i)],
  (i: number) => [ipv4(i), ipv6(i)],
  (i: number) => [ipv4(i), ipv6((i + 1) % SIZE)],
);
const aService = (i: number): fc.Arbitrary<ServiceFacts> =>
  fc
    .tuple(addresses, fc.option(fc.uniqueArray(fc.constantFrom(...NAMES)), { nil: undefined }))
    .map(([addressesOf, endpoints]) =>
      endpoints
        ? localService(`s${i}`, addressesOf(i), endpoints)
        : service(`s${i}`, addressesOf(i)),
    );
const services = fc.tuple(...Array.from({ length: SIZE }, (_, i) => aService(i)));
const some = fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1 });
const few = (of: readonly string[]): fc.Arbitrary<readonly string[]> =>
  fc.uniqueArray(fc.constantFrom(...of), { maxLength: 2 });
const ads = fc.oneof(
  fc.constant([ad("all")]),
  some.map(names => [adFor(names)]),
  fc.tuple(some, fc.integer({ min: 1, max: 100 })).map(([names, weight]) => [
    ad("all"),
    ad("best", {
      preferredNodes: names.map(name => ({ preference: { matchLabels: { name } }, weight })),
    }),
  ]),
);
const holder: fc.Arbitrary<Holder> = fc.record({
  node: fc.constantFrom(...NAMES),
  epoch: fc.nat(3),
});
const holdersOf = fc.uniqueArray(holder, { maxLength: 2, selector: one => one.node });
const ALL_IPS = Array.from({ length: SIZE }, (_, i) => [ipv4(i), ipv6(i)]).flat();

type Case = Pick<
  PlanInput,
  "services" | "holders" | "placement" | "config" | "alive" | "nodes" | "interfaces"
>;
const aCase: fc.Arbitrary<Case> = fc
  .record({
    services,
    chance: fc.tuple(...ALL_IPS.map(() => holdersOf)),
    placement: fc.constantFrom("spread" as const, "spread" as const, "hash" as const),
    l2Ads: ads,
    alive: some,
    excluded: fc.option(fc.constantFrom(...NAMES), { nil: undefined }),
    bare: fc.option(fc.constantFrom(...NAMES), { nil: undefined }),
  })
  .map(({ chance, l2Ads, alive, excluded, bare, ...rest }) => ({
    ...rest,
    config: { ...LAN, l2Ads },
    alive: new Set(alive),
    holders: new Map(ALL_IPS.map((ip, i) => [ip, chance[i] ?? []])),
    nodes: NAMES.map(name => node(name, { isNetworkUnavailable: name === excluded })),
    interfaces: new Map(NAMES.map(name => [name, name === bare ? [] : ["eth0"]])),
  }));

/** What it is like when the plan has been carried out, but for some addresses. */
function settled(one: PlanInput, except: readonly string[]): PlanInput {
  const { addresses: planned } = planAddresses(one);
  const holders = [...one.holders].map(([ip, before]): [string, readonly Holder[]] => {
    const owner = planned.get(ip)?.owner;
    if (except.includes(ip)) return [ip, before];
    return [ip, owner === undefined ? [] : [{ node: owner, epoch: 4 }]];
  });
  return { ...one, holders: new Map(holders) };
}

/** Some nodes are not alive any more; what they answered for they do no more, or still, as may be. */
function without(one: PlanInput, gone: readonly string[], isForgotten: boolean): PlanInput {
  const alive = new Set([...(one.alive as ReadonlySet<string>)].filter(n => !gone.includes(n)));
  if (!isForgotten) return { ...one, alive };
  const holders = [...one.holders].map(([ip, all]) => {
    return [ip, all.filter(({ node: name }) => !gone.includes(name))] as const;
  });
  const interfaces = [...one.interfaces].filter(([name]) => !gone.includes(name));
  return { ...one, alive, holders: new Map(holders), interfaces: new Map(interfaces) };
}

describe("replanAddresses", () => {
  const news = fc.record({
    gone: few(NAMES),
    isForgotten: fc.boolean(),
    holders: fc.uniqueArray(fc.tuple(fc.constantFrom(...ALL_IPS), holdersOf), {
      maxLength: 2,
      selector: ([ip]) => ip,
    }),
  });

  it("is as the plan that is made anew", () => {
    let kept = 0;
    fc.assert(
      fc.property(aCase, few(ALL_IPS), news, (one, moving, { gone, isForgotten, holders }) => {
        const before = settled(input(one), moving);
        const plan = planAddresses(before);
        const less = without(before, gone, isForgotten);
        const after = { ...less, holders: new Map([...less.holders, ...holders]) };
        const again = replanAddresses({ input: before, plan }, after);
        expect(again).toEqual(planAddresses(after));
        const owned = [...(again?.addresses.values() ?? [])];
        kept += owned.filter(found => plan.addresses.get(found.address) === found).length;
      }),
      { numRuns: 500 },
    );
    // An address of which nothing was thought anew has the same object as before.
    expect(kept).toBeGreaterThan(500);
  });

  it("is none where more has changed than who answers, and who is not alive any more", () => {
    const before = input({ services: [service("a", [ipv4(0)])], alive: new Set(["iris1"]) });
    const last = { input: before, plan: planAddresses(before) };
    const changes: readonly Partial<PlanInput>[] = [
      { alive: new Set(["iris1", "iris2"]) },
      { alive: "unknown" },
      { interfaces: new Map([["iris1", []]]) },
      { services: [] },
      { nodes: [node("iris1")] },
      { config: { ...LAN } },
      { placement: "spread" },
      { ignoreExcludeLabel: true },
    ];
    expect(replanAddresses(last, { ...before })).toEqual(last.plan);
    const late = { ...before, nodes: [node("iris1", { notReadySince: 1 })] };
    expect(replanAddresses({ input: late, plan: planAddresses(late) }, late)).toBeUndefined();
    for (const change of changes)
      expect(replanAddresses(last, { ...before, ...change })).toBeUndefined();
  });
});
