import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answerOf, applyPool, applyWeb, deletePool, serviceFor, statusAddresses } from "./fixtures";
import type { Cluster } from "./support";
import { cluster } from "./support";

const NAMESPACE = "metallb-system";

describe("the ConfigMap of MetalLB 0.12", () => {
  const app = "legacy";
  const addresses = "172.30.0.180-172.30.0.183";
  let c: Cluster;

  const configMap = (config: string): object => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "config", namespace: NAMESPACE },
    data: { config },
  });

  beforeAll(async () => {
    c = await cluster();
    await applyWeb(c, app, 1);
  });

  afterAll(async () => {
    await c.ok(["delete", "service", app, "--ignore-not-found"]);
    await c.ok(["delete", "deployment", app, "--ignore-not-found"]);
    await c.ok(["delete", "configmap", "config", "-n", NAMESPACE, "--ignore-not-found"]);
    await deletePool(c, app);
  });

  async function events(reason: string): Promise<readonly string[]> {
    const field = `involvedObject.name=config,reason=${reason}`;
    const list = await c.get("events", "-n", NAMESPACE, "--field-selector", field);
    return (list?.items ?? []).map(item => (item as unknown as { message: string }).message);
  }

  it("gives and announces addresses without any custom resource", async () => {
    const text = `address-pools:\n- {name: ${app}, protocol: layer2, addresses: [${addresses}]}\n`;
    await c.apply([configMap(text), serviceFor(app, app)]);
    expect(await statusAddresses(c, app)).toEqual(["172.30.0.180"]);
    await expect(answerOf(c, "client", "172.30.0.180")).resolves.toContain(`pod=${app}-`);
  });

  it("gives way to the resources that it is migrated to, and no address moves", async () => {
    await applyPool(c, { name: app, addresses: [addresses] });
    const said = await c.waitFor("the event", async () => {
      const found = await events("ConfigurationReplaced");
      return found.length > 0 && found;
    });
    expect(said).toEqual([
      `ConfigMap ${NAMESPACE}/config: address-pools[0] is not used, because IPAddressPool ${NAMESPACE}/${app} is in its place; delete it from the ConfigMap.`,
    ]);
    await c.ok(["delete", "configmap", "config", "-n", NAMESPACE]);
    await expect(answerOf(c, "client", "172.30.0.180")).resolves.toContain(`pod=${app}-`);
    expect(await statusAddresses(c, app)).toEqual(["172.30.0.180"]);
  });

  it("is told what is wrong in it", async () => {
    await c.apply([configMap("adress-pools: []")]);
    const [said] = await c.waitFor("the event", async () => {
      const found = await events("ConfigurationError");
      return found.length > 0 && found;
    });
    expect(said).toContain("adress-pools [] is not a field of MetalLB's configuration; remove it");
  });

  it("metallb 179: shows in the ConfigurationState of the controller and of every node", async () => {
    const results = async (): Promise<readonly string[]> => {
      const list = await c.get("configurationstates", "-n", NAMESPACE);
      return (list?.items ?? [])
        .map(({ metadata, status }) => `${metadata.name} ${String(status?.["result"])}`)
        .sort();
    };
    const all = async (result: string): Promise<boolean> =>
      c.waitFor(`every ConfigurationState to be ${result}`, async () => {
        const found = await results();
        return found.length === 4 && found.every(line => line.endsWith(` ${result}`));
      });
    await all("Invalid");
    expect((await results()).map(line => line.split(" ")[0]).slice(0, 2)).toEqual([
      "controller",
      expect.stringMatching(/^speaker-/),
    ]);
    await c.ok(["delete", "configurationstates", "--all", "-n", NAMESPACE]);
    await all("Invalid");
    await c.ok(["delete", "configmap", "config", "-n", NAMESPACE]);
    await all("Valid");
  });
});

describe("a change of a pool", () => {
  const app = "pool-change";
  const wide = "172.30.0.184-172.30.0.187";
  let c: Cluster;

  const pool = (addresses: string, annotations = {}): string =>
    JSON.stringify({
      apiVersion: "metallb.io/v1beta1",
      kind: "IPAddressPool",
      metadata: { name: app, namespace: NAMESPACE, annotations },
      spec: { addresses: [addresses] },
    });
  /** What kubectl says to somebody who applies it, without doing it. */
  const dryRun = async (manifest: string): Promise<string> =>
    (await c.kubectl(["apply", "--dry-run=server", "-f", "-"], { input: manifest })).stderr;
  const hit = `1 Service would lose the address and wait for one: default/${app} (172.30.0.186)`;
  const title = `IPAddressPool ${NAMESPACE}/${app}`;

  beforeAll(async () => {
    c = await cluster();
    await c.apply(pool(wide));
    const annotations = {
      "metallb.io/address-pool": app,
      "metallb.io/loadBalancerIPs": "172.30.0.186",
    };
    await c.waitFor("the pool to be served", async () => {
      const manifest = JSON.stringify(serviceFor(app, app, {}, annotations));
      return (await c.kubectl(["apply", "-f", "-"], { input: manifest })).code === 0;
    });
    expect(await statusAddresses(c, app)).toEqual(["172.30.0.186"]);
  });

  afterAll(async () => {
    await c.ok(["delete", "service", app, "--ignore-not-found"]);
    await deletePool(c, app);
  });

  it("that takes an address from a Service is answered with a warning that names it", async () => {
    const said = await dryRun(pool("172.30.0.184-172.30.0.185"));
    expect(said).toContain(`Warning: ${title}: is changed, and ${hit}`);
    const narrowed = pool(wide).replace(
      '"spec":{',
      '"spec":{"serviceAllocation":{"namespaces":["other"]},',
    );
    expect(await dryRun(narrowed)).toContain(`Warning: ${title}: is changed, and ${hit}`);
    const deletion = ["delete", "ipaddresspool", app, "-n", NAMESPACE, "--dry-run=server"];
    expect((await c.kubectl(deletion)).stderr).toContain(
      `Warning: ${title}: is deleted, and ${hit}`,
    );
  });

  it("that does so to a protected pool is refused", async () => {
    await c.apply(pool(wide, { "ancho.dev/protect": "true" }));
    const shrunk = pool("172.30.0.184-172.30.0.185");
    expect(await dryRun(shrunk)).toContain(
      `${title}: metadata.annotations "ancho.dev/protect: true" keeps it from being changed, because ${hit}; move those Services first, or remove the annotation by a change of its own.`,
    );
    const deleted = await c.kubectl(["delete", "ipaddresspool", app, "-n", NAMESPACE]);
    expect(deleted.code).toBe(1);
    expect(deleted.stderr).toContain("keeps it from being deleted");
    await c.apply(pool(wide));
  });

  it("that reaches into another pool is refused, and one into the cluster's own addresses warned of", async () => {
    const overlap = await dryRun(pool("172.30.0.187-172.30.0.188").replaceAll(app, `${app}-2`));
    expect(overlap).toContain(`overlaps 172.30.0.184/30 of IPAddressPool ${app};`);
    const node = await c.get("nodes");
    const address = (
      node?.items?.[0]?.status as { addresses?: { type: string; address: string }[] } | undefined
    )?.addresses?.find(({ type }) => type === "InternalIP")?.address;
    const taken = await dryRun(pool(`${address}/32`).replaceAll(app, `${app}-2`));
    expect(taken).toContain(`holds ${address}, an address of node `);
  });
});
