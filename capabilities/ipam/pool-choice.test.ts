import { describe, expect, it } from "vitest";
import { configOf, ip, rawPool } from "./fixtures";
import { checkPools, isAvoided, isPoolFor, poolsToTry } from "./pool-choice";
import type { ServiceFacts } from "./pool-choice";
import type { AddressRequest } from "./request";

const facts = (namespace: string, labels = {}, namespaceLabels = {}): ServiceFacts => ({
  namespace,
  labels,
  namespaceLabels,
});
const none: AddressRequest = { addresses: [], field: "spec.loadBalancerIP" };
const asks = (text: string, pool?: string): AddressRequest => ({
  addresses: [ip(text)],
  field: "spec.loadBalancerIP",
  ...(pool ? { pool } : {}),
});
const forNamespace = (name: string, priority?: number) => ({
  serviceAllocation: { namespaces: [name], ...(priority ? { priority } : {}) },
});
const team = { matchLabels: { team: "metallb" } };

// The pools of MetalLB's controller_test.go, "TestControllerMutation", numbered as there.
const config = configOf(
  rawPool("pool1", ["1.2.3.0/31"]),
  rawPool("pool6", ["7.8.9.0/31"], forNamespace("ns1", 10)),
  rawPool("pool7", ["10.11.12.0/31"], forNamespace("ns1", 11)),
  rawPool("pool8", ["13.14.15.0/31"], {
    serviceAllocation: { priority: 9, serviceSelectors: [team] },
  }),
  rawPool("pool9", ["16.17.18.0/31"], forNamespace("ns2")),
  rawPool("pool10", ["19.20.21.0/31"], {
    serviceAllocation: { priority: 8, serviceSelectors: [team] },
  }),
  rawPool("pool12", ["25.26.27.0/31"], {
    serviceAllocation: { priority: 5, namespaces: ["ns1"], serviceSelectors: [team] },
  }),
);

describe("the order of pools", () => {
  it.each([
    ["ns1", {}, "pool6"],
    ["ns2", {}, "pool9"],
    ["other", { team: "metallb" }, "pool10"],
    ["ns1", { team: "metallb" }, "pool12"],
    ["other", {}, "pool1"],
  ])("metallb 100: namespace %s with labels %j tries %s first", (namespace, labels, first) => {
    expect(poolsToTry(config, none, facts(namespace, labels))[0]?.name).toBe(first);
  });

  it("is by name among equals, whatever the order of the objects", () => {
    const pools = ["c", "a", "b"].map((name, i) => rawPool(name, [`10.0.${i}.0/24`]));
    expect(poolsToTry(configOf(...pools), none, facts("x")).map(({ name }) => name)).toEqual([
      "a",
      "b",
      "c",
    ]);
  });

  it("metallb 72: leaves out pools without autoAssign unless they are named", () => {
    const manual = configOf(rawPool("manual", ["1.2.3.0/24"], { autoAssign: false }));
    expect(poolsToTry(manual, none, facts("x"))).toEqual([]);
    expect(poolsToTry(manual, { ...none, pool: "manual" }, facts("x"))).toHaveLength(1);
  });
});

describe("who may use a pool", () => {
  const pools = configOf(
    rawPool("both", ["1.0.0.0/24"], {
      serviceAllocation: { namespaces: ["ns1"], serviceSelectors: [team] },
    }),
    rawPool("labelled", ["1.0.1.0/24"], { serviceAllocation: { namespaceSelectors: [team] } }),
    rawPool("priority", ["1.0.2.0/24"], { serviceAllocation: { priority: 5 } }),
  ).pools;
  const names = (who: ServiceFacts) =>
    pools.filter(pool => isPoolFor(pool, who)).map(({ name }) => name);

  it("selectors that match nothing let nobody in", () => {
    const nobody = { matchLabels: { no: "such" } };
    const shut = configOf(
      rawPool("a", ["1.0.0.0/24"], { serviceAllocation: { namespaceSelectors: [nobody] } }),
      rawPool("b", ["1.0.1.0/24"], { serviceAllocation: { serviceSelectors: [nobody] } }),
      rawPool("c", ["1.0.2.0/24"], { serviceAllocation: { namespaces: ["gone"] } }),
    );
    expect(poolsToTry(shut, none, facts("ns1", { team: "metallb" }))).toEqual([]);
  });

  it("metallb 62: a pool pinned by namespace and label needs both", () => {
    expect(names(facts("ns1"))).toEqual(["priority"]);
    expect(names(facts("ns1", { team: "metallb" }))).toEqual(["both", "priority"]);
  });

  it("a namespace selector looks at the namespace's labels", () => {
    expect(names(facts("any", {}, { team: "metallb" }))).toEqual(["labelled", "priority"]);
  });
});

describe("what can never be given", () => {
  it.each([
    ["an address in no pool", asks("9.9.9.9"), "other", "AddressInNoPool"],
    ["metallb 69: metallb 87: an unknown pool", { ...none, pool: "gone" }, "x", "UnknownPool"],
    ["metallb 84: an address of another pool", asks("7.8.9.0", "pool7"), "ns1", "AddressNotInPool"],
    ["metallb 62: an address of a pool for others", asks("7.8.9.0"), "ns2", "PoolNotForService"],
    ["a pool for others", { ...none, pool: "pool6" }, "ns2", "PoolNotForService"],
    ["an address that fits", asks("7.8.9.0"), "ns1", undefined],
  ])("%s", (_, request, namespace, code) => {
    expect(checkPools(config, request, facts(namespace))?.code).toBe(code);
  });

  it("metallb 56: addresses that avoidBuggyIPs leaves out", () => {
    const buggy = configOf(rawPool("buggy", ["1.2.4.0/24"], { avoidBuggyIPs: true }));
    const code = (text: string) => checkPools(buggy, asks(text), facts("x"))?.code;
    expect(["1.2.4.0", "1.2.4.255", "1.2.4.254"].map(code)).toEqual([
      "AvoidedAddress",
      "AvoidedAddress",
      undefined,
    ]);
    expect(isAvoided(buggy.pools[0]!, ip("1000::"))).toBe(false);
  });

  it("metallb 88: a pool without autoAssign serves an explicit request", () => {
    const manual = configOf(rawPool("manual", ["1.2.3.0/24"], { autoAssign: false }));
    expect(checkPools(manual, asks("1.2.3.4"), facts("x"))).toBeUndefined();
  });
});
