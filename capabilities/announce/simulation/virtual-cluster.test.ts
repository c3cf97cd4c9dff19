import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { VirtualCluster } from "./virtual-cluster";
import type { Event } from "./virtual-cluster";
import { INTERVAL_MS } from "./virtual-node";

/** Histories per property; the suite takes seconds, a longer search as many as it is given. */
const HISTORIES = Number(process.env["ANCHO_HISTORIES"] ?? 30);
const SETTLE_MS = 1000;

const node = fc.nat(4);
const share = fc.constantFrom(0, 0.05, 0.2, 0.5);
const harmless: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ do: fc.constant("freeze" as const), node }),
  fc.record({ do: fc.constant("thaw" as const), node }),
  fc.record({ do: fc.constant("restart" as const), node }),
  fc.record({ do: fc.constant("lose" as const), share: fc.constantFrom(0, 0.2, 0.5, 1) }),
  fc.record({ do: fc.constant("lose" as const), share: fc.constantFrom(0, 1), from: node }),
);
const any: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ do: fc.constant("cut" as const), node }),
  fc.record({ do: fc.constant("power" as const), node }),
  fc.record({ do: fc.constant("freeze" as const), node }),
  fc.record({ do: fc.constant("thaw" as const), node }),
  fc.record({ do: fc.constant("restart" as const), node }),
  fc.record({ do: fc.constant("split" as const), bits: fc.nat(31) }),
  fc.record({ do: fc.constant("heal" as const) }),
  fc.record({ do: fc.constant("lose" as const), share }),
);
const waits = fc.integer({ min: 5, max: 800 });
const history = (event: fc.Arbitrary<Event>) => fc.array(fc.tuple(event, waits), { maxLength: 8 });
const size = fc.integer({ min: 1, max: 5 });
const count = fc.integer({ min: 1, max: 6 });
const seed = fc.nat();

/** Nodes that have found each other, and addresses that are placed. */
function settled(nodes: number, addresses: number, from: number): VirtualCluster {
  const cluster = new VirtualCluster(nodes, addresses, from);
  cluster.run(SETTLE_MS);
  cluster.announce(100);
  cluster.run(SETTLE_MS);
  return cluster;
}

/** All is well again: every node has power and runs, and the LAN is whole. */
function mend(cluster: VirtualCluster): void {
  cluster.apply({ do: "heal" });
  cluster.apply({ do: "lose", share: 0 });
  cluster.nodes.forEach((_, index) => {
    cluster.apply({ do: "thaw", node: index });
    cluster.apply({ do: "power", node: index });
  });
}

function hearAgain(cluster: VirtualCluster): void {
  cluster.apply({ do: "lose", share: 0 });
  cluster.nodes.forEach((_, index) => {
    cluster.apply({ do: "thaw", node: index });
  });
  cluster.run(SETTLE_MS);
}

const ownersOf = (cluster: VirtualCluster): readonly (readonly string[])[] =>
  cluster.addresses.map(address =>
    cluster.nodes.filter(one => one.kernel.has(address)).map(({ name }) => name),
  );

const runs = { numRuns: HISTORIES };

/** An owner stands still, and a node that starts meanwhile takes its address: both have the same epoch. */
const frozenWhileAnotherStarts: [number, number, number, [Event, number][]] = [
  ...([3, 3, 1_636_677_565] as const),
  [
    [{ do: "freeze", node: 0 }, 5],
    [{ do: "restart", node: 1 }, 216],
    [{ do: "heal" }, 61],
  ],
];

describe("a cluster in virtual time", { timeout: 60_000 + HISTORIES * 500 }, () => {
  it("every address has one owner, and k addresses on n nodes never collide", () => {
    fc.assert(
      fc.property(size, count, seed, (nodes, addresses, from) => {
        const owners = ownersOf(settled(nodes, addresses, from));
        for (const list of owners) expect(list).toHaveLength(1);
        const loads = new Map<string, number>();
        for (const [name = ""] of owners) loads.set(name, (loads.get(name) ?? 0) + 1);
        expect(Math.max(...loads.values())).toBe(Math.ceil(addresses / nodes));
      }),
      runs,
    );
  });

  it("lost heartbeats, frozen and restarted announcers move nothing: no move without a cause", () => {
    fc.assert(
      fc.property(size, count, seed, history(harmless), (nodes, addresses, from, events) => {
        const cluster = settled(nodes, addresses, from);
        const before = ownersOf(cluster);
        for (const [event, wait] of events) {
          // Who starts while nobody is heard cannot know of the others.
          if (event.do === "restart") hearAgain(cluster);
          cluster.apply(event);
          cluster.run(event.do === "restart" ? SETTLE_MS : wait);
          expect(ownersOf(cluster)).toEqual(before);
        }
        mend(cluster);
        cluster.run(SETTLE_MS);
        expect(ownersOf(cluster)).toEqual(before);
      }),
      runs,
    );
  });

  it("whatever happened, a second after it is over every address has exactly one owner", () => {
    fc.assert(
      fc.property(size, count, seed, history(any), (nodes, addresses, from, events) => {
        const cluster = settled(nodes, addresses, from);
        for (const [event, wait] of events) {
          cluster.apply(event);
          cluster.run(wait);
        }
        mend(cluster);
        cluster.run(SETTLE_MS);
        for (const list of ownersOf(cluster)) expect(list).toHaveLength(1);
      }),
      runs,
    );
  });

  it("of two owners that hear each other, one is none any more within a heartbeat", () => {
    fc.assert(
      fc.property(size, count, seed, history(any), (nodes, addresses, from, events) => {
        const cluster = settled(nodes, addresses, from);
        for (const [event, wait] of events) {
          cluster.apply(event);
          watchDuels(cluster, wait);
        }
        mend(cluster);
        watchDuels(cluster, SETTLE_MS);
      }),
      { ...runs, examples: [frozenWhileAnotherStarts] },
    );
  });

  it("a node that returns takes nothing back", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 5 }),
        count,
        seed,
        node,
        (nodes, addresses, from, lost) => {
          const cluster = settled(nodes, addresses, from);
          cluster.apply({ do: "cut", node: lost });
          cluster.run(SETTLE_MS);
          const name = `n${lost % nodes}`;
          const kept = (): readonly string[] =>
            ownersOf(cluster).map(list => list.filter(one => one !== name).join());
          const before = kept();
          expect(before).not.toContain("");
          cluster.apply({ do: "power", node: lost });
          cluster.run(2 * SETTLE_MS);
          expect(kept()).toEqual(before);
          expect(cluster.nodes[lost % nodes]!.kernel.size).toBe(0);
        },
      ),
      runs,
    );
  });

  it("rebalancing ends with an even spread; every address is answered for all the while", () => {
    const several = fc.integer({ min: 2, max: 5 });
    fc.assert(
      fc.property(several, count, seed, (nodes, addresses, from) => {
        const cluster = settled(nodes, addresses, from);
        cluster.apply({ do: "cut", node: 0 });
        cluster.run(SETTLE_MS);
        cluster.apply({ do: "power", node: 0 });
        cluster.run(SETTLE_MS);
        for (let moves = 0; moves < addresses; moves++) {
          for (const one of cluster.nodes) one.rebalance();
          for (let at = 0; at < SETTLE_MS; at += 10) {
            cluster.run(10);
            for (const list of ownersOf(cluster)) expect(list.length).toBeGreaterThan(0);
          }
        }
        const loads = cluster.nodes.map(({ kernel }) => kernel.size);
        expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
        expect(loads.reduce((sum, load) => sum + load)).toBe(addresses);
      }),
      runs,
    );
  });

  it("nodes that are so short of CPU that they stand still again and again take over, too", () => {
    const several = fc.integer({ min: 2, max: 5 });
    const starved = fc.tuple(fc.integer({ min: 65, max: 400 }), fc.integer({ min: 5, max: 40 }));
    const cycles = fc.array(starved, { minLength: 40, maxLength: 40 });
    fc.assert(
      fc.property(several, count, seed, cycles, (nodes, addresses, from, all) => {
        const cluster = settled(nodes, addresses, from);
        cluster.apply({ do: "cut", node: 0 });
        const alive = cluster.nodes.slice(1);
        for (const [still, runs] of all) {
          alive.forEach((_, index) => {
            cluster.apply({ do: "freeze", node: index + 1 });
          });
          cluster.run(still);
          alive.forEach((_, index) => {
            cluster.apply({ do: "thaw", node: index + 1 });
          });
          cluster.run(runs);
        }
        for (const address of cluster.addresses) {
          expect(alive.some(one => one.kernel.has(address))).toBe(true);
        }
      }),
      runs,
    );
  });

  it("a power cut of an owner is over after three intervals and some", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 5 }), count, seed, (nodes, addresses, from) => {
        const cluster = settled(nodes, addresses, from);
        cluster.apply({ do: "cut", node: 0 });
        cluster.run(4.5 * INTERVAL_MS);
        const alive = cluster.nodes.slice(1);
        for (const address of cluster.addresses) {
          expect(alive.filter(one => one.kernel.has(address))).toHaveLength(1);
        }
      }),
      runs,
    );
  });
});

/** Fails if two nodes still own an address that have each heard the present claim of the other one. */
function watchDuels(cluster: VirtualCluster, ms: number): void {
  let duels = new Map<string, number>();
  const end = cluster.now + ms;
  while (cluster.now < end) {
    cluster.run(5);
    const seen = new Map<string, number>();
    for (const { key, a, b } of duelsOf(cluster)) {
      const since = duels.get(key) ?? cluster.now;
      seen.set(key, since);
      const isKnown = cluster.lastHeard(a, b) > since && cluster.lastHeard(b, a) > since;
      expect(isKnown, `a duel goes on: ${key}`).toBe(false);
    }
    duels = seen;
  }
}

function duelsOf(cluster: VirtualCluster) {
  return cluster.addresses.flatMap(address => {
    const owners = cluster.nodes.filter(one => cluster.isRunning(one) && one.owns(address));
    return owners.flatMap((a, i) =>
      owners.slice(i + 1).map(b => {
        const claims = [a, b].map(one => `${one.name} ${one.epochOf(address)}`);
        return { key: [address, ...claims].join(" "), a: a.name, b: b.name };
      }),
    );
  });
}
