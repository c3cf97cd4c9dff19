import { beforeAll, describe, expect, it } from "vitest";
import { inRepo } from "../hack/repo";
import type { Cluster, KubeObject } from "./support";
import { cluster } from "./support";

/** Bits of /proc/PID/status CapEff: capabilities(7), linux/capability.h. */
const netAdmin = 1n << 12n;
const netRaw = 1n << 13n;

describe("what dist/install.yaml brings", () => {
  let c: Cluster;
  beforeAll(async () => {
    c = await cluster();
  });

  it("two admission replicas on two nodes, two watchers likewise, one announcer on every node", async () => {
    const admission = await c.get(
      "pods",
      "-n",
      "pepr-system",
      "-l",
      "pepr.dev/controller=admission",
    );
    const watcher = await c.get("pods", "-n", "pepr-system", "-l", "pepr.dev/controller=watcher");
    const announcers = await c.get("pods", "-n", "metallb-system", "-l", "component=announcer");
    const nodesOf = (list: KubeObject | undefined) =>
      new Set((list?.items ?? []).map(pod => pod.spec.nodeName as string));
    expect(nodesOf(admission).size).toBe(2);
    expect(nodesOf(watcher).size).toBe(2);
    expect([...nodesOf(announcers)].sort()).toEqual([...c.lab.nodes].sort());
  });

  it("announcers that hold NET_ADMIN and NET_RAW and no other capability, on a read-only root", async () => {
    const pods = await c.get("pods", "-n", "metallb-system", "-l", "component=announcer");
    for (const pod of pods?.items ?? []) {
      const script =
        'const fs = require("fs"); let w; try { fs.writeFileSync("/probe", ""); w = "written" } catch (e) { w = e.code }' +
        'console.log(JSON.stringify({ status: fs.readFileSync("/proc/1/status", "utf8"), w }))';
      const out = await c.ok([
        ...["-n", "metallb-system", "exec", pod.metadata.name, "--"],
        ...["/usr/local/bin/node", "-e", script],
      ]);
      const { status, w } = JSON.parse(out) as { status: string; w: string };
      expect(BigInt(`0x${/^CapEff:\s*(\w+)/m.exec(status)?.[1] ?? ""}`)).toBe(netAdmin | netRaw);
      expect(w).toBe("EROFS");
    }
  });

  it("no right to everything: no rule of ours has a wildcard", async () => {
    for (const name of ["pepr-ancho", "ancho-announcer"]) {
      const role = await c.get("clusterrole", name);
      const text = JSON.stringify((role as unknown as { rules: unknown }).rules);
      expect(text).not.toContain('"*"');
    }
  });

  it("webhooks that are called through the Service and let writes pass when it is away", async () => {
    for (const kind of ["mutatingwebhookconfiguration", "validatingwebhookconfiguration"]) {
      const hook = (await c.get(kind, "pepr-ancho")) as unknown as {
        webhooks: {
          failurePolicy: string;
          timeoutSeconds: number;
          clientConfig: { service: { name: string; namespace: string } };
        }[];
      };
      expect(hook.webhooks.length).toBeGreaterThan(0);
      for (const { clientConfig, failurePolicy, timeoutSeconds } of hook.webhooks) {
        expect(clientConfig.service).toMatchObject({
          name: "pepr-ancho",
          namespace: "pepr-system",
        });
        expect(failurePolicy).toBe("Ignore");
        expect(timeoutSeconds).toBe(5);
      }
    }
  });

  it("can be applied again without a change that restarts anything", async () => {
    const before = await podsOfOurs();
    await c.ok(["apply", "-f", inRepo("dist/install.yaml")]);
    for (const workload of ["deployment/pepr-ancho", "deployment/pepr-ancho-watcher"]) {
      await c.ok(["-n", "pepr-system", "rollout", "status", workload, "--timeout=60s"]);
    }
    expect(await podsOfOurs()).toEqual(before);
  });

  /** The uids of our pods, without those that earlier tests have deleted. */
  async function podsOfOurs(): Promise<readonly string[]> {
    const lists = await Promise.all(
      ["pepr-system", "metallb-system"].map(namespace => c.get("pods", "-n", namespace)),
    );
    return lists
      .flatMap(list => list?.items ?? [])
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata }) => metadata.uid)
      .sort();
  }
});
