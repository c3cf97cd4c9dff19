import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAddress } from "../config/address";
import type { Family } from "../config/address";
import { poolOf } from "../config/config";
import type { Config } from "../config/config";
import type { VirtualIP } from "../config/kinds/virtual-ip";
import { virtualIPs } from "./claims";
import { ip, rawPool, serviceOf } from "./fixtures";
import { createHarness } from "./harness";
import type { Harness } from "./harness";
import type { Service } from "./service";

const SHARE = "metallb.io/allow-shared-ip";
const IPS = "metallb.io/loadBalancerIPs";
const RUNS = 10_000;
const KEPT_MS = 600_000;
const POOLS = [
  rawPool("a", ["10.0.0.4/31", "10.0.0.0/31"]),
  rawPool("b", ["10.0.1.0-10.0.1.2", "fd00::/127"]),
  rawPool("c", ["10.0.2.0/30"], { avoidBuggyIPs: true }),
  rawPool("d", ["fd00:1::/126"]),
];
const SMALLER = rawPool("b", ["10.0.1.1-10.0.1.2", "fd00::1/128"]);
const ALL4 = ["10.0.0.0", "10.0.0.1", "10.0.0.4", "10.0.0.5", "10.0.1.0", "10.0.1.1", "10.0.1.2"];
const ALL6 = ["fd00::", "fd00::1", "fd00:1::", "fd00:1::1", "fd00:1::2", "fd00:1::3"];
const ALL = [...ALL4, "10.0.2.1", "10.0.2.2", "10.0.2.3", ...ALL6];

type Wish = {
  readonly families: NonNullable<Service["spec"]>;
  readonly key: string | undefined;
  readonly port: number;
  readonly local: boolean;
  readonly pinned: string | undefined;
};
const wish: fc.Arbitrary<Wish> = fc.record({
  families: fc.constantFrom<Wish["families"]>(
    { ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack" },
    { ipFamilies: ["IPv6"], ipFamilyPolicy: "SingleStack" },
    { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" },
    { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "PreferDualStack" },
  ),
  key: fc.option(fc.constantFrom("k", "l"), { nil: undefined, freq: 2 }),
  port: fc.constantFrom(80, 81, 443),
  local: fc.boolean(),
  pinned: fc.option(fc.constantFrom("10.0.0.1", "fd00::1"), { nil: undefined, freq: 8 }),
});
const name = fc.constantFrom("s/1", "s/2", "s/3", "s/4", "s/5", "s/6", "s/7", "s/8");
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant("put" as const), name, wish }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("remove" as const), name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("retire" as const), name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restart" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      ms: fc.constantFrom(60_000, KEPT_MS - 1, KEPT_MS),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("pools" as const),
      kept: fc.subarray(POOLS),
      isSmaller: fc.boolean(),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** The Services that there are, and what each asks for. */
type World = { readonly h: Harness; readonly wishes: Map<string, Wish> };

async function play(h: Harness, steps: readonly Step[]): Promise<void> {
  const world: World = { h, wishes: new Map() };
  const existing = new Set<string>();
  for (const one of steps) {
    const promised = one.do === "put" && !existing.has(one.name) ? promises(h, one) : [];
    await apply(world, existing, one);
    await h.settle();
    check(world);
    if (one.do === "put") expect(h.addresses(one.name)).toEqual(expect.arrayContaining(promised));
  }
}

async function apply({ h, wishes }: World, existing: Set<string>, one: Step): Promise<void> {
  if (one.do === "pools") {
    h.setPools(...one.kept.map(pool => (pool === POOLS[1] && one.isSmaller ? SMALLER : pool)));
  } else if (one.do === "restart") h.restart();
  else if (one.do === "wait") h.advance(one.ms);
  else if (one.do === "put") {
    wishes.set(one.name, one.wish);
    existing.add(one.name);
    await h.put(serviceFor(one.name, one.wish));
  } else {
    wishes.delete(one.name);
    if (one.do === "remove" && existing.delete(one.name)) await h.remove(one.name);
    else if (existing.has(one.name)) await h.put(serviceOf(one.name, { spec: CLUSTER_IP }));
  }
}

const CLUSTER_IP = { type: "ClusterIP" };

function serviceFor(key: string, { families, key: sharing, port, local, pinned }: Wish): Service {
  const annotations = {
    ...(sharing === undefined ? {} : { [SHARE]: sharing }),
    ...(pinned === undefined ? {} : { [IPS]: pinned }),
  };
  return serviceOf(key, {
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    spec: {
      ...families,
      ports: [{ port, protocol: "TCP" }],
      selector: { app: "web" },
      externalTrafficPolicy: local ? "Local" : "Cluster",
    },
  });
}

const familyOf = (text: string): Family => ip(text).family;
const wanted = ({ families }: Wish): readonly string[] =>
  (families.ipFamilies ?? []).map(family => family.toLowerCase());

/** What is kept for a Service that is created anew, the latest of each family, is what it must get. */
function promises(h: Harness, { name: key, wish: its }: { name: string; wish: Wish }): string[] {
  if (its.pinned !== undefined) return [];
  const { config } = h.parts.world.cached();
  const kept = h.cluster
    .all(virtualIPs)
    .filter(({ spec: { holders, released } }) => {
      return holders.length === 0 && `${released?.namespace}/${released?.name}` === key;
    })
    .filter(({ spec }) => wanted(its).includes(familyOf(spec.address)))
    .filter(({ spec }) => poolOf(config, ip(spec.address)))
    .sort((a, b) => (at(a) < at(b) ? 1 : -1));
  const latest = new Map<Family, VirtualIP>();
  for (const vip of kept) {
    const family = familyOf(vip.spec.address);
    // Of two that were freed at once, either will do.
    const other = latest.get(family);
    if (other && at(other) === at(vip)) return [];
    if (!other) latest.set(family, vip);
  }
  return [...latest.values()].map(({ spec }) => spec.address);
}

const at = ({ spec }: VirtualIP): string => spec.released?.at ?? "";

/** What must hold at any time, whatever has happened; all of it by looking at everything. */
function check({ h, wishes }: World): void {
  const { config } = h.parts.world.cached();
  const users = new Map<string, string[]>();
  for (const key of wishes.keys()) {
    for (const address of h.addresses(key))
      users.set(address, [...(users.get(address) ?? []), key]);
  }
  const vips = h.cluster.all(virtualIPs);
  const held = vips.filter(({ spec }) => spec.holders.length > 0);
  expect([...users].map(([address, keys]) => [address, keys.sort()]).sort(), "claims").toEqual(
    held
      .map(({ spec }) => [
        spec.address,
        spec.holders.map(({ namespace, name: own }) => `${namespace}/${own}`).sort(),
      ])
      .sort(),
  );
  for (const [address, keys] of users) {
    expect(isGiven(config, address), `${address} is one that a pool gives`).toBe(true);
    const pairs = keys.flatMap((a, i) => keys.slice(i + 1).map(b => [a, b] as const));
    for (const [a, b] of pairs) {
      expect(mayShare(wishes.get(a)!, wishes.get(b)!), `${a} and ${b} on ${address}`).toBe(true);
    }
  }
  for (const { spec } of vips.filter(vip => !held.includes(vip))) {
    const { namespace, name, at: freed } = spec.released!;
    const pool = poolOf(config, ip(spec.address));
    // Without a pool only for a Service that is there, which may get it back when its pool does.
    if (!pool) expect([...wishes.keys()]).toContain(`${namespace}/${name}`);
    const keptMs = pool?.reclaimAfterMs ?? KEPT_MS;
    expect(Date.parse(freed) + keptMs, "not kept for ever").toBeGreaterThan(h.parts.now());
  }
  checkWaiting({ h, wishes }, config, users);
}

/** None is lost: who waits for an address of one family waits because all of them are in use. */
function checkWaiting({ h, wishes }: World, config: Config, users: Map<string, unknown>): void {
  for (const [key, its] of wishes) {
    const [family, other] = wanted(its);
    if (other !== undefined || its.pinned !== undefined || h.addresses(key).length > 0) continue;
    const free = ALL.filter(address => familyOf(address) === family)
      .filter(address => isGiven(config, address))
      .filter(address => !users.has(address));
    expect(free, `${key} waits`).toEqual([]);
  }
}

function isGiven(config: Config, address: string): boolean {
  const pool = poolOf(config, ip(address));
  return pool !== undefined && !(pool.avoidBuggyIPs && /\.(0|255)$/.test(address));
}

/** MetalLB's predicate in other words, for Services with one port and the same pods. */
function mayShare(a: Wish, b: Wish): boolean {
  return a.key !== undefined && a.key === b.key && a.port !== b.port && a.local === b.local;
}

describe("any history of pools and Services", () => {
  it("leaves no address twice, lost, outside its pool or shared wrongly, and gives back what was kept", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 10 }), async steps => {
        await play(createHarness(...POOLS), steps);
      }),
      { numRuns: RUNS },
    );
  }, 300_000);

  it("ends the same when it is played again", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 14 }), async steps => {
        const ends: unknown[] = [];
        for (const h of [createHarness(...POOLS), createHarness(...POOLS)]) {
          await play(h, steps);
          ends.push(h.cluster.all(virtualIPs).map(({ spec }) => [spec.address, spec.pool]));
        }
        expect(ends[0]).toEqual(ends[1]);
      }),
      { numRuns: 150 },
    );
  }, 60_000);

  it("claims nothing in vain for a Service that waits for one of two families", async () => {
    const v6 = { ipFamilies: ["IPv6"], ipFamilyPolicy: "SingleStack" };
    const both = { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" };
    const h = createHarness(rawPool("b", ["10.0.1.0-10.0.1.2", "fd00::/128"]));
    await h.put(serviceOf("s/1", { spec: v6 }));
    await h.settle();
    await h.put(serviceOf("s/2", { spec: both }));
    await h.settle();
    expect(h.claims()).toHaveLength(1);
    expect(h.addresses("s/2")).toEqual([]);
    await h.remove("s/1");
    await h.settle();
    expect([...h.addresses("s/2")].sort()).toEqual(["10.0.1.0", "fd00::"]);
  });

  it("gives a new Service the lowest free address of the first pool, those that were freed last", async () => {
    const scenario = fc.tuple(fc.shuffledSubarray(["1", "2", "3", "4", "5", "6"]), fc.nat(7));
    await fc.assert(
      fc.asyncProperty(scenario, async ([removed, count]) => {
        const h = createHarness(...POOLS.slice(0, 2));
        for (const key of ["1", "2", "3", "4", "5", "6"]) {
          await h.put(serviceOf(`s/${key}`));
          await h.settle();
        }
        const freed: string[] = [];
        for (const key of removed) {
          freed.push(...h.addresses(`s/${key}`));
          await h.remove(`s/${key}`);
          await h.settle();
          h.advance(1_000);
        }
        const used = ALL4.filter(text => h.claims().includes(text));
        const fresh = ALL4.filter(text => !used.includes(text) && !freed.includes(text));
        const order = [...fresh, ...freed];
        for (let i = 0; i < count; i++) {
          await h.put(serviceOf(`new/${i}`));
          await h.settle();
          expect(h.addresses(`new/${i}`)).toEqual(order.slice(i, i + 1));
        }
      }),
      { numRuns: 40 },
    );
  });

  it("without a time to keep them gives freed addresses like all others, the lowest first", async () => {
    const [first] = ALL4;
    const pool = rawPool("a", ["10.0.0.0/30"]) as { metadata: object };
    const h = createHarness({
      ...pool,
      metadata: { ...pool.metadata, annotations: { "ancho.dev/reclaim-after": "0" } },
    });
    for (const key of ["s/1", "s/2"]) {
      await h.put(serviceOf(key));
      await h.settle();
    }
    await h.remove("s/1");
    await h.settle();
    expect(h.cluster.all(virtualIPs)).toHaveLength(1);
    await h.put(serviceOf("s/3"));
    await h.settle();
    expect(h.addresses("s/3")).toEqual([formatAddress(ip(first!))]);
  });
});
