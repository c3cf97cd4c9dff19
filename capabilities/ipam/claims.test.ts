import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { VirtualIP } from "../config/kinds/virtual-ip";
import { createClaimer } from "./claimer";
import { createClaims, virtualIPs } from "./claims";
import { createFakeCluster } from "./fake-cluster";
import type { FakeCluster } from "./fake-cluster";
import { configOf, ip, rawPool } from "./fixtures";
import { createLedger } from "./ledger";
import type { Ledger } from "./ledger";
import { serve } from "./serve";

const [pool] = configOf(rawPool("pool", ["10.0.0.0/29"])).pools;
const want = { families: ["ipv4"], all: true } as const;
const choice = (text: string) => ({ address: ip(text), pool: pool! });
const holder = (name: string, more = {}) => ({
  namespace: "shop",
  name,
  claimedAt: "2026-01-01T00:00:00.000Z",
  ...more,
});

/** A process: its own cache, which sees the cluster's changes when `deliver` lets it. */
function createProcess(cluster: FakeCluster, ledger: Ledger = createLedger()) {
  return { ledger, claims: createClaims(cluster.client, ledger) };
}

describe("claims", () => {
  it("of three processes at once, in any order of their calls, never get one address twice", async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async scheduler => {
        const cluster = createFakeCluster();
        const processes = [1, 2, 3].map(i =>
          createProcess(
            cluster,
            createLedger(() => i / 4),
          ),
        );
        cluster.beforeWrite = () => scheduler.schedule(Promise.resolve());
        cluster.onChange = (_, name, vip) => {
          for (const { ledger } of processes) {
            void scheduler.schedule(Promise.resolve()).then(() => {
              if (vip) ledger.observe(vip as VirtualIP);
              else ledger.forget(name);
            });
          }
        };
        const served = Array.from({ length: 8 }, async (_, i) => {
          const { claims, ledger } = processes[i % 3]!;
          const mine = holder(`s${i}`);
          const claimer = createClaimer({ claims, ledger, mine, now: () => 0 });
          return serve({ want, current: [], pools: [pool!] }, claimer);
        });
        const results = await scheduler.waitFor(Promise.all(served));
        const got = results.flatMap(({ choices }) => choices.map(({ address }) => address.value));
        expect(new Set(got).size).toBe(8);
        expect(cluster.all(virtualIPs)).toHaveLength(8);
      }),
      { numRuns: 100 },
    );
  });

  it("of two processes that hear of each other late seldom go for the same address", async () => {
    const [big] = configOf(rawPool("pool", ["10.0.0.0/24"])).pools;
    const cluster = createFakeCluster();
    let lost = 0;
    const processes = [0.2, 0.7].map(random => {
      const ledger = createLedger(() => random);
      const noteLost = (now: number) => {
        lost += 1;
        ledger.noteLost(now);
      };
      return createProcess(cluster, { ...ledger, noteLost });
    });
    const late: VirtualIP[] = [];
    cluster.onChange = (_, __, vip) => late.push(vip as VirtualIP);
    const got = new Set<bigint>();
    for (let i = 0; i < 200; i++) {
      const { claims, ledger } = processes[i % 2]!;
      const claimer = createClaimer({ claims, ledger, mine: holder(`s${i}`), now: () => i });
      const served = await serve({ want, current: [], pools: [big!] }, claimer);
      served.choices.forEach(({ address }) => got.add(address.value));
      for (const vip of late.splice(0, late.length - 6)) {
        processes.forEach(process => {
          process.ledger.observe(vip);
        });
      }
    }
    expect(got.size).toBe(200);
    expect(lost).toBeLessThan(60);
  });

  it("metallb 53: an address held again by its holder costs nothing", async () => {
    const cluster = createFakeCluster();
    const { claims } = createProcess(cluster);
    await claims.hold(choice("10.0.0.1"), "requested", holder("a"));
    await claims.hold(choice("10.0.0.1"), "requested", holder("a"));
    expect(cluster.writes).toEqual(["create virtualips 10.0.0.1"]);
  });

  it("metallb 54: an address of another is refused and stays his, also for a stale cache", async () => {
    const cluster = createFakeCluster();
    const [one, two] = [createProcess(cluster), createProcess(cluster)];
    await one.claims.hold(choice("10.0.0.1"), "requested", holder("a"));
    const result = await two.claims.hold(choice("10.0.0.1"), "requested", holder("b"));
    expect(result).toMatchObject({ ok: false, refusal: { by: { name: "a" } } });
    expect(cluster.all(virtualIPs)[0]?.spec.holders).toHaveLength(1);
  });

  it("believes no cache that says an address is held, when it is free by now", async () => {
    const cluster = createFakeCluster();
    const { claims, ledger } = createProcess(cluster);
    await claims.hold(choice("10.0.0.1"), "requested", holder("a"));
    await cluster.client.delete(virtualIPs, "10.0.0.1");
    expect(ledger.get(ip("10.0.0.1"))).toBeDefined();
    const result = await claims.hold(choice("10.0.0.1"), "requested", holder("b"));
    expect(result).toMatchObject({ ok: true, vip: { spec: { holders: [{ name: "b" }] } } });
  });

  it("two that join a shared address at once are both in", async () => {
    const cluster = createFakeCluster();
    const [one, two, three] = [1, 2, 3].map(() => createProcess(cluster));
    const sharer = (name: string, port: number) =>
      holder(name, { sharingKey: "k", backendKey: "", ports: [{ protocol: "TCP", port }] });
    await one!.claims.hold(choice("10.0.0.1"), "requested", sharer("a", 1));
    await Promise.all([
      two!.claims.hold(choice("10.0.0.1"), "shared", sharer("b", 2)),
      three!.claims.hold(choice("10.0.0.1"), "shared", sharer("c", 3)),
    ]);
    const names = cluster.all(virtualIPs)[0]?.spec.holders.map(({ name }) => name);
    expect(names?.sort()).toEqual(["a", "b", "c"]);
  });

  it("release nothing that has changed since it was looked at", async () => {
    const cluster = createFakeCluster();
    const [one, two] = [createProcess(cluster), createProcess(cluster)];
    await one.claims.hold(choice("10.0.0.1"), "requested", holder("a", { uid: "old" }));
    const seen = (await two.claims.read(ip("10.0.0.1")))!;
    await one.claims.hold(choice("10.0.0.1"), "requested", holder("a", { claimId: "new" }));
    await expect(two.claims.release(seen, () => true)).rejects.toMatchObject({
      reason: "Conflict",
    });
    expect(cluster.all(virtualIPs)).toHaveLength(1);
  });
});
