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
});
