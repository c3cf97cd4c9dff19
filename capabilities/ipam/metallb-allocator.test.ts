import { describe, expect, it } from "vitest";
import type { VirtualIP } from "../config/kinds/virtual-ip";
import { virtualIPs } from "./claims";
import { configOf, rawPool, serviceOf } from "./fixtures";
import { createHarness } from "./harness";
import type { Harness } from "./harness";
import { poolUsage } from "./pool-status";

/** What MetalLB's own tests of its allocator ask for (internal/allocator/allocator_test.go), of the whole reconciler. */

const SHARE = "metallb.io/allow-shared-ip";
const IPS = "metallb.io/loadBalancerIPs";
const POOL = "metallb.io/address-pool";
const V6 = { ipFamilies: ["IPv6"], ipFamilyPolicy: "SingleStack" };
const BOTH = { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" };
const PREFER = { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "PreferDualStack" };

type Wish = {
  readonly ask?: string;
  readonly pool?: string;
  readonly key?: string;
  readonly port?: string;
  readonly local?: string;
  readonly spec?: object;
};

/** Puts a Service, lets everything settle, and says its addresses. */
async function put(h: Harness, name: string, wish: Wish = {}): Promise<string> {
  const { ask, pool, key, port = "TCP/80", local, spec = {} } = wish;
  const annotations = {
    ...(ask === undefined ? {} : { [IPS]: ask }),
    ...(pool === undefined ? {} : { [POOL]: pool }),
    ...(key === undefined ? {} : { [SHARE]: key }),
  };
  const [protocol = "TCP", number] = port.split("/");
  await h.put(
    serviceOf(`test/${name}`, {
      annotations,
      spec: {
        ports: [{ protocol, port: Number(number) }],
        externalTrafficPolicy: local === undefined ? "Cluster" : "Local",
        selector: { app: local ?? "web" },
        ...spec,
      },
    }),
  );
  await h.settle();
  return has(h, name);
}

const has = (h: Harness, name: string): string => h.addresses(`test/${name}`).join();

async function remove(h: Harness, ...names: readonly string[]): Promise<void> {
  for (const name of names) await h.remove(`test/${name}`);
  await h.settle();
}

/** Creates that many Services, and says what each got. */
async function fill(h: Harness, count: number, wish: Wish = {}): Promise<readonly string[]> {
  const all: string[] = [];
  for (let i = 1; i <= count; i++) all.push(await put(h, `s${i}`, wish));
  return all;
}

describe.each([
  ["IPv4", "1.2.3.4/30", ["1.2.3.4", "1.2.3.5"], {}],
  ["metallb 60: IPv6", "1000::4/126", ["1000::4", "1000::5"], V6],
] as const)("one address and several Services, %s", (_, range, [first, second], spec) => {
  const setUp = (): Harness => createHarness(rawPool("test", [range]));

  it("metallb 53: the same again for the one that has it is nothing new", async () => {
    const h = setUp();
    expect(await put(h, "s1", { ask: first, spec })).toBe(first);
    const written = h.cluster.writes.length;
    await h.settle();
    expect(h.cluster.writes).toHaveLength(written);
  });

  it("metallb 54: another cannot have it, and the one that has it keeps it", async () => {
    const h = setUp();
    await put(h, "s1", { ask: first, spec });
    expect(await put(h, "s2", { ask: first, spec })).toBe("");
    expect(has(h, "s1")).toBe(first);
  });

  it("metallb 55: what a Service leaves for another address is free at once", async () => {
    const h = setUp();
    await put(h, "s2", { ask: second, spec });
    expect(await put(h, "s2", { ask: first, spec })).toBe(first);
    expect(await put(h, "s1", { ask: second, spec })).toBe(second);
  });

  it("metallb 57: a Service that is alone may change its key", async () => {
    const h = setUp();
    await put(h, "s1", { ask: first, key: "sharing", spec });
    expect(await put(h, "s1", { ask: first, key: "share", spec })).toBe(first);
    expect(await put(h, "s2", { ask: first, key: "share", port: "TCP/81", spec })).toBe(first);
  });

  it.each<[string, Wish, boolean]>([
    ["the same port", { key: "share", port: "TCP/443" }, false],
    ["another key", { key: "other" }, false],
    ["other pods", { key: "share", local: "api" }, false],
    ["no key", {}, false],
    ["the same key, the same pods and another port", { key: "share", local: "web" }, true],
    ["the same port of another protocol", { key: "share", local: "web", port: "UDP/443" }, true],
  ])("metallb 58: a second one with %s", async (__, wish, isIn) => {
    const h = setUp();
    await put(h, "s1", { ask: first, key: "share", port: "TCP/443", local: "web", spec });
    expect(await put(h, "s2", { ask: first, spec, ...wish })).toBe(isIn ? first : "");
    expect(has(h, "s1")).toBe(first);
  });

  it("metallb 59: one of two may change its ports, but neither its key nor its pods", async () => {
    const h = setUp();
    const shared = { ask: first, key: "share", spec };
    await put(h, "s1", { ...shared, port: "TCP/80" });
    await put(h, "s2", { ...shared, port: "TCP/443" });
    expect(await put(h, "s2", { ...shared, port: "UDP/53" })).toBe(first);
    expect(await put(h, "s2", { ...shared, port: "UDP/53", key: "other" })).toBe("");
    expect(await put(h, "s2", { ...shared, port: "UDP/53" })).toBe(first);
    expect(await put(h, "s2", { ...shared, port: "UDP/53", local: "api" })).toBe("");
    expect(has(h, "s1")).toBe(first);
  });
});

describe("explicit addresses", () => {
  it.each([
    ["1.2.4.0", ""],
    ["1.2.4.255", ""],
    ["1.2.4.254", "1.2.4.254"],
  ])("metallb 56: %s of a pool that avoids buggy ones", async (ask, expected) => {
    const h = createHarness(rawPool("buggy", ["1.2.4.0/24"], { avoidBuggyIPs: true }));
    expect(await put(h, "s1", { ask })).toBe(expected);
  });

  it("metallb 61: one of each family from one pool, and (other than there) from two", async () => {
    const h = createHarness(
      rawPool("a", ["1.2.3.4/30", "1000::4/126"]),
      rawPool("b", ["1.2.4.0/24"]),
    );
    expect(await put(h, "s1", { ask: "1.2.3.4,1000::4", spec: BOTH })).toBe("1.2.3.4,1000::4");
    expect(await put(h, "s2", { ask: "1.2.4.5,1000::5", spec: BOTH })).toBe("1.2.4.5,1000::5");
  });

  it("metallb 67: a Service with an IPv4 address has none when it asks for IPv6 only", async () => {
    const h = createHarness(rawPool("a", ["1.2.3.4/30"]));
    expect(await put(h, "s1")).toBe("1.2.3.4");
    expect(await put(h, "s1", { spec: V6 })).toBe("");
    expect(h.claims()).toEqual([]);
  });

  it("metallb 69: of a pool that does not exist there are none", async () => {
    const h = createHarness(rawPool("a", ["1.2.3.4/30"]));
    expect(await put(h, "s1", { pool: "nope" })).toBe("");
    expect(h.claims()).toEqual([]);
  });
});

describe("all addresses of pools", () => {
  it("metallb 63: are given without a change of the configuration", async () => {
    const h = createHarness(rawPool("a", ["1.2.3.4/30", "1000::/127"]));
    const before = h.parts.world.cached().config;
    const text = JSON.stringify(before, (_, value: unknown) =>
      typeof value === "bigint" ? String(value) : value,
    );
    await fill(h, 5, { spec: PREFER });
    await remove(h, "s1", "s3");
    expect(h.parts.world.cached().config).toBe(before);
    expect(
      JSON.stringify(before, (_, value: unknown) =>
        typeof value === "bigint" ? String(value) : value,
      ),
    ).toBe(text);
  });

  it.each([
    [
      "metallb 64: IPv4",
      ["1.2.3.4/31", "1.2.3.10/31"],
      {},
      ["1.2.3.4", "1.2.3.5", "1.2.3.10", "1.2.3.11"],
    ],
    [
      "metallb 65: IPv6, the network's own included",
      ["1000::/127", "2000::/127"],
      V6,
      ["1000::", "1000::1", "2000::", "2000::1"],
    ],
    [
      "metallb 66: both",
      ["1.2.3.4/31", "1.2.3.10/31", "1000::/127", "2000::/127"],
      BOTH,
      ["1.2.3.4,1000::", "1.2.3.5,1000::1", "1.2.3.10,2000::", "1.2.3.11,2000::1"],
    ],
  ])(
    "%s: four are four, a freed one is for the next, and a key makes room for more",
    async (_, ranges, spec, expected) => {
      const h = createHarness(rawPool("a", ranges));
      expect(await fill(h, 5, { spec })).toEqual([...expected, ""]);
      await remove(h, "s1");
      expect(has(h, "s5")).toBe(expected[0]);
      await remove(h, "s5", "s4");
      const shared = { key: "share", spec };
      const own = await put(h, "s6", { ...shared, port: "TCP/80" });
      await put(h, "s7", { spec });
      expect(await put(h, "s8", { spec })).toBe("");
      expect(await put(h, "s9", { ...shared, port: "TCP/443" })).toBe(own);
    },
  );

  it.each<[string, object, readonly string[], string]>([
    ["IPv4 from an IPv4 pool", { ipFamilies: ["IPv4"] }, ["1.2.3.4/30"], "1.2.3.4"],
    ["IPv6 from an IPv6 pool", { ipFamilies: ["IPv6"] }, ["1000::4/126"], "1000::4"],
    ["both of a dual pool", {}, ["1.2.3.4/30", "1000::4/126"], "1.2.3.4,1000::4"],
    ["the one that there is", {}, ["1.2.3.4/30"], "1.2.3.4"],
  ])("metallb 68: PreferDualStack gets %s", async (_, families, ranges, expected) => {
    const h = createHarness(rawPool("a", ranges));
    const spec = { ...PREFER, ...families };
    expect(await put(h, "s1", { spec })).toBe(expected);
  });

  it("metallb 70: of two pools with two each serve four", async () => {
    const h = createHarness(rawPool("a", ["1.2.3.4/31"]), rawPool("b", ["1.2.3.10/31"]));
    expect(await fill(h, 5)).toEqual(["1.2.3.4", "1.2.3.5", "1.2.3.10", "1.2.3.11", ""]);
  });

  it("metallb 71: serve six where two of eight are buggy", async () => {
    const h = createHarness(
      rawPool("a", ["1.2.3.0/31", "1.2.3.254/31"]),
      rawPool("b", ["1.2.4.0/31", "1.2.4.254/31"], { avoidBuggyIPs: true }),
    );
    expect(await fill(h, 7)).toEqual([
      ...["1.2.3.0", "1.2.3.1", "1.2.3.254", "1.2.3.255", "1.2.4.1", "1.2.4.254"],
      "",
    ]);
  });

  it("metallb 72: leave a pool alone that is not for everybody, also when the others are full", async () => {
    const h = createHarness(
      rawPool("a", ["1.2.3.4/32"], { autoAssign: false }),
      rawPool("b", ["1.2.3.10/32"]),
    );
    expect(await fill(h, 2)).toEqual(["1.2.3.10", ""]);
    expect(await put(h, "s3", { pool: "a" })).toBe("1.2.3.4");
  });
});

describe("a change of the pools", () => {
  const DUAL = rawPool("a", ["1.2.3.0/30", "1000::/126"]);

  it.each<[string, object, string, string]>([
    ["to the same", DUAL, "1.2.3.3", "1000::"],
    ["to more", rawPool("a", ["1.2.3.0/24", "1000::/120"]), "1.2.3.3", "1000::"],
    [
      "to fewer that are still enough",
      rawPool("a", ["1.2.3.2/31", "1000::/127"]),
      "1.2.3.3",
      "1000::",
    ],
    ["to none of that family left", rawPool("a", ["1000::/127"]), "", "1000::"],
  ])("metallb 73: %s", async (_, after, v4, v6) => {
    const h = createHarness(DUAL);
    await put(h, "s1", { ask: "1.2.3.3" });
    await put(h, "s2", { spec: V6 });
    h.setPools(after);
    await h.settle();
    expect([has(h, "s1"), has(h, "s2")]).toEqual([v4, v6]);
  });

  it("metallb 74: in two follows each address", async () => {
    const h = createHarness(rawPool("a", ["1.2.3.0/30"]));
    expect(await fill(h, 3)).toEqual(["1.2.3.0", "1.2.3.1", "1.2.3.2"]);
    h.setPools(rawPool("low", ["1.2.3.0/31"]), rawPool("high", ["1.2.3.2/31"]));
    await h.settle();
    const of = (vips: readonly VirtualIP[]) =>
      vips.map(({ spec }) => `${spec.address} ${spec.pool}`);
    expect(of(h.cluster.all(virtualIPs))).toEqual(["1.2.3.0 low", "1.2.3.1 low", "1.2.3.2 high"]);
  });

  it("metallb 74: that begins to avoid buggy ones takes them away", async () => {
    const h = createHarness(rawPool("a", ["1.2.3.0/30"]));
    expect(await put(h, "s1")).toBe("1.2.3.0");
    h.setPools(rawPool("a", ["1.2.3.0/30"], { avoidBuggyIPs: true }));
    await h.settle();
    expect(has(h, "s1")).toBe("1.2.3.1");
  });

  it("metallb 76: counts the addresses that are in use, and down to nothing", async () => {
    const h = createHarness(rawPool("a", ["1.2.3.4/30", "1000::4/126"]));
    const [pool] = configOf(rawPool("a", ["1.2.3.4/30", "1000::4/126"])).pools;
    const inUse = (): number => poolUsage(pool!, h.cluster.all(virtualIPs)).assignedIPv4;
    const counts: number[] = [];
    for (const port of ["TCP/1", "TCP/2", "TCP/3"]) {
      await put(h, port.replace("TCP/", "s"), { key: "k", port });
      counts.push(inUse());
    }
    for (const name of ["s1", "s2", "s3"]) {
      await remove(h, name);
      counts.push(inUse());
    }
    expect(counts).toEqual([1, 1, 1, 1, 1, 0]);
  });

  it("metallb 77: that leaves none leaves nothing to count", async () => {
    const h = createHarness(rawPool("a", ["1.2.3.4/30"]));
    await fill(h, 2);
    h.setPools();
    await h.settle();
    expect(h.claims()).toEqual([]);
    expect([has(h, "s1"), has(h, "s2")]).toEqual(["", ""]);
  });
});
