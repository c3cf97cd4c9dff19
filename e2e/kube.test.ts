import { readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { kind } from "kubernetes-fluent-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createKubeClient } from "../capabilities/kube/client";
import type { KubeClient } from "../capabilities/kube/client";
import { createConnectionSource } from "../capabilities/kube/connection";
import { createEventRecorder } from "../capabilities/kube/events";
import { createLogger } from "../capabilities/kube/log";
import { configMaps, keyOf, namespaces, services } from "../capabilities/kube/resource";
import type { ResourceKind } from "../capabilities/kube/resource";
import { watchStore } from "../capabilities/kube/store";
import type { Store } from "../capabilities/kube/store";
import { createWorkQueue } from "../capabilities/kube/work-queue";
import type { WorkQueue } from "../capabilities/kube/work-queue";
import { downLab, upLab } from "../hack/lab/lab";
import type { Lab } from "../hack/lab/lab";
import { waitFor } from "../hack/wait";
import { startTcpProxy } from "./tcp-proxy";
import type { TcpProxy } from "./tcp-proxy";

const labName = "kube-t";
const log = createLogger("kube-e2e");
log.level = "silent";

/** capabilities/kube against a real etcd and kube-apiserver of its own, which it may kill. */
describe("the Kubernetes layer", () => {
  let lab: Lab;
  let client: KubeClient;
  /** KUBECONFIG leads through this; `client` goes straight to the API server. */
  let proxy: TcpProxy;

  beforeAll(async () => {
    await downLab(labName);
    lab = await upLab({ name: labName, nodes: 0 });
    proxy = await startTcpProxy(apiPort(lab.kubeconfig));
    process.env["KUBECONFIG"] = kubeconfigFor(lab, "proxied", config => {
      config.clusters[0].cluster.server = `https://127.0.0.1:${proxy.port}`;
    });
    client = createKubeClient({
      connections: createConnectionSource({ kubeconfig: lab.kubeconfig }),
    });
    await client.create(namespaces, { metadata: { name: "kube-e2e" } });
  });

  afterAll(async () => {
    delete process.env["KUBECONFIG"];
    await client.close();
    await proxy.stop();
    await downLab(labName);
  });

  it("turns refusals of the API server into typed errors", async () => {
    const named = (name: string, data = {}): kind.ConfigMap => ({
      metadata: { namespace: "default", name },
      ...data,
    });
    const stale = { op: "replace", path: "/metadata/resourceVersion", value: "1" } as const;
    const failing = { op: "test", path: "/metadata/name", value: "other" } as const;
    await expect(client.get(services, "default/none")).rejects.toMatchObject({
      reason: "NotFound",
      status: 404,
      message: expect.stringMatching(/^get services default\/none: .*"none" not found/) as string,
    });
    await expect(
      client.create(namespaces, { metadata: { name: "default" } }),
    ).rejects.toMatchObject({ reason: "AlreadyExists", status: 409 });
    await expect(client.jsonPatch(namespaces, "default", [stale])).rejects.toMatchObject({
      reason: "Conflict",
      status: 409,
    });
    await expect(client.delete(namespaces, "default", { uid: "other" })).rejects.toMatchObject({
      reason: "Conflict",
    });
    await expect(client.jsonPatch(namespaces, "default", [failing])).rejects.toMatchObject({
      reason: "Invalid",
      status: 422,
    });
    await expect(client.create(configMaps, named("Bad_Name"))).rejects.toMatchObject({
      reason: "Invalid",
      causes: [expect.objectContaining({ field: "metadata.name" })],
    });
    await expect(client.create(configMaps, named("x", { dta: {} }))).rejects.toMatchObject({
      reason: "Invalid",
      message: expect.stringContaining('unknown field "dta"') as string,
    });
  });

  it("says Forbidden when RBAC does", async () => {
    await lab.kubectl(["create", "serviceaccount", "nobody"]);
    const { stdout } = await lab.kubectl(["create", "token", "nobody"]);
    const kubeconfig = kubeconfigFor(lab, "nobody", config => {
      config.users[0].user = { token: stdout.trim() };
    });
    const weak = createKubeClient({ connections: createConnectionSource({ kubeconfig }) });
    await expect(weak.list(services)).rejects.toMatchObject({
      reason: "Forbidden",
      status: 403,
      message: expect.stringContaining("system:serviceaccount:default:nobody") as string,
    });
    await weak.close();
  });

  it("needs at most two connections for a hundred calls in a row", async () => {
    const port = apiPort(lab.kubeconfig);
    const connections = createConnectionSource({ kubeconfig: lab.kubeconfig });
    const fresh = createKubeClient({ connections });
    const before = socketsTo(port);
    for (let count = 0; count < 100; count += 1) {
      await fresh.get(namespaces, "default");
    }
    expect(socketsTo(port) - before).toBeLessThanOrEqual(2);
    await fresh.close();
  });

  it("writes events that kubectl describe shows and counts", async () => {
    const web = {
      metadata: { namespace: "default", name: "web" },
      spec: { ports: [{ port: 80 }] },
    };
    const { metadata } = await client.create(services, web);
    const uid = metadata?.uid ?? "";
    const subject = { apiVersion: "v1", kind: "Service", namespace: "default", name: "web", uid };
    const recorder = createEventRecorder(client, "ancho-test", undefined, log);
    for (let count = 0; count < 3; count += 1) {
      await recorder.emit(subject, "Warning", "AllocationFailed", "no pool has a free address");
    }
    const { stdout } = await lab.kubectl(["describe", "service", "web"]);
    expect(stdout).toMatch(
      /Warning\s+AllocationFailed\s+.*\(x3 over .*\)\s+ancho-test\s+no pool has a free address/,
    );
  });

  it("watches a kind that the client library does not know", async () => {
    const leases: ResourceKind<kind.ConfigMap> = {
      group: "coordination.k8s.io",
      version: "v1",
      kind: "Lease",
      plural: "leases",
      namespaced: true,
    };
    const store = watchStore(leases, { namespace: "default", log });
    await store.synced;
    await client.create(leases, { metadata: { namespace: "default", name: "mine" } });
    await waitFor("the lease", () => Promise.resolve(store.get("default/mine")), 5_000);
    store.stop();
  });

  it("loses no key and no object when the API server is killed again and again", async () => {
    const follower = follow();
    await follower.store.synced;
    for (let round = 0; round < 3; round += 1) {
      const writing = writeFor(client, 3_000, round);
      await sleep(500);
      await lab.killControlPlane("kube-apiserver", "SIGKILL");
      await lab.startControlPlane("kube-apiserver");
      await writing;
    }
    await expectToAgree(client, follower);
    await follower.stop();
  });

  it("works on after 30 s of outage, and finds what changed and went meanwhile", async () => {
    const follower = follow();
    await follower.store.synced;
    await waitFor("the watch", () => Promise.resolve(follower.store.isConnected()));
    for (const name of ["stays", "goes", "changes"]) {
      await client.apply(configMaps, configMap(name, "before"), "test");
    }
    await waitFor("the objects", () => Promise.resolve(follower.store.get("kube-e2e/goes")));

    proxy.close();
    await client.delete(configMaps, "kube-e2e/goes");
    await client.apply(configMaps, configMap("changes", "after"), "test");
    await client.create(configMaps, configMap("new", "after"));
    await sleep(30_000);
    expect(follower.store.get("kube-e2e/goes"), "an outage is no deletion").toBeDefined();
    proxy.open();

    const back = Date.now();
    await waitFor("the deletion", () =>
      Promise.resolve(follower.store.get("kube-e2e/goes") === undefined),
    );
    expect(Date.now() - back).toBeLessThan(4_000);
    await expectToAgree(client, follower);
    expect(follower.handled.get("kube-e2e/goes")).toBe("gone");
    await follower.stop();
  });
});

type Follower = {
  readonly store: Store<kind.ConfigMap>;
  readonly queue: WorkQueue;
  /** What the reconciler saw last of each key: a version or "gone". */
  readonly handled: ReadonlyMap<string, string>;
  stop(): Promise<void>;
};

/** A store that feeds a queue, whose reconciler notes what it finds and fails every fifth time. */
function follow(): Follower {
  const handled = new Map<string, string>();
  let runs = 0;
  const store = watchStore(configMaps, {
    namespace: "kube-e2e",
    log,
    onChange: key => {
      queue.add(key);
    },
  });
  const queue = createWorkQueue({
    name: "test",
    log,
    concurrency: 4,
    backoff: { baseMs: 10, maxMs: 200 },
    reconcile: async key => {
      await sleep(5);
      runs += 1;
      if (runs % 5 === 0) {
        throw new Error("as planned");
      }
      handled.set(key, store.get(key)?.metadata?.resourceVersion ?? "gone");
    },
  });
  return {
    store,
    queue,
    handled,
    stop: async () => {
      store.stop();
      await queue.stop();
    },
  };
}

/** Store and reconciler must both come to what the API server lists. */
async function expectToAgree(client: KubeClient, follower: Follower): Promise<void> {
  const items = await client.list(configMaps, "kube-e2e");
  const truth = new Map(items.map(item => [keyOf(item), item.metadata?.resourceVersion ?? ""]));
  expect(truth.size).toBeGreaterThan(0);
  await waitFor("store and reconciler to agree with the API server", () => {
    const stored = follower.store.list();
    const seen = [...follower.handled].filter(([, version]) => version !== "gone");
    expect(new Map(stored.map(o => [keyOf(o), o.metadata?.resourceVersion]))).toEqual(truth);
    expect(new Map(seen)).toEqual(truth);
    return Promise.resolve(follower.queue.size() === 0);
  });
}

/** Creates, changes and deletes objects without a pause, whatever the API server answers. */
async function writeFor(client: KubeClient, ms: number, round: number): Promise<void> {
  const until = Date.now() + ms;
  for (let count = 0; Date.now() < until; count += 1) {
    const name = `churn-${count % 40}`;
    const call =
      count % 3 === 2
        ? client.delete(configMaps, `kube-e2e/${name}`)
        : client.apply(configMaps, configMap(name, `${round}-${count}`), "test");
    await call.catch(() => undefined);
  }
}

function configMap(name: string, value: string): kind.ConfigMap {
  return { metadata: { namespace: "kube-e2e", name }, data: { value } };
}

type KubeConfigFile = {
  clusters: [{ cluster: { server: string } }];
  users: [{ user: object }];
};

function readKubeconfig(file: string): KubeConfigFile {
  return JSON.parse(readFileSync(file, "utf8")) as KubeConfigFile;
}

function apiPort(kubeconfig: string): number {
  return Number(new URL(readKubeconfig(kubeconfig).clusters[0].cluster.server).port);
}

/** Writes a changed copy of the lab's kubeconfig beside it, so that it goes with the lab. */
function kubeconfigFor(lab: Lab, name: string, change: (config: KubeConfigFile) => void): string {
  const config = readKubeconfig(lab.kubeconfig);
  change(config);
  const file = join(lab.kubeconfig, "..", `${name}.kubeconfig`);
  writeFileSync(file, JSON.stringify(config));
  return file;
}

/** This process's established TCP connections to a port on loopback, by the kernel's word. */
function socketsTo(port: number): number {
  const mine = new Set(
    readdirSync("/proc/self/fd").map(fd => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
      } catch {
        return undefined;
      }
    }),
  );
  const remote = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = readFileSync("/proc/self/net/tcp", "utf8").trim().split("\n").slice(1);
  const columns = rows.map(row => row.trim().split(/\s+/));
  return columns.filter(
    row => row[2]?.endsWith(remote) === true && row[3] === "01" && mine.has(row[9]),
  ).length;
}
