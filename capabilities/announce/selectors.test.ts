import { describe, expect, it } from "vitest";
import type { L2Ad } from "../config/config";
import { nodeFacts } from "./facts";
import type { NodeFacts } from "./facts";
import { LAN, ad, adFor, input, node, service } from "./fixtures";
import { planAddresses } from "./plan";
import type { Plan, PlanInput } from "./plan";

/** What MetalLB's end-to-end tests of selectors assert, on the plan. */

const IP = "10.20.30.1";
const services = [service("web", [IP], { labels: { app: "web" } })];

function planFor(ads: readonly L2Ad[], over: Partial<PlanInput> = {}): Plan {
  return planAddresses(input({ services, config: { ...LAN, l2Ads: ads }, ...over }));
}

function ownerFor(ads: readonly L2Ad[], over: Partial<PlanInput> = {}): string | undefined {
  return planFor(ads, over).addresses.get(IP)?.owner;
}

const edge = (name: string): NodeFacts => node(name, { labels: { role: "edge" } });
const forEdge = { nodeSelectors: [{ matchLabels: { role: "edge" } }] };
const preferEdge = (weight = 10): Partial<L2Ad> => ({
  preferredNodes: [{ weight, preference: { matchLabels: { role: "edge" } } }],
});
const forApp = (app: string): Partial<L2Ad> => ({ serviceSelectors: [{ matchLabels: { app } }] });

describe("node selectors", () => {
  it("metallb 172: one node, several, and a label that is added starts the announcement", () => {
    expect(ownerFor([adFor(["iris1"])])).toBe("iris1");
    expect(ownerFor([adFor(["iris1", "iris2"])])).toBe("iris2");
    expect(ownerFor([ad("edge", forEdge)])).toBeUndefined();
    expect(ownerFor([ad("edge", forEdge)], { nodes: [edge("iris1"), node("iris2")] })).toBe(
      "iris1",
    );
  });
});

describe("preferred nodes", () => {
  const nodes = [edge("iris1"), node("iris2")];

  it("metallb 173: are honoured while they have the label; without a match all is as before", () => {
    expect(ownerFor([ad("all", preferEdge())], { nodes })).toBe("iris1");
    expect(ownerFor([ad("all", preferEdge())])).toBe("iris2");
    expect(ownerFor([ad("all")], { nodes })).toBe("iris2");
  });

  it.each(["hash", "spread"] as const)(
    "metallb 173: lose the address when they are not heard and get it back (%s)",
    placement => {
      const holders = new Map([[IP, [{ node: "iris2", epoch: 2 }]]]);
      const ads = [ad("all", preferEdge())];
      expect(ownerFor(ads, { nodes, placement, alive: new Set(["iris2"]) })).toBe("iris2");
      expect(ownerFor(ads, { nodes, placement, holders })).toBe("iris1");
    },
  );

  it("metallb 173: hard nodeSelectors win; where both have nothing in common they decide alone", () => {
    const both = { ...adFor(["iris2"]), ...preferEdge() };
    expect(ownerFor([both], { nodes })).toBe("iris2");
  });

  it("metallb 173: weights add up over advertisements, of those only that fit the Service", () => {
    const byName = (name: string, weight: number): Partial<L2Ad> => ({
      preferredNodes: [{ weight, preference: { matchLabels: { name } } }],
    });
    const ads = [ad("a", byName("iris2", 15)), ad("b", preferEdge(10))];
    expect(ownerFor(ads, { nodes })).toBe("iris2");
    expect(ownerFor([...ads, ad("c", preferEdge(10))], { nodes })).toBe("iris1");
    expect(ownerFor([...ads, ad("c", { ...preferEdge(10), ...forApp("db") })], { nodes })).toBe(
      "iris2",
    );
  });
});

describe("serviceSelectors", () => {
  it("metallb 174: pool and selector must fit; another label withdraws, the old one restores", () => {
    const ads = [ad("web", forApp("web"))];
    expect(ownerFor(ads)).toBe("iris2");
    expect(ownerFor(ads, { services: [service("web", [IP], { labels: { app: "db" } })] })).toBe(
      undefined,
    );
    expect(ownerFor([{ ...ad("web", forApp("web")), pools: ["other"] }])).toBeUndefined();
  });

  it("metallb 174: two advertisements that fit make one announcer", () => {
    const ads = [adFor(["iris1"], forApp("web")), adFor(["iris2"], forApp("web"))];
    const plan = planFor(ads);
    expect([...plan.addresses.values()].map(({ owner }) => owner)).toEqual(["iris2"]);
  });

  it("metallb 174: silence when no advertisement fits both the Service and a node", () => {
    const ads = [adFor(["iris3"], forApp("web")), adFor(["iris1"], forApp("db"))];
    expect(ownerFor(ads)).toBeUndefined();
  });
});

describe("changes of a node", () => {
  it("metallb 156: a kubelet's heartbeat is none that the plan sees; labels and conditions are", () => {
    const at = (lastHeartbeatTime: string, status = "False", labels = {}) =>
      nodeFacts({
        metadata: { name: "iris1", labels, resourceVersion: lastHeartbeatTime },
        status: {
          conditions: [
            { type: "NetworkUnavailable", status, lastHeartbeatTime: new Date(lastHeartbeatTime) },
          ],
          images: [{ names: [lastHeartbeatTime] }],
        },
      });
    const [first, later] = ["2026-01-01T00:00:00Z", "2026-01-01T00:05:00Z"];
    expect(at(later)).toEqual(at(first));
    expect(at(later, "True")).not.toEqual(at(first));
    expect(at(later, "False", { role: "edge" })).not.toEqual(at(first));
  });
});
