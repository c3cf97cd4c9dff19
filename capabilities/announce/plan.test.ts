import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { L2Ad } from "../config/config";
import { NOT_READY_LONG_MS } from "./eligibility";
import { EXCLUDE_LABEL } from "./facts";
import type { ServiceFacts } from "./facts";
import { planAddresses } from "./plan";
import type { Plan, PlanInput, Verdict } from "./plan";
import { LAN, ad, adFor, input, localService, node, pool, service } from "./fixtures";

const IP = "10.20.30.1";
const IP2 = "10.20.30.2";

function ownerOf(plan: Plan, address = IP): string | undefined {
  return plan.addresses.get(address)?.owner;
}

function planFor(services: readonly ServiceFacts[], over: Partial<PlanInput> = {}): Plan {
  return planAddresses(input({ services, ...over }));
}

function withAds(...l2Ads: readonly L2Ad[]): Partial<PlanInput> {
  return { config: { ...LAN, l2Ads } };
}

function verdictOf(plan: Plan, key: string): Verdict {
  return plan.verdicts.find(({ service: name }) => name === `default/${key}`)!;
}

describe("externalTrafficPolicy Local", () => {
  it("metallb 110: the node with the endpoints announces, the other is no candidate", () => {
    const plan = planFor([localService("web", [IP], ["iris1"])]);
    expect(ownerOf(plan)).toBe("iris1");
    expect(verdictOf(plan, "web").refusals.get("iris2")).toBe("noLocalEndpoint");
  });

  it("metallb 111: nobody announces without an endpoint that serves", () => {
    const plan = planFor([localService("web", [IP], [])]);
    expect(plan.addresses.size).toBe(0);
    expect(verdictOf(plan, "web")).toMatchObject({ reason: "noEndpoints" });
  });

  it("metallb 112: endpoints on both nodes: iris2 has .1", () => {
    expect(ownerOf(planFor([localService("web", [IP], ["iris1", "iris2"])]))).toBe("iris2");
  });

  it("metallb 113: two Services with endpoints on both: iris2 gets .1 and iris1 gets .2", () => {
    const both = ["iris1", "iris2"];
    const plan = planFor([localService("a", [IP], both), localService("b", [IP2], both)]);
    expect([ownerOf(plan), ownerOf(plan, IP2)]).toEqual(["iris2", "iris1"]);
  });

  it("metallb 114: iris2's endpoints unready: iris1 takes .1 too", () => {
    const plan = planFor([localService("a", [IP], ["iris1"]), localService("b", [IP2], ["iris1"])]);
    expect([ownerOf(plan), ownerOf(plan, IP2)]).toEqual(["iris1", "iris1"]);
  });
});

describe("externalTrafficPolicy Cluster", () => {
  it("metallb 116: the owner need not have an endpoint", () => {
    const plan = planFor([service("web", [IP], { endpointNodes: new Set(["iris1"]) })]);
    expect(ownerOf(plan)).toBe("iris2");
  });

  it("metallb 117: each of 255 addresses has one owner, whatever the Service's name; both get some", () => {
    const owners = Array.from({ length: 255 }, (_, i) => {
      const ip = `10.20.30.${i + 1}`;
      const plan = planFor([service(`a${i}`, [ip], { endpointNodes: new Set(["iris1"]) })]);
      const other = planFor([service(`b${i}`, [ip], { endpointNodes: new Set(["iris2"]) })]);
      expect(ownerOf(other, ip)).toBe(ownerOf(plan, ip));
      return ownerOf(plan, ip);
    });
    expect(new Set(owners)).toEqual(new Set(["iris1", "iris2"]));
  });

  it("metallb 109: without membership all known nodes are candidates", () => {
    expect(ownerOf(planFor([service("web", [IP])], { alive: "unknown" }))).toBe("iris2");
    expect(ownerOf(planFor([service("web", [IP])], { alive: new Set(["iris1"]) }))).toBe("iris1");
  });
});

describe("advertisements", () => {
  it("metallb 118: only the advertised node announces; the other has no matching advertisement", () => {
    const plan = planFor([service("web", [IP])], withAds(adFor(["iris1"])));
    expect(ownerOf(plan)).toBe("iris1");
    expect(verdictOf(plan, "web").refusals.get("iris2")).toBe("noMatchingAdvertisement");
  });

  it("metallb 119: endpoint on iris1, advertised on iris2 only: nobody, and each node's reason", () => {
    const plan = planFor([localService("web", [IP], ["iris1"])], withAds(adFor(["iris2"])));
    expect(plan.addresses.size).toBe(0);
    const verdict = verdictOf(plan, "web");
    expect(verdict).toMatchObject({ reason: "noEligibleNode" });
    expect([...verdict.refusals]).toEqual([
      ["iris1", "noMatchingAdvertisement"],
      ["iris2", "noLocalEndpoint"],
    ]);
    expect("message" in verdict && verdict.message).toContain("iris2 has no endpoint that serves");
  });

  it("without one that covers the pool, the verdict says so", () => {
    const verdict = verdictOf(planFor([service("web", [IP])], withAds()), "web");
    expect(verdict).toMatchObject({ reason: "noMatchingAdvertisement" });
    expect("message" in verdict && verdict.message).toContain(
      "no L2Advertisement announces pool lan",
    );
  });

  it("an address that is in no pool is not announced", () => {
    expect(verdictOf(planFor([service("web", ["192.0.2.1"])]), "web")).toMatchObject({
      reason: "notInPool",
    });
  });

  it("metallb 121: serviceSelectors: empty means all, several are an OR, none matching is silence", () => {
    const select = (...values: string[]): L2Ad =>
      ad("lan", { serviceSelectors: values.map(app => ({ matchLabels: { app } })) });
    const web = service("web", [IP], { labels: { app: "web" } });
    expect(ownerOf(planFor([web], withAds(select())))).toBe("iris2");
    expect(ownerOf(planFor([web], withAds(select("db", "web"))))).toBe("iris2");
    expect(verdictOf(planFor([web], withAds(select("db"))), "web")).toMatchObject({
      reason: "noMatchingAdvertisement",
    });
  });

  it("metallb 122: a shared address is not announced by an advertisement with serviceSelectors", () => {
    const selecting = ad("selecting", { serviceSelectors: [{ matchLabels: { app: "web" } }] });
    const shared = service("web", [IP], { labels: { app: "web" }, isShared: true });
    for (const ads of [[selecting], [ad("plain"), selecting]]) {
      expect(verdictOf(planFor([shared], withAds(...ads)), "web")).toMatchObject({
        reason: "sharedIPWithServiceSelector",
      });
    }
    expect(ownerOf(planFor([shared], withAds(ad("plain"))))).toBe("iris2");
    expect(ownerOf(planFor([{ ...shared, isShared: false }], withAds(selecting)))).toBe("iris2");
  });

  it("metallb 123: interfaces per node: one election, the owner announces on its own", () => {
    const ads = [
      adFor(["iris1"], { interfaces: ["eth0"] }),
      adFor(["iris2"], { interfaces: ["eth1"] }),
    ];
    const plan = planFor([service("a", [IP]), service("b", [IP2])], withAds(...ads));
    expect(plan.addresses.get(IP)).toMatchObject({ owner: "iris2", interfaces: ["eth1"] });
    expect(plan.addresses.get(IP2)).toMatchObject({ owner: "iris1", interfaces: ["eth0"] });
  });

  it("metallb 124: only nodes of advertisements that match this Service are candidates", () => {
    const foo = adFor(["iris1"], { serviceSelectors: [{ matchLabels: { app: "foo" } }] });
    const bar = adFor(["iris2"], { serviceSelectors: [{ matchLabels: { app: "bar" } }] });
    const services = [
      service("foo", [IP], { labels: { app: "foo" } }),
      service("bar", [IP2], { labels: { app: "bar" } }),
    ];
    const plan = planFor(services, withAds(foo, bar));
    expect([ownerOf(plan), ownerOf(plan, IP2)]).toEqual(["iris1", "iris2"]);
    expect(verdictOf(plan, "foo").refusals.get("iris2")).toBe("noMatchingAdvertisement");
  });

  it("metallb 125: interfaces of several advertisements add up, and one without any means all", () => {
    const eth0 = ad("a", { interfaces: ["eth0"] });
    const eth1 = ad("b", { interfaces: ["eth1", "eth0"] });
    const services = [service("web", [IP])];
    expect(planFor(services, withAds(eth1, eth0)).addresses.get(IP)?.interfaces).toEqual([
      "eth0",
      "eth1",
    ]);
    expect(planFor(services, withAds(eth0, ad("c"))).addresses.get(IP)?.interfaces).toBe("all");
  });
});

describe("nodes", () => {
  const excluded = (name: string) => node(name, { labels: { [EXCLUDE_LABEL]: "" } });
  const services = [service("web", [IP])];

  it.each([
    ["iris2", [node("iris1"), excluded("iris2")], "iris1"],
    ["iris1", [excluded("iris1"), node("iris2")], "iris2"],
    ["both", [excluded("iris1"), excluded("iris2")], undefined],
  ])("metallb 120: exclude label on %s", (_, nodes, owner) => {
    expect(ownerOf(planFor(services, { nodes }))).toBe(owner);
  });

  it("metallb 120: exclude label on both, ignored, Local: the node with the endpoint", () => {
    const nodes = [excluded("iris1"), excluded("iris2")];
    const local = [localService("web", [IP], ["iris1"])];
    expect(ownerOf(planFor(local, { nodes, ignoreExcludeLabel: true }))).toBe("iris1");
  });

  it("metallb 168: NetworkUnavailable moves the address and clearing it moves it back", () => {
    const nodes = [node("iris1"), node("iris2", { isNetworkUnavailable: true })];
    expect(ownerOf(planFor(services, { nodes }))).toBe("iris1");
    expect(ownerOf(planFor(services))).toBe("iris2");
  });
});

describe("nodes that kubelet or an administrator gave up", () => {
  const services = [service("web", [IP])];
  const at = (now: number, ...nodes: readonly ReturnType<typeof node>[]) =>
    planFor(services, { nodes, now });

  it("a node is refused when it is not Ready since long, not before", () => {
    const nodes = [node("iris1"), node("iris2", { notReadySince: 1000 })];
    expect(ownerOf(at(1000 + NOT_READY_LONG_MS - 1, ...nodes))).toBe("iris2");
    const plan = at(1000 + NOT_READY_LONG_MS, ...nodes);
    expect(ownerOf(plan)).toBe("iris1");
    expect(verdictOf(plan, "web").refusals.get("iris2")).toBe("notReady");
  });

  it("when no node is Ready, that says nothing of the nodes", () => {
    const nodes = [node("iris1", { notReadySince: 0 }), node("iris2", { notReadySince: 0 })];
    expect(ownerOf(at(NOT_READY_LONG_MS, ...nodes))).toBe("iris2");
  });

  it("a node that is out of service is refused at once, also when it is the only one", () => {
    const gone = node("iris2", { isOutOfService: true });
    expect(ownerOf(at(0, node("iris1"), gone))).toBe("iris1");
    const plan = at(0, gone);
    expect(verdictOf(plan, "web")).toMatchObject({ reason: "noEligibleNode" });
    expect(verdictOf(plan, "web").refusals.get("iris2")).toBe("outOfService");
  });
});

describe("interfaces of the nodes", () => {
  const services = [service("web", [IP])];
  const at = (iris2: readonly string[], over: Partial<PlanInput> = {}): Plan =>
    planFor(services, {
      interfaces: new Map([
        ["iris1", ["eth0"]],
        ["iris2", iris2],
      ]),
      ...over,
    });

  it("a node that has none of the wanted ones, up and with carrier, is refused", () => {
    const ads = withAds(ad("lan", { interfaces: ["eth0", "eth1"] }));
    expect(ownerOf(at(["eth1"], ads))).toBe("iris2");
    expect(ownerOf(at(["eth2"], ads))).toBe("iris1");
    expect(verdictOf(at(["eth2"], ads), "web").refusals.get("iris2")).toBe("noInterface");
  });

  it("without names any interface will do", () => {
    expect(ownerOf(at(["eth7"]))).toBe("iris2");
    expect(ownerOf(at([]))).toBe("iris1");
  });

  it("when no node has one the owner says so, and a node of which nothing is known counts", () => {
    const ads = withAds(ad("lan", { interfaces: ["eth9"] }));
    expect(ownerOf(at(["eth0"], ads))).toBe("iris2");
    const unknown = new Map([["iris1", ["eth0"]]]);
    expect(ownerOf(planFor(services, { interfaces: unknown }))).toBe("iris2");
  });

  it("who answers now does not go on without an interface", () => {
    const holders = new Map([[IP, [{ node: "iris2", epoch: 1 }]]]);
    expect(ownerOf(at([], { holders, placement: "spread" }))).toBe("iris1");
  });
});

describe("who answers now", () => {
  const services = [service("web", [IP])];
  const held = (...nodes: readonly string[]): Partial<PlanInput> => ({
    placement: "spread",
    holders: new Map([[IP, nodes.map(name => ({ node: name, epoch: 1 }))]]),
  });

  it("goes on, also when its announcer is not heard", () => {
    expect(ownerOf(planFor(services, held("iris1")))).toBe("iris1");
    expect(ownerOf(planFor(services, { ...held("iris1"), alive: new Set(["iris2"]) }))).toBe(
      "iris1",
    );
    expect(ownerOf(planFor(services, { alive: new Set(["iris1"]) }))).toBe("iris1");
  });

  it("does not when the rules exclude it", () => {
    const nodes = [node("iris1", { labels: { [EXCLUDE_LABEL]: "" } }), node("iris2")];
    expect(ownerOf(planFor(services, { ...held("iris1"), nodes }))).toBe("iris2");
  });

  it("yields to a node that is preferred", () => {
    const preference = { matchLabels: { name: "iris2" } };
    const preferring = ad("lan", { preferredNodes: [{ weight: 1, preference }] });
    expect(ownerOf(planFor(services, { ...held("iris1"), ...withAds(preferring) }))).toBe("iris2");
  });
});

describe("preferred nodes", () => {
  const prefer = (role: string, weight: number) => ({
    weight,
    preference: { matchLabels: { role } },
  });
  const edge = (name: string) => node(name, { labels: { role: "edge" } });
  const nodes = [edge("edge-a"), edge("edge-b"), node("worker-a"), node("worker-b")];
  const preferring = ad("lan", { preferredNodes: [prefer("edge", 10)] });
  const endpointNodes = new Set(nodes.map(({ name }) => name));
  const services = [service("web", [IP], { endpointNodes })];

  it("metallb 127: weights of all matching preferences and advertisements add up", () => {
    const byName = (name: string, weight: number) => ({
      weight,
      preference: { matchLabels: { name } },
    });
    const one = ad("one", { preferredNodes: [byName("iris1", 70)] });
    const two = ad("two", { preferredNodes: [byName("iris1", 30), byName("iris2", 50)] });
    expect(ownerOf(planFor([service("web", [IP])], withAds(one, two)))).toBe("iris1");
  });

  it("metallb 128: a preferred node wins; Local drops one without an endpoint", () => {
    expect(ownerOf(planFor(services, { nodes, ...withAds(preferring) }))).toBe("edge-b");
    const local = [localService("web", [IP], ["worker-a", "worker-b"])];
    expect(ownerOf(planFor(local, { nodes, ...withAds(preferring) }))).toBe("worker-a");
  });

  it("metallb 129: a preference of an advertisement that does not select the node does not count", () => {
    const poison = adFor(["worker-b"], { preferredNodes: [prefer("edge", 100)] });
    const one = adFor(["edge-a"], { preferredNodes: [prefer("edge", 50)] });
    const plan = planFor(services, { nodes, ...withAds(ad("all"), one, poison) });
    expect(ownerOf(plan)).toBe("edge-a");
  });

  it("metallb 130: failover stays among the preferred, then falls to the hash", () => {
    const alive = (...gone: string[]) =>
      new Set(nodes.map(({ name }) => name).filter(name => !gone.includes(name)));
    const at = (...gone: string[]): string | undefined =>
      ownerOf(planFor(services, { nodes, alive: alive(...gone), ...withAds(preferring) }));
    expect(at("edge-b")).toBe("edge-a");
    expect(at("edge-a")).toBe("edge-b");
    expect(at("edge-a", "edge-b")).toBe("worker-a");
  });
});

describe("several addresses and several Services", () => {
  it("metallb 169: Services that share an address are answered for by one node", () => {
    const plan = planFor([
      service("tcp", [IP], { isShared: true }),
      service("udp", [IP], { isShared: true, hasEndpoint: false }),
    ]);
    expect(plan.addresses.get(IP)?.services).toEqual(["default/tcp"]);
    expect(verdictOf(plan, "udp")).toMatchObject({ reason: "noEndpoints" });
  });

  it("a dual-stack Service is on one node, also when an IPv6-only one shares half of it", () => {
    const sharing = fc.boolean();
    const last = fc.integer({ min: 1, max: 254 });
    fc.assert(
      fc.property(last, last, sharing, (v4, v6, isFirst) => {
        const dual = service("dual", [`10.20.30.${v4}`, `fd00::${v6}`]);
        const only = service("only", [`fd00::${v6}`]);
        const plan = planFor(isFirst ? [only, dual] : [dual, only]);
        expect(ownerOf(plan, `fd00::${v6}`)).toBe(ownerOf(plan, `10.20.30.${v4}`));
      }),
    );
  });

  it("does not depend on the order of Services, nodes and advertisements", () => {
    const config = {
      ...LAN,
      pools: [pool("lan", "10.20.30.0/24")],
      l2Ads: [adFor(["n1", "n2"]), ad("all")],
    };
    const names = fc.uniqueArray(fc.constantFrom("n1", "n2", "n3", "n4"), { minLength: 1 });
    const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 20 }), { maxLength: 10 });
    fc.assert(
      fc.property(names, numbers, (nodes, hosts) => {
        const services = hosts.map(host => service(`s${host}`, [`10.20.30.${host}`]));
        const facts = { config, nodes: nodes.map(name => node(name)), services };
        const reversed = {
          config: { ...config, l2Ads: [...config.l2Ads].reverse() },
          nodes: [...facts.nodes].reverse(),
          services: [...services].reverse(),
        };
        expect(planAddresses(input(reversed)).addresses).toEqual(
          planAddresses(input(facts)).addresses,
        );
      }),
    );
  });
});
