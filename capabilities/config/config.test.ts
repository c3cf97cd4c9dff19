import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAddress } from "./address";
import { formatConfigError, parseConfig, poolOf } from "./config";
import type { Config, ParsedConfig } from "./config";

type Spec = Readonly<Record<string, unknown>>;
type Options = { readonly labels?: object; readonly created?: string };

const metadata = (name: string, { labels, created }: Options = {}) => ({
  name,
  namespace: "metallb-system",
  ...(labels ? { labels } : {}),
  ...(created ? { creationTimestamp: created } : {}),
});
const pool = (name: string, addresses: readonly string[], options: Options = {}) => ({
  metadata: metadata(name, options),
  spec: { addresses },
});
const ad = (name: string, spec: Spec = {}) => ({ metadata: metadata(name), spec });

const names = (config: Config) => config.pools.map(one => one.name);
const sentences = (parsed: ParsedConfig) => (parsed.ok ? [] : parsed.errors.map(formatConfigError));

describe("parseConfig", () => {
  it("metallb 1: nothing is a valid configuration", () => {
    expect(parseConfig({ pools: [], l2Ads: [] })).toEqual({
      ok: true,
      config: { pools: [], l2Ads: [], bgpPeers: [], bgpAds: [] },
      notices: [],
    });
  });

  it("metallb 9: refuses the second of two pools with one name", () => {
    const parsed = parseConfig({
      pools: [pool("a", ["10.0.0.0/24"]), pool("a", ["10.1.0.0/24"])],
      l2Ads: [],
    });
    expect(names(parsed.config)).toEqual(["a"]);
    expect(sentences(parsed)).toEqual([
      'IPAddressPool metallb-system/a: metadata.name "a" is the name of another object of the same kind; rename one of them.',
    ]);
  });

  it("metallb 10: refuses pools that overlap, and says with which", () => {
    const parsed = parseConfig({
      pools: [pool("wide", ["10.0.0.0/8"]), pool("narrow", ["10.0.0.0/16"])],
      l2Ads: [],
    });
    expect(sentences(parsed)).toEqual([
      'IPAddressPool metallb-system/wide: spec.addresses[0] "10.0.0.0/8" overlaps 10.0.0.0/16 of IPAddressPool narrow; take the addresses out of one of the two pools.',
    ]);
  });

  it("keeps the older of two pools that overlap, whatever their names and order", () => {
    const young = pool("a", ["10.0.0.0/8"], { created: "2026-02-01T00:00:00Z" });
    const old = pool("b", ["10.0.0.0/16"], { created: "2026-01-01T00:00:00Z" });
    for (const pools of [
      [young, old],
      [old, young],
    ])
      expect(names(parseConfig({ pools, l2Ads: [] }).config)).toEqual(["b"]);
  });

  it("lets a wrong resource take no other one down", () => {
    const parsed = parseConfig({
      pools: [pool("bad", ["300.0.0.0/8"]), pool("good", ["10.0.0.0/24"]), undefined, "junk"],
      l2Ads: [ad("all"), ad("wrong", { nodeSelectors: "x" }), null],
    });
    expect(names(parsed.config)).toEqual(["good"]);
    expect(parsed.config.l2Ads.map(one => one.name)).toEqual(["all"]);
    expect(sentences(parsed).join("\n")).toContain(
      'IPAddressPool metallb-system/bad: spec.addresses[0] "300.0.0.0/8"',
    );
    expect(sentences(parsed).join("\n")).toContain(
      'L2Advertisement metallb-system/wrong: spec.nodeSelectors "x" has the wrong type; write a list.',
    );
  });

  it("freezes the configuration through and through", () => {
    const { config } = parseConfig({
      pools: [
        {
          ...pool("a", ["10.0.0.0/24"]),
          spec: {
            addresses: ["10.0.0.0/24"],
            serviceAllocation: { namespaceSelectors: [{ matchLabels: { a: "b" } }] },
          },
        },
      ],
      l2Ads: [
        ad("all", {
          preferredNodeSelectors: [{ weight: 1, preference: { matchLabels: { a: "b" } } }],
        }),
      ],
    });
    const thawed: unknown[] = [];
    const walk = (value: unknown): void => {
      if (typeof value !== "object" || value === null) return;
      if (!Object.isFrozen(value)) thawed.push(value);
      Object.values(value).forEach(walk);
    };
    walk(config);
    expect(thawed).toEqual([]);
  });

  it("does not freeze or change what it was given", () => {
    const raw = {
      pools: [pool("a", ["10.0.0.0/24"])],
      l2Ads: [ad("all", { ipAddressPools: ["a"] })],
    };
    const before = structuredClone(raw);
    parseConfig(raw);
    expect(raw).toEqual(before);
    expect(Object.isFrozen(raw.pools[0]?.spec.addresses)).toBe(false);
  });

  it("does not depend on the order of the lists", () => {
    const cidr = fc
      .tuple(fc.nat(7), fc.nat(7))
      .map(([a, b]) => `10.${a}.${b}.0/${16 + (b % 3) * 4}`);
    const pools = fc.array(
      fc
        .record({
          name: fc.constantFrom("a", "b", "c", "d"),
          cidr,
          day: fc.integer({ min: 1, max: 3 }),
        })
        .map(one => pool(one.name, [one.cidr], { created: `2026-01-0${one.day}T00:00:00Z` })),
      { maxLength: 6 },
    );
    const ads = fc.array(
      fc
        .record({ name: fc.constantFrom("x", "y"), pool: fc.constantFrom("a", "b", "e") })
        .map(one => ad(one.name, { ipAddressPools: [one.pool] })),
      { maxLength: 4 },
    );
    const shuffled = fc
      .tuple(pools, ads)
      .chain(([p, a]) =>
        fc.tuple(
          fc.constant({ pools: p, l2Ads: a }),
          fc.shuffledSubarray(p, { minLength: p.length }),
          fc.shuffledSubarray(a, { minLength: a.length }),
        ),
      );
    fc.assert(
      fc.property(shuffled, ([raw, p, a]) => {
        expect(parseConfig({ pools: p, l2Ads: a })).toEqual(parseConfig(raw));
      }),
    );
  });

  it("never gives one address two pools", () => {
    const cidr = fc
      .tuple(fc.nat(3), fc.integer({ min: 22, max: 28 }))
      .map(([a, n]) => `10.0.${a}.0/${n}`);
    const pools = fc.array(fc.array(cidr, { minLength: 1, maxLength: 2 }), { maxLength: 6 });
    fc.assert(
      fc.property(pools, lists => {
        const raw = lists.map((addresses, i) => pool(`p${i}`, addresses));
        const { config } = parseConfig({ pools: raw, l2Ads: [] });
        const all = config.pools.flatMap(one => one.ranges);
        const sorted = [...all].sort((a, b) => Number(a.first - b.first));
        sorted.slice(1).forEach((range, i) => {
          expect(range.first).toBeGreaterThan(sorted[i]!.last);
        });
      }),
    );
  });
});

describe("the pools of an L2Advertisement", () => {
  const pools = [
    pool("a", ["10.0.0.0/24"], { labels: { zone: "east" } }),
    pool("b", ["10.0.1.0/24"], { labels: { zone: "west" } }),
    pool("c", ["10.0.2.0/24"]),
  ];
  const poolsOf = (spec: Spec) =>
    parseConfig({ pools, l2Ads: [ad("ad", spec)] }).config.l2Ads[0]?.pools;

  it.each<[string, Spec, readonly string[]]>([
    ["neither names nor selectors: all", {}, ["a", "b", "c"]],
    [
      "metallb#1.2: empty lists are like none",
      { ipAddressPools: [], ipAddressPoolSelectors: [] },
      ["a", "b", "c"],
    ],
    ["names", { ipAddressPools: ["c", "a"] }, ["a", "c"]],
    ["metallb#1.2: a name of no pool is ignored, and is not 'all'", { ipAddressPools: ["x"] }, []],
    ["selectors", { ipAddressPoolSelectors: [{ matchLabels: { zone: "east" } }] }, ["a"]],
    [
      "metallb 39: selectors that match nothing are not 'all'",
      { ipAddressPoolSelectors: [{ matchLabels: { zone: "north" } }] },
      [],
    ],
    [
      "metallb 40: a pool by name and by selector, once",
      { ipAddressPools: ["a"], ipAddressPoolSelectors: [{ matchLabels: { zone: "east" } }] },
      ["a"],
    ],
    [
      "names and selectors together",
      {
        ipAddressPools: ["c"],
        ipAddressPoolSelectors: [
          { matchExpressions: [{ key: "zone", operator: "In", values: ["west"] }] },
        ],
      },
      ["b", "c"],
    ],
  ])("%s", (_, spec, expected) => {
    expect(poolsOf(spec)).toEqual(expected);
  });

  it("metallb 40: two advertisements of one pool both stay", () => {
    const { config } = parseConfig({
      pools,
      l2Ads: [ad("x", { ipAddressPools: ["a"] }), ad("y", { ipAddressPools: ["a"] })],
    });
    expect(config.l2Ads.map(one => [one.name, one.pools])).toEqual([
      ["x", ["a"]],
      ["y", ["a"]],
    ]);
  });

  it("a pool that is wrong is not announced, and does not turn 'this one' into 'all'", () => {
    const parsed = parseConfig({
      pools: [...pools, pool("bad", ["x"])],
      l2Ads: [ad("ad", { ipAddressPools: ["bad"] })],
    });
    expect(parsed.config.l2Ads[0]?.pools).toEqual([]);
  });
});

describe("poolOf", () => {
  const { config } = parseConfig({
    pools: [pool("a", ["10.0.0.0/24", "fd00::/120"]), pool("b", ["10.0.1.5-10.0.1.7"])],
    l2Ads: [],
  });

  it.each([
    ["10.0.0.0", "a"],
    ["10.0.0.255", "a"],
    ["fd00::ff", "a"],
    ["10.0.1.5", "b"],
    ["10.0.1.8", undefined],
    ["fd00::100", undefined],
  ])("finds the pool of %s: %s", (text, name) => {
    expect(poolOf(config, parseAddress(text)!)?.name).toBe(name);
  });
});
