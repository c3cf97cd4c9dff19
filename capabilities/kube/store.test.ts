import { mkdtempSync, rmSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { answer, startFakeApiServer } from "./fake-api-server";
import type { FakeApiServer } from "./fake-api-server";
import { configMaps } from "./resource";
import { watchStore } from "./store";
import type { Store } from "./store";

/** Generous, since the machine may be busy with a whole lab. */
async function eventually(condition: () => boolean): Promise<void> {
  await vi.waitUntil(condition, 20_000);
}

const item = (name: string, version: number): object => ({
  metadata: { namespace: "ns", name, uid: `uid-${name}`, resourceVersion: String(version) },
});

/** Faults that a real API server shows too seldom; e2e/kube.test.ts has the real one. */
describe("store", { timeout: 30_000 }, () => {
  let folder: string;
  let server: FakeApiServer;
  let store: Store<unknown> | undefined;
  let onList: (response: ServerResponse) => true;
  let onWatch: (response: ServerResponse) => true;
  let streams: ServerResponse[];
  let changes: string[];

  const listOf = (version: number, ...items: object[]): typeof onList => {
    return response =>
      answer(response, 200, { items, metadata: { resourceVersion: String(version) } });
  };
  const openStream = (response: ServerResponse): true => {
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    streams.push(response);
    return true;
  };
  const send = (type: string, object: object): void => {
    streams.at(-1)?.write(`${JSON.stringify({ type, object })}\n`);
  };
  const start = (): Store<unknown> => {
    store = watchStore(configMaps, {
      log: { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() },
      onChange: (key, object) => {
        changes.push(`${key} ${object?.metadata?.resourceVersion ?? "gone"}`);
        if (key === "ns/fatal") {
          throw new Error("the user's callback failed");
        }
      },
    });
    return store;
  };

  beforeEach(async () => {
    streams = [];
    changes = [];
    onList = listOf(5, item("a", 3));
    onWatch = openStream;
    folder = mkdtempSync(join(tmpdir(), "kube-store-"));
    server = await startFakeApiServer((request, response) =>
      (request.url ?? "").includes("watch=true") ? onWatch(response) : onList(response),
    );
    server.writeKubeConfig(join(folder, "config"), "token");
    process.env["KUBECONFIG"] = join(folder, "config");
  });

  afterEach(async () => {
    store?.stop();
    await server.stop();
    rmSync(folder, { recursive: true });
    delete process.env["KUBECONFIG"];
  });

  it("lists, then follows, and fills in what list items lack", async () => {
    const s = start();
    expect(s.hasSynced()).toBe(false);
    await s.synced;
    expect(s.get("ns/a")).toMatchObject({ kind: "ConfigMap", apiVersion: "v1" });
    await eventually(() => s.isConnected());
    send("MODIFIED", item("a", 6));
    send("ADDED", item("b", 7));
    send("DELETED", item("a", 8));
    await eventually(() => changes.length === 4);
    expect(changes).toEqual(["ns/a 3", "ns/a 6", "ns/b 7", "ns/a gone"]);
    expect(s.list()).toHaveLength(1);
  });

  it("keeps nothing of who wrote which field, be it listed or heard of", async () => {
    const managed = (name: string, version: number): object => {
      const { metadata } = item(name, version) as { metadata: object };
      return { metadata: { ...metadata, managedFields: [{ manager: "kubectl" }] } };
    };
    onList = listOf(5, managed("a", 3));
    const s = start();
    await eventually(() => s.isConnected());
    send("ADDED", managed("b", 7));
    await eventually(() => changes.length === 2);
    expect(s.list()).toHaveLength(2);
    expect(JSON.stringify(s.list())).not.toContain("managedFields");
  });

  it("is synced by the first list that succeeds, not by a watch without one", async () => {
    onList = response => answer(response, 500, { kind: "Status", message: "etcd is away" });
    const s = start();
    await eventually(() => server.requests.length >= 4);
    expect(s.hasSynced()).toBe(false);
    onList = listOf(5, item("a", 3));
    await s.synced;
    expect(changes).toEqual(["ns/a 3"]);
  });

  it("finds what was deleted, changed and made while it was disconnected", async () => {
    onList = listOf(5, item("a", 3), item("b", 4));
    const s = start();
    await eventually(() => s.isConnected());
    onList = listOf(20, item("b", 15), item("c", 16));
    server.resetConnections();
    await eventually(() => changes.length === 5);
    expect(changes.slice(2)).toEqual(["ns/a gone", "ns/b 15", "ns/c 16"]);
  });

  it("lists again when the server has forgotten its version (410)", async () => {
    const s = start();
    await eventually(() => s.isConnected());
    onList = listOf(90, item("a", 80));
    send("ERROR", { kind: "Status", code: 410, reason: "Expired" });
    await eventually(() => changes.includes("ns/a 80"));
  });

  it("goes on when the server ends the stream, as it does every half hour", async () => {
    const s = start();
    await eventually(() => s.isConnected());
    onList = listOf(9, item("a", 8));
    streams[0]?.end();
    await eventually(() => streams.length === 2);
    send("MODIFIED", item("a", 12));
    await eventually(() => changes.includes("ns/a 12"));
    expect(changes).toEqual(["ns/a 3", "ns/a 8", "ns/a 12"]);
  });

  it("survives a callback that throws and a line that is no JSON", async () => {
    const s = start();
    await eventually(() => s.isConnected());
    streams[0]?.write("not json\n");
    send("ADDED", item("fatal", 6));
    send("ADDED", item("b", 7));
    await eventually(() => changes.includes("ns/b 7"));
  });

  it("says nothing after stop", async () => {
    const s = start();
    await eventually(() => s.isConnected());
    s.stop();
    await eventually(() => streams[0]?.destroyed === true);
    const requests = server.requests.length;
    server.resetConnections();
    expect(s.isConnected()).toBe(false);
    expect(server.requests).toHaveLength(requests);
    expect(changes).toEqual(["ns/a 3"]);
  });

  it("of several that have failed, all try when the first one is back", async () => {
    const waiting: (() => void)[] = [];
    let successes = 0;
    const retries = {
      wait: (retry: () => void) => {
        waiting.push(retry);
        return () => undefined;
      },
      succeeded: () => {
        successes += 1;
        waiting.splice(0).forEach(retry => {
          retry();
        });
      },
    };
    const log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
    const stores = [1, 2, 3].map(() => watchStore(configMaps, { log, retries }));
    await eventually(() => stores.every(one => one.isConnected()));
    expect(successes).toBe(0);
    server.resetConnections();
    await eventually(() => waiting.length === 3);
    const requests = server.requests.length;
    waiting.shift()?.();
    await eventually(() => stores.every(one => one.isConnected()));
    expect(server.requests.length).toBe(requests + 6);
    expect(successes).toBe(3);
    stores.forEach(one => {
      one.stop();
    });
  });

  it("passes its scope on to list and watch", async () => {
    store = watchStore(configMaps, {
      namespace: "ns",
      fieldSelector: { "metadata.name": "a" },
      labelSelector: { app: "x" },
      log: { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() },
    });
    await eventually(() => server.requests.length === 2);
    const query = "fieldSelector=metadata.name%3Da&labelSelector=app%3Dx";
    expect(server.requests[0]).toBe(`GET /api/v1/namespaces/ns/configmaps?${query}`);
    expect(server.requests[1]).toContain(`${query}&watch=true`);
  });
});
