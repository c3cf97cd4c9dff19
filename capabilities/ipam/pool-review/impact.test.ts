import { describe, expect, it } from "vitest";
import { configOf, rawPool, serviceOf } from "../fixtures";
import type { Service } from "../service";
import type { Surroundings } from "../situation";
import { describeImpact, impactOf } from "./impact";

const surroundings = (...pools: readonly object[]): Surroundings => ({
  config: configOf(...pools),
  cluster: ["ipv4"],
  namespaceLabels: () => ({}),
});
const WIDE = rawPool("a", ["10.0.0.0/24"]);
const holder = (key: string, address: string, parts: object = {}): Service =>
  serviceOf(key, { status: [address], ...parts });
const impact = (services: readonly Service[], before: object[], after: object[]) =>
  impactOf(services, surroundings(...before), surroundings(...after), undefined);

describe("impactOf", () => {
  const services = [holder("shop/web", "10.0.0.200"), holder("shop/api", "10.0.0.1")];

  it("finds the Services that a smaller pool has no place for", () => {
    expect(impact(services, [WIDE], [rawPool("a", ["10.0.0.0/25"])])).toEqual([
      { service: "shop/web", addresses: ["10.0.0.200"], hasOther: true },
    ]);
  });

  it("finds all of them when the last pool goes, sorted by name", () => {
    const none = { addresses: ["10.0.0.1"], hasOther: false };
    expect(impact(services, [WIDE], [])).toEqual([
      { service: "shop/api", ...none },
      { service: "shop/web", addresses: ["10.0.0.200"], hasOther: false },
    ]);
  });

  it("finds nobody when the address moves to another pool, or the pool grows", () => {
    expect(impact(services, [WIDE], [rawPool("b", ["10.0.0.0/23"])])).toEqual([]);
    expect(impact(services, [WIDE], [rawPool("a", ["10.0.0.0/16"])])).toEqual([]);
  });

  it("finds those whom new selectors shut out", () => {
    const after = rawPool("a", ["10.0.0.0/24"], { serviceAllocation: { namespaces: ["other"] } });
    expect(impact(services, [WIDE], [after]).map(hit => hit.service)).toEqual([
      "shop/api",
      "shop/web",
    ]);
  });

  it("finds those whose address avoidBuggyIPs takes out", () => {
    const odd = [holder("shop/odd", "10.0.0.255"), ...services];
    const after = rawPool("a", ["10.0.0.0/24"], { avoidBuggyIPs: true });
    expect(impact(odd, [WIDE], [after]).map(hit => hit.service)).toEqual(["shop/odd"]);
  });

  it("knows that who asked for an address gets no other one", () => {
    const asks = holder("shop/web", "10.0.0.200", { spec: { loadBalancerIP: "10.0.0.200" } });
    const [hit] = impact([asks], [WIDE], [rawPool("a", ["10.0.0.0/25"])]);
    expect(hit?.hasOther).toBe(false);
  });

  it("leaves out Services of others, and addresses that were in no pool before", () => {
    const foreign = holder("shop/web", "10.0.0.200", { spec: { loadBalancerClass: "x" } });
    expect(impact([foreign, holder("shop/x", "192.0.2.1")], [WIDE], [])).toEqual([]);
  });

  it("leaves an autoAssign that is switched off without effect on those who have an address", () => {
    const after = rawPool("a", ["10.0.0.0/24"], { autoAssign: false });
    expect(impact(services, [WIDE], [after])).toEqual([]);
  });
});

describe("describeImpact", () => {
  it("is nothing for nobody", () => {
    expect(describeImpact([])).toBeUndefined();
  });

  it("names at most ten Services of each sort and counts the rest", () => {
    const hits = Array.from({ length: 13 }, (_, i) => ({
      service: `n/s${i}`,
      addresses: [`10.0.0.${i}`],
      hasOther: i > 0,
    }));
    const text = describeImpact(hits);
    expect(text).toContain("12 Services would get another address: n/s1 (10.0.0.1), ");
    expect(text).toContain("n/s10 (10.0.0.10) and 2 more; ");
    expect(text).toContain("1 Service would lose the address and wait for one: n/s0 (10.0.0.0)");
  });
});
