import { describe, expect, it } from "vitest";
import { createHarness } from "./harness";
import { rawPool, serviceOf } from "./fixtures";

const POOL1 = rawPool("pool1", ["1.2.3.0/31"]);
const POOL2 = rawPool("pool2", ["3.4.5.6/32"]);
const DUAL = rawPool("dual", ["1.2.3.0/31", "1000::/127"]);
const BOTH = { ipFamilies: ["IPv4", "IPv6"] };
const IPS = "metallb.io/loadBalancerIPs";
const FROM = "metallb.io/address-pool";
const SHARED = "metallb.io/allow-shared-ip";

const problem = (h: ReturnType<typeof createHarness>, key: string) =>
  h.service(key).status?.conditions?.find(({ type }) => type === "AddressAssigned");

describe("the reconciler alone, without admission", () => {
  it("metallb 78: does nothing for a Service that does not exist", async () => {
    const h = createHarness(POOL1);
    await h.settle();
    expect(h.cluster.writes).toEqual([]);
  });

  it("metallb 79: leaves a ClusterIP Service alone", async () => {
    const h = createHarness(POOL1);
    await h.put(serviceOf("shop/web", { spec: { type: "ClusterIP" } }));
    await h.settle();
    expect(h.cluster.writes).toEqual(["create services shop/web"]);
  });

  it("metallb 80: gives the first address, which may be the network's", async () => {
    const h = createHarness(POOL1);
    await h.put(serviceOf("shop/web"));
    await h.settle();
    expect(h.service("shop/web").status?.loadBalancer?.ingress).toEqual([
      { ip: "1.2.3.0", ipMode: "VIP" },
    ]);
    expect(h.events).toEqual(['IPAllocated Assigned IP ["1.2.3.0"]']);
    expect(h.claims()).toEqual(["1.2.3.0"]);
  });

  it.each([
    ["spec", { spec: { loadBalancerIP: "1.2.3.1" } }],
    ["annotation", { annotations: { [IPS]: "1.2.3.1" } }],
  ])("metallb 81: gives the address asked for by %s", async (_, parts) => {
    const h = createHarness(POOL1);
    await h.put(serviceOf("shop/web", parts));
    await h.settle();
    expect(h.addresses("shop/web")).toEqual(["1.2.3.1"]);
  });

  it("metallb 86: a request that cannot be met says so, and the Service keeps its address", async () => {
    const h = createHarness(POOL1);
    await h.put(serviceOf("shop/web", { spec: { loadBalancerIP: "1.2.3.1" } }));
    await h.settle();
    await h.put(serviceOf("shop/web", { spec: { loadBalancerIP: "9.9.9.9" } }));
    await h.settle();
    expect(h.addresses("shop/web")).toEqual(["1.2.3.1"]);
    expect(problem(h, "shop/web")).toMatchObject({ status: "False", reason: "AddressInNoPool" });
    expect(h.events.at(-1)).toMatch(
      /^AllocationFailed Failed to allocate IP for "shop\/web": spec/,
    );
  });

  it("metallb 87: moves to the pool that is asked for", async () => {
    const h = createHarness(POOL1, POOL2);
    await h.put(serviceOf("shop/web"));
    await h.settle();
    await h.put(serviceOf("shop/web", { annotations: { [FROM]: "pool2" } }));
    await h.settle();
    expect(h.addresses("shop/web")).toEqual(["3.4.5.6"]);
    expect(h.claims()).toEqual(["3.4.5.6"]);
  });

  it.each([
    ["metallb 89: an address outside the pools", ["2.3.4.5"]],
    ["metallb 94: an address of the wrong family", ["1000::"]],
    ["metallb 101: three addresses", ["2.3.4.5", "2.3.4.6", "2.3.4.7"]],
  ])("%s in the status is replaced", async (_, status) => {
    const h = createHarness(DUAL);
    await h.put(serviceOf("shop/web", { status }));
    await h.settle();
    expect(h.addresses("shop/web")).toEqual(["1.2.3.0"]);
  });

  it("metallb 91: a Service that leaves type LoadBalancer loses status and address", async () => {
    const h = createHarness(POOL1);
    await h.put(serviceOf("shop/web"));
    await h.settle();
    await h.put(serviceOf("shop/web", { spec: { type: "NodePort" } }));
    await h.settle();
    expect(h.addresses("shop/web")).toEqual([]);
    expect(h.claims()).toEqual([]);
    expect(problem(h, "shop/web")).toBeUndefined();
  });

  it("metallb 95: IPv4 comes first, also where the cluster's first family is IPv6", async () => {
    const h = createHarness(DUAL);
    const spec = { ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv6", "IPv4"] };
    await h.put(serviceOf("shop/web", { spec }));
    await h.settle();
    expect(h.addresses("shop/web")).toEqual(["1.2.3.0", "1000::"]);
  });

  it.each([
    ["metallb 68: a pool with both families gives both", DUAL, ["1.2.3.0", "1000::"]],
    ["metallb 96: a pool with one family gives that one", POOL1, ["1.2.3.0"]],
  ])("PreferDualStack: %s", async (_, pool, addresses) => {
    const h = createHarness(pool);
    await h.put(serviceOf("shop/web", { spec: { ipFamilyPolicy: "PreferDualStack", ...BOTH } }));
    await h.settle();
    expect(h.addresses("shop/web")).toEqual(addresses);
  });

  it("draws the families from two pools where no pool has both", async () => {
    const h = createHarness(POOL1, rawPool("six", ["1000::/127"]));
    await h.put(serviceOf("shop/web", { spec: { ipFamilyPolicy: "RequireDualStack", ...BOTH } }));
    await h.settle();
    expect(h.addresses("shop/web")).toEqual(["1.2.3.0", "1000::"]);
  });

  it("metallb 98: RequireDualStack with one family to have gets nothing and says why", async () => {
    const h = createHarness(POOL1);
    await h.put(serviceOf("shop/web", { spec: { ipFamilyPolicy: "RequireDualStack", ...BOTH } }));
    await h.settle();
    expect(h.addresses("shop/web")).toEqual([]);
    expect(h.claims()).toEqual([]);
    expect(problem(h, "shop/web")).toMatchObject({ status: "False", reason: "NoPool" });
  });

  it("metallb 103: without any pool leaves others' statuses alone (metallb#2887)", async () => {
    const h = createHarness();
    await h.put(serviceOf("shop/web", { status: ["192.0.2.7"] }));
    await h.settle();
    expect(h.addresses("shop/web")).toEqual(["192.0.2.7"]);
  });

  it("metallb 104: a pool that goes takes its addresses along", async () => {
    const h = createHarness(POOL1);
    await h.put(serviceOf("shop/web"));
    await h.settle();
    h.setPools();
    await h.settle();
    expect(h.addresses("shop/web")).toEqual([]);
    expect(h.claims()).toEqual([]);
    expect(h.events.join()).toContain("ClearAssignment");
  });

  it("metallb 106: who finds no free address is told once, and served when one is freed", async () => {
    const h = createHarness(POOL2);
    await h.put(serviceOf("shop/a"));
    await h.put(serviceOf("shop/b"));
    await h.settle();
    await h.settle();
    expect(h.addresses("shop/b")).toEqual([]);
    expect(h.parts.waiting).toEqual(new Set(["shop/b"]));
    expect(h.events.filter(event => event.startsWith("AllocationFailed"))).toEqual([
      'AllocationFailed Failed to allocate IP for "shop/b": no available IPs',
    ]);
    await h.remove("shop/a");
    await h.settle();
    expect(h.addresses("shop/b")).toEqual(["3.4.5.6"]);
    expect(h.parts.waiting.size).toBe(0);
  });

  it("metallb 107: a second pool moves nobody; without the first they move to it", async () => {
    const h = createHarness(POOL1);
    await h.put(serviceOf("shop/web"));
    await h.settle();
    h.setPools(POOL1, POOL2);
    await h.settle();
    expect(h.addresses("shop/web")).toEqual(["1.2.3.0"]);
    h.setPools(POOL2);
    await h.settle();
    expect(h.addresses("shop/web")).toEqual(["3.4.5.6"]);
  });

  it("metallb 74: follows a pool that is renamed", async () => {
    const h = createHarness(POOL1);
    await h.put(serviceOf("shop/web"));
    await h.settle();
    h.setPools(rawPool("renamed", ["1.2.3.0/31"]));
    await h.settle();
    expect(h.addresses("shop/web")).toEqual(["1.2.3.0"]);
    const annotations = h.service("shop/web").metadata?.annotations;
    expect(annotations?.["metallb.io/ip-allocated-from-pool"]).toBe("renamed");
  });

  it("adopts the addresses of MetalLB's time before it gives any to a newcomer", async () => {
    const h = createHarness(POOL1);
    await h.put(serviceOf("shop/a-new"));
    await h.put(serviceOf("shop/b-old", { status: ["1.2.3.0"] }));
    await h.settle();
    expect(h.addresses("shop/b-old")).toEqual(["1.2.3.0"]);
    expect(h.addresses("shop/a-new")).toEqual(["1.2.3.1"]);
  });

  it("moves nobody at a restart, nor when a VirtualIP has been deleted", async () => {
    const h = createHarness(POOL1);
    await h.put(serviceOf("shop/a"));
    await h.settle();
    await h.put(serviceOf("shop/b"));
    await h.settle();
    await h.remove("shop/a");
    await h.settle();
    h.restart();
    await h.cluster.client.delete({ plural: "virtualips" } as never, "1.2.3.1");
    await h.settle();
    expect(h.addresses("shop/b")).toEqual(["1.2.3.1"]);
    expect(h.claims()).toEqual(["1.2.3.1"]);
  });

  it("metallb 58: packs Services with one sharing key on one address", async () => {
    const h = createHarness(POOL1);
    const annotations = { [SHARED]: "key" };
    await h.put(serviceOf("shop/a", { annotations }));
    await h.put(serviceOf("shop/b", { annotations, spec: { ports: [{ port: 81 }] } }));
    await h.put(serviceOf("shop/c", { annotations, spec: { ports: [{ port: 80 }] } }));
    await h.settle();
    expect(["a", "b", "c"].map(name => h.addresses(`shop/${name}`)[0])).toEqual([
      "1.2.3.0",
      "1.2.3.0",
      "1.2.3.1",
    ]);
    await h.remove("shop/a");
    await h.settle();
    expect(h.claims()).toEqual(["1.2.3.0", "1.2.3.1"]);
    expect(h.addresses("shop/b")).toEqual(["1.2.3.0"]);
  });

  it("metallb 151: goes on after each write that fails in the middle", async () => {
    for (let failing = 1; failing <= 5; failing++) {
      const h = createHarness(POOL1);
      await h.put(serviceOf("shop/web"));
      let writes = 0;
      h.cluster.beforeWrite = () => {
        if (++writes === failing) throw new Error("the API server is away");
      };
      await h.settle().catch(() => undefined);
      await h.settle();
      expect(h.addresses("shop/web")).toEqual(["1.2.3.0"]);
      expect(h.claims()).toEqual(["1.2.3.0"]);
    }
  });
});
