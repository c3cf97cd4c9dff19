import { describe, expect, it } from "vitest";
import { rawPool, serviceOf } from "./fixtures";
import { createHarness } from "./harness";
import type { Harness } from "./harness";

/** What MetalLB's end-to-end tests ask of addresses (e2etest), of the whole reconciler. */

const SHARE = "metallb.io/allow-shared-ip";

async function put(h: Harness, key: string, parts: object): Promise<string> {
  await h.put(serviceOf(key, parts));
  await h.settle();
  return h.addresses(key).join();
}

describe("metallb 162: two Services that share an address", () => {
  const local = (app: string): object => ({
    externalTrafficPolicy: "Local",
    selector: { app },
  });
  const cluster = (app: string): object => ({
    externalTrafficPolicy: "Cluster",
    selector: { app },
  });
  const wish = (port: number, spec: object): object => ({
    annotations: { [SHARE]: "key", "metallb.io/loadBalancerIPs": "1.2.3.1" },
    spec: { ports: [{ port, protocol: "TCP" }], ...spec },
  });

  it("keep it while policy and selector agree, and the one that leaves the agreement loses it", async () => {
    const h = createHarness(rawPool("pool", ["1.2.3.0/24"]));
    const first = (spec: object): Promise<string> => put(h, "t/first", wish(80, spec));
    const second = (spec: object): Promise<string> => put(h, "t/second", wish(443, spec));
    expect(await first(cluster("web"))).toBe("1.2.3.1");
    expect(await second(cluster("web"))).toBe("1.2.3.1");

    expect(await second(local("web"))).toBe("");
    expect(h.addresses("t/first")).toEqual(["1.2.3.1"]);

    expect(await first(local("web"))).toBe("1.2.3.1");
    h.advance(60_000);
    await h.settle();
    expect(h.addresses("t/second")).toEqual(["1.2.3.1"]);

    expect(await first(local("other"))).toBe("");
    expect(h.addresses("t/second")).toEqual(["1.2.3.1"]);

    expect(await second(local("other"))).toBe("1.2.3.1");
    h.advance(60_000);
    await h.settle();
    expect(h.addresses("t/first")).toEqual(["1.2.3.1"]);
  });
});

describe("metallb 164: pools for some", () => {
  const pinned = (name: string, address: string, serviceAllocation: object): object =>
    rawPool(name, [address], { serviceAllocation });
  const byLabel = { serviceSelectors: [{ matchLabels: { team: "red" } }] };
  const red = { labels: { team: "red" } };

  it.each<[string, string, object, string]>([
    ["namespace", "ns1/web", {}, "10.0.1.0"],
    ["label", "other/web", red, "10.0.2.0"],
    ["namespace and label", "ns2/web", red, "10.0.3.0"],
    ["priority, of several that fit", "ns3/web", {}, "10.0.5.0"],
    ["nothing", "other/web", {}, "10.0.9.0"],
  ])("by %s serve those that they are for", async (_, key, parts, expected) => {
    const h = createHarness(
      rawPool("open", ["10.0.9.0/32"]),
      pinned("namespace", "10.0.1.0/32", { namespaces: ["ns1"] }),
      pinned("label", "10.0.2.0/32", { priority: 20, ...byLabel }),
      pinned("both", "10.0.3.0/32", { priority: 10, namespaces: ["ns2"], ...byLabel }),
      pinned("late", "10.0.4.0/32", { priority: 20, namespaces: ["ns3"] }),
      pinned("soon", "10.0.5.0/32", { priority: 10, namespaces: ["ns3"] }),
    );
    expect(await put(h, key, parts)).toBe(expected);
  });

  it("give way to the others when they are exhausted", async () => {
    const h = createHarness(
      rawPool("open", ["10.0.9.0/32"]),
      pinned("namespace", "10.0.1.0/32", { namespaces: ["ns1"] }),
    );
    expect(await put(h, "ns1/a", {})).toBe("10.0.1.0");
    expect(await put(h, "ns1/b", {})).toBe("10.0.9.0");
    expect(await put(h, "ns1/c", {})).toBe("");
  });
});
