import { readdir, readFile } from "node:fs/promises";
import type { kind } from "kubernetes-fluent-client";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { VirtualIP } from "../capabilities/config/kinds/virtual-ip";
import { virtualIPResource } from "../capabilities/config/kinds/virtual-ip";
import { createKubeClient } from "../capabilities/kube/client";
import type { KubeClient } from "../capabilities/kube/client";
import { createConnectionSource } from "../capabilities/kube/connection";
import { services } from "../capabilities/kube/resource";
import { settleAll } from "../hack/wait";
import { createCrowd, holdings, ingressOf } from "./crowd";
import type { CrowdMember } from "./crowd";
import type { Cluster } from "./support";
import { cluster } from "./support";

const namespace = "race";
const POOL = "metallb.io/address-pool";
const SHARE = "metallb.io/allow-shared-ip";
const CLIENTS = 20;
const patience = 240_000;

/** Twenty clients, two admission processes and two watchers, any of which may die at any time. */
describe("addresses under concurrency", { timeout: 600_000 }, () => {
  let c: Cluster;
  let client: KubeClient;

  beforeAll(async () => {
    c = await cluster();
    const connections = createConnectionSource({ kubeconfig: c.lab.kubeconfig });
    client = createKubeClient({ connections, timeoutMs: 30_000 });
    await c.ok(["create", "namespace", namespace]);
    await c.apply([
      pool("race-exact", ["10.201.0.0-10.201.3.231"]),
      pool("race-dual", ["10.202.0.0-10.202.1.243", "fd00:202::-fd00:202::1f3"]),
      pool("race-shared", ["10.203.0.0/22"]),
    ]);
  });

  afterEach(async () => {
    await rollout("deployment/pepr-ancho-watcher");
    await rollout("deployment/pepr-ancho");
    await c.ok(["delete", "service", "-n", namespace, "--all", "--wait=false"]);
    await c.waitFor(
      "all addresses to be free again",
      async () => (await held()).length === 0,
      patience,
    );
  });

  afterAll(async () => {
    await c.ok(["delete", "namespace", namespace, "--ignore-not-found"]);
    for (const name of ["race-exact", "race-dual", "race-shared"]) {
      await c.ok(["-n", "metallb-system", "delete", "ipaddresspool", name, "--ignore-not-found"]);
    }
    await client.close();
  });

  it("1,000 Services get exactly 1,000 addresses, while admission is killed and the watchers restart", async () => {
    const members = Array.from({ length: 1000 }, (_, i) => member(i, "race-exact"));
    await createCrowd(client, namespace, members, {
      clients: CLIENTS,
      onCreated: disturb(300, 500),
    });
    const all = await allServed(1000);
    const addresses = all.flatMap(ingressOf);
    expect(addresses).toHaveLength(1000);
    expect(new Set(addresses).size).toBe(1000);
    await expectClaims(all);
  });

  it("500 dual-stack Services get all of 500 addresses of each family, under the same disturbance", async () => {
    const members = Array.from({ length: 500 }, (_, i) => {
      return { ...member(i, "race-dual"), spec: { ipFamilyPolicy: "RequireDualStack" } };
    });
    await createCrowd(client, namespace, members, {
      clients: CLIENTS,
      onCreated: disturb(150, 250),
    });
    const all = await allServed(500);
    const addresses = all.flatMap(ingressOf);
    expect(new Set(addresses).size).toBe(1000);
    expect(addresses.filter(address => address.includes(":"))).toHaveLength(500);
    await expectClaims(all);
  });

  it("1,000 Services that share by 20 keys share with their own key only, and no port twice, under the same disturbance", async () => {
    const members = Array.from({ length: 1000 }, (_, i): CrowdMember => {
      const { name, annotations } = member(i, "race-shared");
      const ports = [{ port: 80 + (Math.floor(i / 20) % 10), protocol: "TCP" }];
      return { name, annotations: { ...annotations, [SHARE]: `key-${i % 20}` }, spec: { ports } };
    });
    await createCrowd(client, namespace, members, {
      clients: CLIENTS,
      onCreated: disturb(300, 500),
    });
    const all = await allServed(1000);
    const users = new Map<string, kind.Service[]>();
    for (const service of all) {
      const [address] = ingressOf(service);
      users.set(address!, [...(users.get(address!) ?? []), service]);
    }
    for (const [address, sharing] of users) {
      const keys = new Set(sharing.map(({ metadata }) => metadata?.annotations?.[SHARE]));
      expect([...keys], address).toHaveLength(1);
      const ports = sharing.map(({ spec }) => spec?.ports?.[0]?.port);
      expect(new Set(ports).size, address).toBe(ports.length);
    }
    // 50 Services of a key have 10 ports: they need 5 addresses, and more only where two were faster than each other.
    expect(users.size).toBeGreaterThanOrEqual(100);
    expect(users.size).toBeLessThan(1000);
    await expectClaims(all);
  });

  /** After so many creates one admission process is killed with -9, and the watchers are restarted later. */
  function disturb(killAt: number, restartAt: number): (count: number) => Promise<void> {
    return async count => {
      if (count === killAt) await killAdmission();
      if (count === restartAt) await restartWatchers();
    };
  }

  function pool(name: string, addresses: readonly string[]): object {
    return {
      apiVersion: "metallb.io/v1beta1",
      kind: "IPAddressPool",
      metadata: { name, namespace: "metallb-system" },
      spec: { addresses, autoAssign: false },
    };
  }

  function member(index: number, from: string): CrowdMember & { annotations: object } {
    return { name: `s${index}`, annotations: { [POOL]: from } };
  }

  async function held(): Promise<readonly string[]> {
    const vips: readonly VirtualIP[] = await client.list(virtualIPResource);
    return holdings(vips).filter(line => line.includes(` ${namespace}/`));
  }

  /** Waits until that many Services have an address for every family that they asked for. */
  async function allServed(count: number): Promise<readonly kind.Service[]> {
    return c.waitFor(
      `${count} Services to have their addresses`,
      async () => {
        const all = await client.list(services, namespace);
        const waiting = all.filter(service => {
          return ingressOf(service).length < (service.spec?.clusterIPs?.length ?? 1);
        });
        if (waiting.length > 0) throw new Error(`${waiting.length} of ${all.length} have none`);
        return all.length === count && all;
      },
      patience,
    );
  }

  /** Exactly the addresses in the statuses are claimed, each for the very Service that shows it. */
  async function expectClaims(all: readonly kind.Service[]): Promise<void> {
    const expected = all
      .flatMap(service => {
        const { name = "", uid = "" } = service.metadata ?? {};
        return ingressOf(service).map(address => `${address} ${namespace}/${name} ${uid}`);
      })
      .sort();
    await c.waitFor(
      "the claims to be confirmed, and no other to be left",
      async () => JSON.stringify(await held()) === JSON.stringify(expected),
      patience,
    );
  }

  async function killAdmission(): Promise<void> {
    const pods = await c.get("pods", "-n", "pepr-system", "-l", "app=pepr-ancho");
    const status = pods?.items?.[0]?.status as { containerStatuses: { containerID: string }[] };
    const id = status.containerStatuses[0]!.containerID.replace("containerd://", "");
    const pids = (await readdir("/proc")).filter(name => /^\d+$/.test(name));
    const groups = pids.map(async pid => {
      const cgroup = await readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => "");
      return cgroup.includes(id) ? [Number(pid)] : [];
    });
    const found = (await settleAll(groups)).flat();
    expect(found.length).toBeGreaterThan(0);
    for (const pid of found) process.kill(pid, "SIGKILL");
  }

  async function restartWatchers(): Promise<void> {
    await c.ok(["-n", "pepr-system", "rollout", "restart", "deployment/pepr-ancho-watcher"]);
  }

  async function rollout(workload: string): Promise<void> {
    await c.ok(["-n", "pepr-system", "rollout", "status", workload, "--timeout=180s"]);
  }
});
