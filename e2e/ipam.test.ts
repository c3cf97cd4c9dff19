import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { poolManifest } from "./fixtures";
import type { Pool } from "./fixtures";
import { addressesOf, assignedCondition, serviceTools } from "./services";
import type { ServiceTools } from "./services";
import type { Cluster, KubeObject } from "./support";
import { cluster } from "./support";

const PREFIX4 = "172.30.0.";
const POOL = {
  name: "ipam",
  addresses: ["172.30.0.220-172.30.0.229", "fd00:30::220-fd00:30::229"],
};
const SMALL = { name: "ipam-small", addresses: ["172.30.0.230/32"] };
const ASSIGNED = "ancho.dev/assigned";

const KEEPS = { name: "ipam-keeps", addresses: ["172.30.0.231-172.30.0.232"], keeps: "10m" };

describe("addresses", () => {
  let c: Cluster;
  let s: ServiceTools;
  const claims = (): Promise<string[]> => s.claims("ipam");

  beforeAll(async () => {
    c = await cluster();
    s = serviceTools(c, "ipam");
    await applyPool(POOL);
    await c.ok(["create", "namespace", "ipam"]);
  });

  afterAll(async () => {
    await c.ok(["delete", "namespace", "ipam", "--ignore-not-found", "--wait=false"]);
    await c.ok(["delete", "service", "-n", "kube-system", "-l", "e2e=ipam", "--ignore-not-found"]);
    await deletePool(POOL.name);
    await deletePool(SMALL.name);
    await deletePool(KEEPS.name);
  });

  afterEach(async () => {
    await c.ok(["delete", "service", "-n", "ipam", "--all"]);
    await c.waitFor("all addresses to be free again", async () => (await claims()).length === 0);
  });

  it("gives the address in the answer to the create itself", async () => {
    const created = await s.create({ name: "web" });
    expect(created.spec.loadBalancerIP).toBe(`${PREFIX4}220`);
    expect(created.metadata.annotations?.[ASSIGNED]).toBe(`${PREFIX4}220`);
    const service = await s.served("web");
    expect(service.status.loadBalancer.ingress).toEqual([{ ip: `${PREFIX4}220`, ipMode: "VIP" }]);
    expect(service.metadata.annotations?.["metallb.io/ip-allocated-from-pool"]).toBe("ipam");
    expect(assignedCondition(service)).toMatchObject({ status: "True", reason: "Assigned" });
    await event("web", "IPAllocated", `Assigned IP ["${PREFIX4}220"]`);
    const vip = await c.get("vip", `${PREFIX4}220`, "--show-managed-fields");
    expect(vip?.spec.holders).toMatchObject([
      { namespace: "ipam", name: "web", uid: service.metadata.uid },
    ]);
    expect(vip?.spec).toMatchObject({ phase: "Bound", service: "ipam/web" });
    expect(vip?.metadata).not.toHaveProperty("managedFields");
    expect(await c.ok(["get", "vip", `${PREFIX4}220`])).toMatch(/ ipam\/web +Bound /);
  });

  it("gives a dual-stack Service one address of each family", async () => {
    const created = await s.create({ name: "dual", spec: { ipFamilyPolicy: "RequireDualStack" } });
    const both = `${PREFIX4}220,fd00:30::220`;
    expect(created.spec.loadBalancerIP).toBeUndefined();
    expect(created.metadata.annotations?.["metallb.io/loadBalancerIPs"]).toBe(both);
    expect(addressesOf(await s.served("dual"))).toEqual(both.split(","));
  });

  it("gives a Service of the secondary family an address of that family", async () => {
    const created = await s.create({ name: "six", spec: { ipFamilies: ["IPv6"] } });
    expect(created.spec.loadBalancerIP).toBe("fd00:30::220");
  });

  it("metallb 165: keeps the address through kubectl replace, and through a change from one family to two", async () => {
    await s.create({ name: "first" });
    await s.create({ name: "web" });
    await s.served("web");
    await c.ok(["delete", "service", "-n", "ipam", "first"]);
    await c.waitFor("the lower address to be free", async () => (await claims()).length === 1);
    const replaced = await c.ok(["replace", "-f", "-", "-o", "json"], {
      input: JSON.stringify(s.manifest({ name: "web" })),
    });
    expect((JSON.parse(replaced) as KubeObject).spec.loadBalancerIP).toBe(`${PREFIX4}221`);
    await s.patch("web", { spec: { ipFamilyPolicy: "PreferDualStack" } });
    await c.waitFor(
      "the second address",
      async () => addressesOf(await s.read("web")).length === 2,
    );
    expect(addressesOf(await s.read("web"))[0]).toBe(`${PREFIX4}221`);
    await s.patch("web", { spec: { ipFamilyPolicy: "SingleStack" } });
    await c.waitFor("one claim", async () => (await claims()).join() === `${PREFIX4}221`);
    expect(addressesOf(await s.read("web"))).toEqual([`${PREFIX4}221`]);
  });

  it("shows the choice to a dry run and claims nothing", async () => {
    const dry = await s.create({ name: "dry" }, "--dry-run=server");
    expect(dry.spec.loadBalancerIP).toBe(`${PREFIX4}220`);
    expect(await claims()).toEqual([]);
  });

  it.each([
    ["spec.loadBalancerIP", { spec: { loadBalancerIP: `${PREFIX4}225` } }],
    ["metallb.io", { annotations: { "metallb.io/loadBalancerIPs": `${PREFIX4}225` } }],
    [
      "metallb.universe.tf",
      { annotations: { "metallb.universe.tf/loadBalancerIPs": `${PREFIX4}225` } },
    ],
  ])("gives the address that is asked for by %s", async (_, options) => {
    const created = await s.create({ name: "pinned", ...options });
    expect(created.metadata.annotations?.[ASSIGNED]).toBeUndefined();
    expect(addressesOf(await s.served("pinned"))).toEqual([`${PREFIX4}225`]);
  });

  it.each([
    [
      "an address in no pool",
      { spec: { loadBalancerIP: "192.0.2.1" } },
      'Service ipam/bad: spec.loadBalancerIP "192.0.2.1" is in no IPAddressPool; ask for an address of a pool, or add it to one',
    ],
    [
      "a pool that does not exist",
      { annotations: { "metallb.io/address-pool": "nowhere" } },
      'Service ipam/bad: annotation metallb.io/address-pool "nowhere" names an IPAddressPool that does not exist; use one of ipam',
    ],
    [
      "a malformed address",
      { spec: { loadBalancerIP: "172.30.0.300" } },
      'Service ipam/bad: spec.loadBalancerIP "172.30.0.300" is not an IP address; write an address like',
    ],
    [
      "two places that ask for different addresses",
      {
        spec: { loadBalancerIP: `${PREFIX4}221` },
        annotations: { "metallb.io/loadBalancerIPs": `${PREFIX4}222` },
      },
      "is set beside the annotation metallb.io/loadBalancerIPs",
    ],
    [
      "an address of a family that the Service does not have",
      { spec: { loadBalancerIP: "fd00:30::221" } },
      "is an IPv6 address, and the Service has only IPv4",
    ],
  ])("refuses %s with a sentence", async (_, options, sentence) => {
    const refused = await s.tryCreate({ name: "bad", ...options });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain(sentence);
    expect(await claims()).toEqual([]);
  });

  it("refuses an address that another Service holds, and lets Services share that agree to it", async () => {
    const address = { "metallb.io/loadBalancerIPs": `${PREFIX4}226` };
    await s.create({ name: "owner", annotations: address });
    const refused = await s.tryCreate({ name: "thief", annotations: address });
    expect(refused.stderr).toContain(
      `Service ipam/thief: annotation metallb.io/loadBalancerIPs "${PREFIX4}226" is held by ipam/owner, which does not share it; set the annotation metallb.io/allow-shared-ip`,
    );
    const key = { ...address, "metallb.io/allow-shared-ip": "k" };
    await c.ok(["delete", "service", "-n", "ipam", "owner"]);
    await c.waitFor("the address to be free", async () => (await claims()).length === 0);
    await s.create({ name: "one", annotations: key });
    await s.create({ name: "two", annotations: key, spec: { ports: [{ port: 81 }] } });
    expect(addressesOf(await s.served("two"))).toEqual([`${PREFIX4}226`]);
    const clash = await s.tryCreate({ name: "three", annotations: key });
    expect(clash.stderr).toContain("which uses its port TCP/80");
    await c.ok(["delete", "service", "-n", "ipam", "one"]);
    await c.waitFor("one holder", async () => {
      const vip = await c.get("vip", `${PREFIX4}226`);
      return vip?.spec.holders.length === 1;
    });
    expect(addressesOf(await s.read("two"))).toEqual([`${PREFIX4}226`]);
  });

  it("frees the address when the Service stops being a LoadBalancer, and takes its marks away", async () => {
    await s.create({ name: "web" });
    await s.served("web");
    await s.patch("web", { spec: { type: "ClusterIP" } });
    await c.waitFor("the address to be free", async () => (await claims()).length === 0);
    const service = await s.read("web");
    expect(service.spec.loadBalancerIP).toBeUndefined();
    expect(service.metadata.annotations).not.toHaveProperty(ASSIGNED);
    expect(addressesOf(service)).toEqual([]);
    expect(assignedCondition(service)).toEqual({});
  });

  it("metallb 175: never touches a Service of another load balancer class", async () => {
    const spec = { loadBalancerClass: "example.com/other", loadBalancerIP: "192.0.2.1" };
    const created = await s.create({ name: "foreign", spec });
    expect(created.spec.loadBalancerIP).toBe("192.0.2.1");
    expect(await claims()).toEqual([]);
  });

  it("metallb 160: lets a Service wait for an exhausted pool with a warning, and serves it the moment it can", async () => {
    await applyPool(SMALL);
    const annotations = { "metallb.io/address-pool": SMALL.name };
    await s.create({ name: "has", annotations });
    const waiting = await s.tryCreate({ name: "waits", annotations });
    expect(waiting.code).toBe(0);
    expect(waiting.stderr).toContain(
      "Warning: Service ipam/waits has no address yet: no available IPs in pool ipam-small",
    );
    await event(
      "waits",
      "AllocationFailed",
      'Failed to allocate IP for "ipam/waits": no available IPs in pool ipam-small',
    );
    expect(assignedCondition(await s.read("waits"))).toMatchObject({
      status: "False",
      reason: "NoFreeAddress",
    });
    await c.ok(["delete", "service", "-n", "ipam", "has"]);
    expect(addressesOf(await s.served("waits"))).toEqual([`${PREFIX4}230`]);
    await c.ok(["delete", "service", "-n", "ipam", "waits"]);
    await deletePool(SMALL.name);
  });

  it("serves a Service in kube-system, which admission never sees", async () => {
    const labels = { e2e: "ipam" };
    const created = await s.create({ name: "ipam-kube", namespace: "kube-system", labels });
    expect(created.spec.loadBalancerIP).toBeUndefined();
    expect(addressesOf(await s.served("ipam-kube", "kube-system"))).toEqual([`${PREFIX4}220`]);
    await c.ok(["delete", "service", "-n", "kube-system", "ipam-kube"]);
  });

  it("serves Services whose names the API server generates", async () => {
    const names = await Promise.all([1, 2, 3].map(() => s.create({ generateName: "gen-" })));
    expect(new Set(names.map(({ spec }) => spec.loadBalancerIP as string)).size).toBe(3);
    for (const { metadata, spec } of names) {
      expect(addressesOf(await s.served(metadata.name))).toEqual([spec.loadBalancerIP]);
    }
  });

  it("gives 20 Services that are created at once 10 addresses, no two the same, and keeps 10 waiting", async () => {
    const many = Array.from({ length: 20 }, (_, i) => s.create({ name: `many-${i}` }));
    const answers = await Promise.all(many);
    await c.waitFor("10 addresses in use", async () => (await listed()).length === 10);
    const addresses = await listed();
    expect(new Set(addresses).size).toBe(10);
    for (const { metadata, spec } of answers.filter(answer => answer.spec.loadBalancerIP)) {
      expect(addressesOf(await s.served(metadata.name))).toEqual([spec.loadBalancerIP]);
    }
  });

  it("metallb 161: moves no address when all of the control plane restarts, with others waiting", async () => {
    await Promise.all(Array.from({ length: 12 }, (_, i) => s.create({ name: `stay-${i}` })));
    await c.waitFor("10 addresses in use", async () => (await listed()).length === 10);
    const before = await addressesByName();
    const workloads = ["deployment/pepr-ancho", "deployment/pepr-ancho-watcher"];
    for (const workload of workloads) {
      await c.ok(["-n", "pepr-system", "rollout", "restart", workload]);
    }
    for (const workload of workloads) {
      await c.ok(["-n", "pepr-system", "rollout", "status", workload, "--timeout=120s"]);
    }
    // Who comes after the restart is served by the new processes: they have looked at everything.
    await c.ok(["delete", "service", "-n", "ipam", [...before.keys()][0]!]);
    await c.waitFor("the freed address to be used", async () => (await listed()).length === 10);
    const after = await addressesByName();
    for (const [name, address] of [...before].slice(1)) expect(after.get(name)).toBe(address);
  });

  it("metallb 163: keeps addresses that Services had before, and moves those of a pool that is gone", async () => {
    await applyPool(SMALL);
    await s.create({ name: "web", annotations: { "metallb.io/address-pool": SMALL.name } });
    await s.served("web");
    await c.ok(["delete", "vip", `${PREFIX4}230`]);
    await c.waitFor("the claim to be made again", async () => (await claims()).length === 1);
    expect(addressesOf(await s.read("web"))).toEqual([`${PREFIX4}230`]);
    await s.patch("web", { metadata: { annotations: { "metallb.io/address-pool": null } } });
    await deletePool(SMALL.name);
    await c.waitFor("an address of the other pool", async () =>
      addressesOf(await s.read("web")).includes(`${PREFIX4}220`),
    );
    await c.waitFor("one claim", async () => (await claims()).join() === `${PREFIX4}220`);
    const service = await s.read("web");
    expect(service.metadata.annotations?.[ASSIGNED]).toBe(`${PREFIX4}220`);
  });

  it("metallb 166: says in the pool's status how much of it is in use", async () => {
    await c.waitFor("nothing to be assigned", async () => (await counters()) === "0/10 0/10");
    await s.create({ name: "web", spec: { ipFamilyPolicy: "RequireDualStack" } });
    const key = { "metallb.io/allow-shared-ip": "k" };
    await s.create({ name: "one", annotations: key });
    await s.create({ name: "two", annotations: key, spec: { ports: [{ port: 81 }] } });
    await c.waitFor("a shared address to count once", async () => {
      return (await counters()) === "2/8 1/9";
    });
    const conditions = (await c.get("ipaddresspool", "-n", "metallb-system", POOL.name))?.status
      .conditions as { type: string; status: string }[];
    expect(conditions.map(({ type, status }) => `${type} ${status}`).sort()).toEqual([
      "AddressesAvailable True",
      "Valid True",
    ]);
  });

  it("metallb 176: counts addresses in the metrics of the watcher that works", async () => {
    await s.create({ name: "web" });
    await s.served("web");
    const lease = await c.get("lease", "-n", "metallb-system", "ancho-reconciler");
    const [pod = ""] = (lease?.spec.holderIdentity as string).split("_");
    const host = `pod/pepr-system/${pod}`;
    const lines = await c.waitFor("the metrics to count it", async () => {
      const { stdout } = await c.lab.exec(host, ["curl", "-sS", "http://127.0.0.1:7472/metrics"]);
      const found = stdout.split("\n");
      return found.includes(gauge("addresses_in_use_total", 1)) && found;
    });
    expect(lines).toContain(gauge("addresses_total", 20));
    expect(lines).toContain(gauge("ipv4_addresses_total", 10));
    expect(lines).toContain(gauge("ipv6_addresses_in_use_total", 0));
    expect(lines).toContain("metallb_k8s_client_config_loaded_bool 1");
    expect(lines).toContain("metallb_k8s_client_config_stale_bool 0");
  });

  const gauge = (name: string, value: number): string =>
    `metallb_allocator_${name}{pool="${POOL.name}"} ${value}`;

  it("keeps a freed address for the Service that had it, and gives it to others last", async () => {
    await applyPool(KEEPS);
    const annotations = { "metallb.io/address-pool": KEEPS.name };
    const make = async (name: string): Promise<string> => {
      const created = await s.create({ name, annotations });
      await s.served(name);
      return created.spec.loadBalancerIP as string;
    };
    expect(await make("web")).toBe(`${PREFIX4}231`);
    await c.ok(["delete", "service", "-n", "ipam", "web"]);
    await c.waitFor("the address to be kept", async () => {
      return (await c.get("vip", `${PREFIX4}231`))?.spec?.phase === "Released";
    });
    expect(await c.ok(["get", "vip", `${PREFIX4}231`])).toMatch(/ipam\/web +Released/);
    expect(await make("other")).toBe(`${PREFIX4}232`);
    expect(await make("web")).toBe(`${PREFIX4}231`);
    await c.waitFor("the address to be its own again", async () => {
      return (await c.get("vip", `${PREFIX4}231`))?.spec?.phase === "Bound";
    });
    await c.ok(["delete", "service", "-n", "ipam", "web"]);
    await c.waitFor("the address to be kept again", async () => (await claims()).length === 1);
    expect(await make("third")).toBe(`${PREFIX4}231`);
    await c.ok(["delete", "service", "-n", "ipam", "third", "other"]);
    await c.waitFor("both to be kept", async () => (await claims()).length === 0);
    expect(await c.get("vip", `${PREFIX4}232`)).toBeDefined();
    await deletePool(KEEPS.name);
    await c.waitFor("nothing to be left of the pool", async () => {
      return ((await c.get("vip"))?.items ?? []).every(({ spec }) => spec.pool !== KEEPS.name);
    });
  });

  it("shares an address with another namespace only where the pool allows it", async () => {
    await applyPool({ ...SMALL, sharing: "namespace" });
    const annotations = {
      "metallb.io/address-pool": SMALL.name,
      "metallb.io/loadBalancerIPs": `${PREFIX4}230`,
      "metallb.io/allow-shared-ip": "k",
    };
    const spec = { ports: [{ port: 81 }] };
    const stranger = { name: "stranger", namespace: "default", annotations, spec };
    await s.create({ name: "own", annotations });
    const refused = await s.tryCreate(stranger);
    expect(refused.stderr).toContain(
      `Service default/stranger: annotation metallb.io/loadBalancerIPs "${PREFIX4}230" is held by ipam/own of another namespace, and its IPAddressPool has ancho.dev/sharing "namespace"; ask for another address`,
    );
    await applyPool(SMALL);
    await s.create(stranger);
    expect(addressesOf(await s.served("stranger", "default"))).toEqual([`${PREFIX4}230`]);
    await c.ok(["delete", "service", "-n", "default", "stranger"]);
    await c.ok(["delete", "service", "-n", "ipam", "own"]);
    await deletePool(SMALL.name);
  });

  /** Assigned and available addresses of the pool, IPv4 and IPv6, as its status has them. */
  async function counters(): Promise<string> {
    const status = ((await c.get("ipaddresspool", "-n", "metallb-system", POOL.name))?.status ??
      {}) as Record<string, number>;
    const { assignedIPv4, availableIPv4, assignedIPv6, availableIPv6 } = status;
    return `${assignedIPv4}/${availableIPv4} ${assignedIPv6}/${availableIPv6}`;
  }

  async function listed(): Promise<string[]> {
    return [...(await addressesByName()).values()];
  }

  /** Of those Services that have one. */
  async function addressesByName(): Promise<ReadonlyMap<string, string>> {
    const all = (await c.get("service", "-n", "ipam"))?.items ?? [];
    return new Map(
      all.flatMap(service => addressesOf(service).map(address => [service.metadata.name, address])),
    );
  }

  async function event(name: string, reason: string, message: string): Promise<void> {
    await c.waitFor(`event ${reason} of ${name}`, async () => {
      const field = `involvedObject.name=${name},reason=${reason}`;
      const events = (await c.get("events", "-n", "ipam", "--field-selector", field))?.items ?? [];
      return events.some(item => (item as unknown as { message: string }).message === message);
    });
  }

  async function applyPool(pool: Pool): Promise<void> {
    await c.apply([poolManifest(pool)]);
  }

  async function deletePool(name: string): Promise<void> {
    await c.ok(["delete", "ipaddresspool", "-n", "metallb-system", name, "--ignore-not-found"]);
  }
});
