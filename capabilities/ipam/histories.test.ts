import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAddress } from "../config/address";
import type { IpAddress } from "../config/address";
import { poolOf } from "../config/config";
import { virtualIPs } from "./claims";
import { ip, rawPool, serviceOf } from "./fixtures";
import { createHarness } from "./harness";
import type { Harness } from "./harness";
import type { Service } from "./service";

const POOLS = [
  rawPool("a", ["10.0.0.4/31", "10.0.0.0/31"]),
  rawPool("b", ["10.0.1.0-10.0.1.2", "fd00::/127"]),
  rawPool("c", ["10.0.2.0/30"], { avoidBuggyIPs: true }),
  rawPool("d", ["fd00:1::/126"]),
];
const ALL4 = ["10.0.0.0", "10.0.0.1", "10.0.0.4", "10.0.0.5", "10.0.1.0", "10.0.1.1", "10.0.1.2"];

const families = fc.constantFrom<NonNullable<Service["spec"]>[]>(
  { ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack" },
  { ipFamilies: ["IPv6"], ipFamilyPolicy: "SingleStack" },
  { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" },
  { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "PreferDualStack" },
);
const name = fc.constantFrom("s/1", "s/2", "s/3", "s/4", "s/5", "s/6", "s/7", "s/8");
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("put" as const), name, families }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("remove" as const), name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("retire" as const), name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restart" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("pools" as const), kept: fc.subarray(POOLS) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function play(h: Harness, steps: readonly Step[]): Promise<void> {
  const names = new Set<string>();
  for (const one of steps) {
    if (one.do === "put") {
      names.add(one.name);
      await h.put(serviceOf(one.name, { spec: one.families }));
    } else if (one.do === "retire" && names.has(one.name)) {
      await h.put(serviceOf(one.name, { spec: { type: "ClusterIP" } }));
    } else if (one.do === "remove" && names.delete(one.name)) await h.remove(one.name);
    else if (one.do === "pools") h.setPools(...one.kept);
    else if (one.do === "restart") h.restart();
    await h.settle();
    check(h, [...names]);
  }
}

/** What must hold at any time, whatever has happened. */
function check(h: Harness, names: readonly string[]): void {
  const { config } = h.parts.world.cached();
  const used = names.flatMap(key => h.addresses(key));
  expect(new Set(used).size, "no address twice").toBe(used.length);
  expect([...used].sort(), "none lost, none held for nobody").toEqual(
    h.cluster
      .all(virtualIPs)
      .map(({ spec }) => spec.address)
      .sort(),
  );
  for (const address of used.map(ip)) {
    expect(poolOf(config, address), "none outside the pools").toBeDefined();
    expect(isLeftOut(config, address), "none that is avoided").toBe(false);
  }
}

function isLeftOut(config: Parameters<typeof poolOf>[0], address: IpAddress): boolean {
  return poolOf(config, address)?.avoidBuggyIPs === true && formatAddress(address).endsWith(".0");
}

describe("any history of pools and Services", () => {
  it("leaves no address twice, lost, or outside its pool; and the same history ends the same", async () => {
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

  it("gives a new Service the lowest free address of the first pool", async () => {
    const scenario = fc.tuple(fc.subarray(["1", "2", "3", "4", "5", "6"]), fc.nat(6));
    await fc.assert(
      fc.asyncProperty(scenario, async ([removed, count]) => {
        const h = createHarness(...POOLS);
        const all = ["1", "2", "3", "4", "5", "6"];
        for (const key of all) {
          await h.put(serviceOf(`s/${key}`));
          await h.settle();
        }
        for (const key of removed) await h.remove(`s/${key}`);
        await h.settle();
        for (let i = 0; i < count; i++) {
          const free = ALL4.filter(text => !h.claims().includes(text));
          await h.put(serviceOf(`new/${i}`));
          await h.settle();
          if (free[0] !== undefined) expect(h.addresses(`new/${i}`)).toEqual([free[0]]);
        }
      }),
      { numRuns: 40 },
    );
  });
});
