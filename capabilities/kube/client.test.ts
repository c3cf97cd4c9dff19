import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createKubeClient } from "./client";
import { createConnectionSource } from "./connection";
import { answer, startFakeApiServer } from "./fake-api-server";
import type { FakeApiServer, Handler } from "./fake-api-server";
import { namespaces, services } from "./resource";

const web = { metadata: { namespace: "shop", name: "web" } };

describe("client", { timeout: 30_000 }, () => {
  let folder: string;
  let server: FakeApiServer;
  let handle: Handler;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "kube-client-"));
    handle = (_request, response) => answer(response, 200, web);
    server = await startFakeApiServer((request, response) => handle(request, response));
    server.writeKubeConfig(join(folder, "config"), "first-token");
    process.env["KUBECONFIG"] = join(folder, "config");
  });

  afterEach(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
    delete process.env["KUBECONFIG"];
  });

  it("shares one connection among calls in a row", async () => {
    const client = createKubeClient();
    for (let count = 0; count < 100; count += 1) {
      await client.get(services, "shop/web");
    }
    expect(server.connections()).toBeLessThanOrEqual(2);
    await client.close();
  });

  it("asks for strict checks on every write and names itself", async () => {
    const client = createKubeClient({ fieldManager: "tester" });
    await client.create(services, web);
    await client.jsonPatch(services, "shop/web", []);
    await client.mergePatch(services, "shop/web", {});
    await client.mergePatchStatus(services, "shop/web", {});
    await client.apply(services, web, "owner");
    await client.delete(services, "shop/web", { uid: "u" });
    const path = "/api/v1/namespaces/shop/services";
    const strict = "fieldManager=tester&fieldValidation=Strict";
    expect(server.requests).toEqual([
      `POST ${path}?${strict}`,
      `PATCH ${path}/web?${strict}`,
      `PATCH ${path}/web?${strict}`,
      `PATCH ${path}/web/status?${strict}`,
      `PATCH ${path}/web?fieldManager=owner&fieldValidation=Strict&force=true`,
      `DELETE ${path}/web`,
    ]);
    await client.close();
  });

  it("gives up after its timeout", async () => {
    handle = () => true;
    const client = createKubeClient({ timeoutMs: 50 });
    await expect(client.get(services, "shop/web")).rejects.toMatchObject({
      name: "KubeError",
      reason: "Timeout",
      status: 0,
    });
  });

  it("rejects with a KubeError if the answer is cut off, or is no JSON", async () => {
    const client = createKubeClient();
    handle = (_request, response) => cutOff(response);
    await expect(client.get(services, "shop/web")).rejects.toMatchObject({ reason: "Unreachable" });
    await client.close();
  });

  it("reads again, but does not write again, when a kept connection was closed", async () => {
    const client = createKubeClient();
    await client.get(services, "shop/web");
    const ok = handle;
    let seen = 0;
    handle = (request, response) => {
      seen += 1;
      if (seen % 2 === 0) {
        return ok(request, response);
      }
      request.socket.resetAndDestroy();
      return true;
    };
    await expect(client.get(services, "shop/web")).resolves.toEqual(web);
    await expect(client.create(services, web)).rejects.toMatchObject({ reason: "Unreachable" });
    expect(seen).toBe(3);
    await client.close();
  });

  it("takes the new token at once when the old one is refused", async () => {
    const client = createKubeClient();
    await client.get(services, "shop/web");
    expect(server.lastAuthorization()).toBe("Bearer first-token");
    const ok = handle;
    handle = (request, response) =>
      request.headers.authorization === "Bearer second-token"
        ? ok(request, response)
        : answer(response, 401, { kind: "Status", reason: "Unauthorized", message: "no" });
    await expect(client.create(services, web)).rejects.toMatchObject({ status: 401 });
    server.writeKubeConfig(join(folder, "config"), "second-token");
    await expect(client.create(services, web)).resolves.toEqual(web);
    await client.close();
  });

  it("keeps what worked while the kubeconfig is unreadable", async () => {
    let now = 0;
    const client = createKubeClient({ connections: createConnectionSource({ now: () => now }) });
    await client.get(services, "shop/web");
    writeFileSync(join(folder, "config"), "{ half a file");
    now += 60_000;
    await expect(client.get(services, "shop/web")).resolves.toEqual(web);
    await client.close();
  });

  it("follows the kubeconfig to another server", async () => {
    let now = 0;
    const client = createKubeClient({ connections: createConnectionSource({ now: () => now }) });
    await client.get(services, "shop/web");
    const other = await startFakeApiServer((_request, response) => answer(response, 200, web));
    other.writeKubeConfig(join(folder, "config"), "token");
    now += 60_000;
    await client.get(services, "shop/web");
    expect(other.requests).toHaveLength(1);
    await client.close();
    await other.stop();
  });

  it("says so when no cluster is configured", async () => {
    writeFileSync(join(folder, "config"), "apiVersion: v1\nkind: Config\n");
    await expect(createKubeClient().get(services, "shop/web")).rejects.toMatchObject({
      reason: "Unreachable",
      message: expect.stringContaining("set KUBECONFIG") as string,
    });
  });

  it("rejects, and does not throw, when key or object do not fit the kind", async () => {
    const client = createKubeClient();
    const invalid = { name: "KubeError", reason: "Invalid", status: 0 };
    await expect(client.get(services, "web")).rejects.toMatchObject(invalid);
    await expect(client.get(namespaces, "a/b")).rejects.toMatchObject(invalid);
    await expect(client.create(services, { metadata: { name: "web" } })).rejects.toMatchObject(
      invalid,
    );
    await expect(client.apply(services, { metadata: {} }, "x")).rejects.toMatchObject(invalid);
    expect(server.requests).toEqual([]);
  });
});

/** Half an answer, then the end. */
function cutOff(response: ServerResponse): true {
  response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
  response.write('{"metadata":');
  response.socket?.end();
  return true;
}
