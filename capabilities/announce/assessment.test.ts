import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAddress } from "../config/address";
import { createAssessor } from "./assessment";
import type { AssessorInput } from "./assessment";
import { LAN, ad, input, node, pool, service } from "./fixtures";
import type { Holder } from "./holders";

const NODES = ["a", "b", "c", "d"];
const ADDRESSES = ["10.20.30.1", "10.20.30.2", "10.20.40.1", "192.0.2.1"];
const someNodes = fc.subarray(NODES);
const label = fc.constantFrom("red", "blue");

const anyAd = fc.record({
  pools: fc.subarray(["lan", "other"]),
  serviceSelectors: fc.array(fc.record({ matchLabels: fc.record({ color: label }) }), {
    maxLength: 1,
  }),
  nodeSelectors: fc.array(fc.record({ matchLabels: fc.record({ zone: label }) }), { maxLength: 1 }),
  interfaces: fc.subarray(["eth0", "eth1"]),
  preferredNodes: fc.array(
    fc.record({
      weight: fc.integer({ min: 1, max: 9 }),
      preference: fc.record({ matchLabels: fc.record({ zone: label }) }),
    }),
    { maxLength: 2 },
  ),
});

const anyService = fc.record({
  address: fc.constantFrom(...ADDRESSES),
  labels: fc.record({ color: label }),
  isLocal: fc.boolean(),
  hasEndpoint: fc.boolean(),
  isShared: fc.boolean(),
  endpointNodes: someNodes.map(names => new Set(names)),
});

const anyCluster = fc.record({
  ads: fc.array(anyAd, { maxLength: 3 }),
  services: fc.array(anyService, { minLength: 1, maxLength: 12 }),
  zones: fc.array(label, { minLength: NODES.length, maxLength: NODES.length }),
  alive: fc.option(
    someNodes.map(names => new Set(names)),
    { nil: "unknown" as const },
  ),
  holders: fc.dictionary(fc.constantFrom(...ADDRESSES), someNodes),
});

describe("an assessor", () => {
  it("finds for each of many Services what it would find for that one alone", () => {
    fc.assert(
      fc.property(anyCluster, cluster => {
        const facts = inputOf(cluster);
        const services = cluster.services.map(({ address, ...over }, i) =>
          service(`s${i}`, [address], over),
        );
        const one = createAssessor(facts);
        for (const known of services) {
          const [address = ""] = known.addresses;
          const ip = parseAddress(address);
          const found = one.assess(known, address, ip);
          const alone = createAssessor(facts);
          expect(found).toEqual(alone.assess(known, address, ip));
          for (const name of [...NODES, "nobody"]) {
            expect(one.interfacesOf(found.ads, name)).toEqual(alone.interfacesOf(found.ads, name));
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("does not keep for another what a silent holder may go on with", () => {
    const alive = new Set(["b"]);
    const [held = "", free = ""] = ADDRESSES;
    const facts = inputOf({ ads: [], zones: [], alive, holders: { [held]: ["a"] } });
    const one = createAssessor({ ...facts, config: LAN });
    const names = (address: string): readonly string[] =>
      one
        .assess(service("s", [address]), address, parseAddress(address))
        .candidates.map(candidate => candidate.node);
    expect(names(free)).toEqual(["b"]);
    expect(names(held)).toEqual(["a", "b"]);
    expect(names(free)).toEqual(["b"]);
  });
});

type Drawn = Pick<
  typeof anyCluster extends fc.Arbitrary<infer T> ? T : never,
  "ads" | "zones" | "alive" | "holders"
>;

function inputOf({ ads, zones, alive, holders }: Drawn): AssessorInput {
  return input({
    nodes: NODES.map((name, i) => node(name, { labels: { zone: zones[i] ?? "red" } })),
    alive,
    holders: new Map(
      Object.entries(holders).map(([address, names]): [string, readonly Holder[]] => [
        address,
        names.map(name => ({ node: name, epoch: 1 })),
      ]),
    ),
    config: {
      ...LAN,
      pools: [pool("lan", "10.20.30.0/24"), pool("other", "10.20.40.0/24")],
      l2Ads: ads.map((over, i) => ad(`ad${i}`, over)),
    },
  });
}
