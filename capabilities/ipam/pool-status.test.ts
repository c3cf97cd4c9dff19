import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAddress } from "../config/address";
import type { Pool } from "../config/config";
import { ipAddressPoolSchema } from "../config/kinds/ip-address-pool";
import type { IPAddressPool } from "../config/kinds/ip-address-pool";
import type { VirtualIP } from "../config/kinds/virtual-ip";
import { parsePool } from "../config/pool";
import { vipName } from "../config/vip-name";
import { createFakeCluster } from "./fake-cluster";
import { configOf, ip, rawPool } from "./fixtures";
import { MOST, capacityOf, poolStatusPatch, poolUsage } from "./pool-status";
import { reconcilePool } from "./reconcile-pool";
import { pools } from "./world";

const poolOf = (addresses: readonly string[], spec = {}): Pool =>
  configOf(rawPool("a", addresses, spec)).pools[0]!;

function vip(text: string, holders = 1, pool = "a"): VirtualIP {
  const list = Array.from({ length: holders }, (_, i) => ({
    namespace: "shop",
    name: `s${i}`,
    claimedAt: "",
  }));
  return {
    metadata: { name: vipName(ip(text)) },
    spec: { address: text, pool, reason: "", holders: list },
  };
}

const NOW = new Date("2026-01-01T00:00:00.789Z");

describe("how many addresses a pool has", () => {
  it.each<[string, readonly string[], object, readonly bigint[]]>([
    ["metallb 75: a /24", ["1.2.3.0/24"], {}, [256n, 0n]],
    ["metallb 75: a /24 and a /25", ["1.2.3.0/24", "1.2.4.0/25"], {}, [384n, 0n]],
    [
      "metallb 75: the same without buggy ones",
      ["1.2.3.0/24", "1.2.4.0/25"],
      { avoidBuggyIPs: true },
      [381n, 0n],
    ],
    [
      "metallb 75: a few of each family without buggy ones",
      ["1.2.3.0/31", "1000::/127"],
      { avoidBuggyIPs: true },
      [1n, 2n],
    ],
    ["metallb 75: a /64", ["1000::/64"], {}, [0n, 2n ** 64n]],
    [
      "all of IPv4 without buggy ones",
      ["0.0.0.0/0"],
      { avoidBuggyIPs: true },
      [2n ** 24n * 254n, 0n],
    ],
  ])("%s", (_, addresses, spec, sizes) => {
    const pool = poolOf(addresses, spec);
    expect([capacityOf(pool, "ipv4"), capacityOf(pool, "ipv6")]).toEqual(sizes);
  });

  it("is what counting them one by one gives", () => {
    fc.assert(
      fc.property(fc.nat(2_000), fc.nat(1_500), fc.boolean(), (first, size, avoidBuggyIPs) => {
        const at = (value: number): string =>
          formatAddress({ family: "ipv4", value: BigInt(value) });
        const pool = poolOf([`${at(first)}-${at(first + size)}`], { avoidBuggyIPs });
        let count = 0n;
        for (let value = first; value <= first + size; value++) {
          if (!avoidBuggyIPs || (value % 256 !== 0 && value % 256 !== 255)) count += 1n;
        }
        expect(capacityOf(pool, "ipv4")).toBe(count);
      }),
    );
  });
});

describe("how much of a pool is in use", () => {
  const pool = poolOf(["1.2.3.4/30", "1000::4/126"]);

  it("metallb 76: counts what is free in each family", () => {
    const usage = { assignedIPv4: 0, assignedIPv6: 0, availableIPv4: 4, availableIPv6: 4 };
    expect(poolUsage(pool, [])).toEqual(usage);
  });

  it("metallb 76: counts an address that three Services share once, and one without holders not at all", () => {
    const usage = poolUsage(pool, [vip("1.2.3.4", 3), vip("1.2.3.5", 0), vip("1000::5")]);
    expect(usage).toEqual({
      assignedIPv4: 1,
      assignedIPv6: 1,
      availableIPv4: 3,
      availableIPv6: 3,
    });
  });

  it("counts what is of other pools, or no longer in this one, not at all", () => {
    const others = [vip("1.2.3.4", 1, "b"), vip("9.9.9.9"), { ...vip("1.2.3.5"), metadata: {} }];
    expect(poolUsage(pool, others)).toMatchObject({ assignedIPv4: 0, availableIPv4: 4 });
  });

  it("metallb 75: says at most what its fields can hold, also for a /64 beside another range", () => {
    const wide = poolOf(["1000::/64", "2000::/120"]);
    expect(poolUsage(wide, [vip("2000::1")])).toMatchObject({
      assignedIPv6: 1,
      availableIPv6: MOST,
    });
    const text = JSON.stringify({ count: MOST });
    expect(BigInt(text.replace(/\D/g, "")) <= 2n ** 63n - 1n).toBe(true);
    expect(Number.isInteger(MOST)).toBe(true);
  });
});

describe("the status of a pool", () => {
  const raw = (status?: object): IPAddressPool =>
    ({
      ...(rawPool("a", ["1.2.3.4/30"]) as IPAddressPool),
      metadata: { name: "a", namespace: "metallb-system", resourceVersion: "5", generation: 2 },
      ...(status ? { status } : {}),
    }) as IPAddressPool;
  const usage = poolUsage(poolOf(["1.2.3.4/30"]), [vip("1.2.3.4")]);
  const fine = { usage, problem: "" };
  type Patch = { readonly status: NonNullable<IPAddressPool["status"]> };
  const patchOf = (...args: Parameters<typeof poolStatusPatch>): Patch =>
    poolStatusPatch(...args) as Patch;

  it("has counters and conditions, for the version that was looked at", () => {
    const patch = patchOf(raw(), fine, NOW);
    expect(patch).toMatchObject({
      metadata: { resourceVersion: "5" },
      status: { assignedIPv4: 1, availableIPv4: 3, assignedIPv6: 0, availableIPv6: 0 },
    });
    expect(patch.status.conditions).toMatchObject([
      { type: "Valid", status: "True", reason: "InUse", observedGeneration: 2 },
      { type: "AddressesAvailable", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" },
    ]);
  });

  it("is written once, whatever order its conditions are in", () => {
    const { status } = patchOf(raw(), fine, NOW);
    const written = raw({ ...status, conditions: [...status.conditions!].reverse() });
    expect(poolStatusPatch(written, fine, new Date("2027-01-01T00:00:00Z"))).toBeUndefined();
  });

  it("says when there is no address left, and keeps what others say", () => {
    const others = { type: "example.com/Billing", status: "True", reason: "Paid", message: "" };
    const { status } = patchOf(raw(), fine, NOW);
    const before = raw({ ...status, conditions: [others, ...status.conditions!] });
    const none = { ...usage, assignedIPv4: 4, availableIPv4: 0 };
    const later = new Date("2027-01-01T00:00:00Z");
    const patch = patchOf(before, { usage: none, problem: "" }, later);
    expect(patch.status.conditions).toMatchObject([
      others,
      { type: "Valid", lastTransitionTime: "2026-01-01T00:00:00Z" },
      {
        type: "AddressesAvailable",
        status: "False",
        reason: "Exhausted",
        lastTransitionTime: "2027-01-01T00:00:00Z",
      },
    ]);
  });

  it("says of a pool that is left out why, and that nothing is to be had", () => {
    const patch = patchOf(raw(), { usage: undefined, problem: "overlaps b" }, NOW);
    expect(patch.status).toMatchObject({ assignedIPv4: 0, availableIPv4: 0 });
    expect(patch.status.conditions).toMatchObject([
      { type: "Valid", status: "False", reason: "ConfigurationError", message: "overlaps b" },
      { type: "AddressesAvailable", status: "False" },
    ]);
  });

  it("as MetalLB leaves it, and as we do, is no reason to refuse a pool", () => {
    const MAX_INT64 = Number(2n ** 63n - 1n);
    for (const availableIPv6 of [MAX_INT64, MOST]) {
      expect(parsePool(raw({ availableIPv6 }))).toMatchObject({ ok: true });
    }
  });
});

describe("the reconciliation of a pool", () => {
  const key = "metallb-system/a";

  async function setUp(addresses: readonly string[]) {
    const cluster = createFakeCluster();
    const pool = ipAddressPoolSchema.parse(rawPool("a", addresses));
    await cluster.client.create(pools, pool);
    cluster.writes.length = 0;
    const vips: VirtualIP[] = [];
    const parts = {
      client: cluster.client,
      world: {
        cached: () => ({
          config: configOf(rawPool("a", addresses)),
          cluster: [],
          namespaceLabels: () => ({}),
        }),
        errors: () => [],
      },
      cachedPool: (name: string) => (name === key ? cluster.all(pools)[0] : undefined),
      cachedVips: () => vips,
      now: () => NOW.getTime(),
    };
    return { cluster, parts, vips };
  }

  it("writes when something has changed, and only then", async () => {
    const { cluster, parts, vips } = await setUp(["1.2.3.4/30"]);
    await reconcilePool(parts, key);
    await reconcilePool(parts, key);
    expect(cluster.writes).toEqual([`patch-status ipaddresspools ${key}`]);
    vips.push(vip("1.2.3.4"));
    await reconcilePool(parts, key);
    expect(cluster.all(pools)[0]?.status).toMatchObject({ assignedIPv4: 1, availableIPv4: 3 });
  });

  it("does nothing for a pool that is gone, or goes while it is looked at", async () => {
    const { cluster, parts } = await setUp(["1.2.3.4/30"]);
    await reconcilePool(parts, "metallb-system/b");
    const [seen] = cluster.all(pools);
    await cluster.client.delete(pools, key);
    await reconcilePool({ ...parts, cachedPool: () => seen }, key);
    expect(cluster.all(pools)).toEqual([]);
  });

  it("says what is wrong with a pool, in the words of the configuration", async () => {
    const { cluster, parts } = await setUp(["1.2.3.4/30"]);
    const error = {
      object: "IPAddressPool metallb-system/a",
      field: "spec.addresses[0]",
      value: "1.2.3.4/30",
      problem: "overlaps 1.2.3.0/24 of IPAddressPool b",
      remedy: "take the addresses out of one of the two pools",
    };
    const world = {
      cached: () => ({ config: configOf(), cluster: [], namespaceLabels: () => ({}) }),
      errors: () => [error, { ...error, object: "IPAddressPool metallb-system/ab" }],
    };
    await reconcilePool({ ...parts, world }, key);
    expect(cluster.all(pools)[0]?.status?.conditions?.[0]).toMatchObject({
      type: "Valid",
      status: "False",
      message:
        'IPAddressPool metallb-system/a: spec.addresses[0] "1.2.3.4/30" overlaps 1.2.3.0/24 of IPAddressPool b; take the addresses out of one of the two pools.',
    });
  });
});
