import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { poolManifest } from "./fixtures";
import { addressesOf, serviceTools } from "./services";
import type { ServiceTools } from "./services";
import type { Cluster } from "./support";
import { cluster } from "./support";

const NAMESPACE = "upgrade";
const POOL = { name: NAMESPACE, addresses: ["172.30.0.164-172.30.0.175", "fd00:30::164/126"] };
const DEPLOYMENTS = ["deployment/pepr-ancho", "deployment/pepr-ancho-watcher"];
const SHARE = { "metallb.io/allow-shared-ip": "upgrade" };

/**
 * What MetalLB's controller left: addresses in statuses and the name of the pool in an annotation. Neither in the order
 * of names, nor the lowest, so that nothing but the statuses leads to them.
 */
const SERVED = [
  { name: "a", ips: ["172.30.0.170"] },
  { name: "b", ips: ["172.30.0.166"] },
  { name: "c", ips: ["172.30.0.175", "fd00:30::166"], spec: { ipFamilyPolicy: "PreferDualStack" } },
  { name: "d", ips: ["172.30.0.168"], annotations: SHARE },
  { name: "e", ips: ["172.30.0.168"], annotations: SHARE, spec: { ports: [{ port: 81 }] } },
  { name: "f", ips: ["172.30.0.164"], spec: { loadBalancerIP: "172.30.0.164" } },
] as const;

/** bench/ipam does the same with MetalLB itself; here its statuses are written by hand. */
describe("Ancho on a cluster that MetalLB served", () => {
  let c: Cluster;
  let s: ServiceTools;

  beforeAll(async () => {
    c = await cluster();
    s = serviceTools(c, NAMESPACE);
    await c.ok(["create", "namespace", NAMESPACE]);
    await scale(0);
    await c.apply([poolManifest(POOL)]);
    for (const { ips, ...options } of SERVED) {
      await s.create(options);
      const annotations = { "metallb.io/ip-allocated-from-pool": NAMESPACE };
      const ingress = ips.map(ip => ({ ip, ipMode: "VIP" }));
      const status = { loadBalancer: { ingress } };
      await s.patch(options.name, { metadata: { annotations } });
      const patch = ["-n", NAMESPACE, "patch", "service", options.name, "--subresource=status"];
      await c.ok([...patch, "--type=merge", "-p", JSON.stringify({ status })]);
    }
  });

  afterAll(async () => {
    await scale(2);
    await c.ok(["delete", "namespace", NAMESPACE, "--ignore-not-found"]);
    await c.ok(["-n", "metallb-system", "delete", "ipaddresspool", NAMESPACE]);
  });

  async function scale(replicas: number): Promise<void> {
    await c.ok(["-n", "pepr-system", "scale", ...DEPLOYMENTS, `--replicas=${replicas}`]);
    const isScaled = async (): Promise<boolean> => {
      const found = (await c.get("deployments", "-n", "pepr-system"))?.items ?? [];
      const pods = (await c.get("pods", "-n", "pepr-system"))?.items ?? [];
      const isReady = found.every(({ status }) => (status.readyReplicas ?? 0) === replicas);
      return isReady && pods.length === replicas * DEPLOYMENTS.length;
    };
    await c.waitFor(`the control plane to have ${replicas} replicas`, isScaled, 180_000);
  }

  it("moves no address, and gives none of them to those who came while nobody served", async () => {
    const newcomers = ["aa", "g", "h", "z"];
    for (const name of newcomers) await s.create({ name });
    await scale(2);
    for (const name of newcomers) await s.served(name);
    await c.waitFor(
      "all addresses to be claimed",
      async () => (await s.claims(NAMESPACE)).length === 10,
    );
    for (const { name, ips } of SERVED) expect(addressesOf(await s.read(name))).toEqual(ips);
    const given = await Promise.all(newcomers.map(async name => addressesOf(await s.read(name))));
    const free = ["165", "167", "169", "171"].map(last => `172.30.0.${last}`);
    expect(given.flat().sort()).toEqual(free);
  });

  it("lets those who share go on sharing, and takes in another one under their key", async () => {
    await s.create({ name: "i", annotations: SHARE, spec: { ports: [{ port: 82 }] } });
    await s.settled("i", ["172.30.0.168"]);
  });

  it("keeps the address of one that is edited afterwards", async () => {
    await s.patch("b", { spec: { ports: [{ port: 8080 }] } });
    await s.patch("c", { spec: { externalTrafficPolicy: "Local" } });
    await c.ok(["-n", NAMESPACE, "annotate", "service", "a", "note=edited"]);
    await c.waitFor("nothing to have moved", async () => {
      const all = await Promise.all(
        SERVED.map(async ({ name }) => addressesOf(await s.read(name))),
      );
      expect(all).toEqual(SERVED.map(({ ips }) => [...ips]));
      return true;
    });
  });
});
