import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { deployAncho } from "../hack/deploy";
import { downLab, upLab } from "../hack/lab/lab";
import { repoRoot } from "../hack/repo";
import { waitFor } from "../hack/wait";
import { findLeftovers, nothing } from "./leftovers";
import { cluster } from "./support";

const quiet = () => undefined;

describe("the lab", () => {
  afterEach(async () => {
    await downLab("e2e-b");
    await downLab("e2e-c");
  });

  it("runs beside another one, takes Ancho by `npx pepr deploy`, and leaves nothing behind", async () => {
    const first = await cluster();
    const lab = await upLab({ name: "e2e-b", nodes: 1 }, quiet);
    await deployAncho(lab, "pepr", quiet);

    const pool = {
      apiVersion: "metallb.io/v1beta1",
      kind: "IPAddressPool",
      metadata: { name: "only", namespace: "metallb-system" },
      spec: { addresses: ["172.30.0.240/30"] },
    };
    const service = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web" },
      spec: { type: "LoadBalancer", ports: [{ port: 80 }] },
    };
    expect(await lab.kubectl(["apply", "-f", "-"], { input: JSON.stringify(pool) })).toMatchObject({
      code: 0,
    });
    const created = await waitFor("the address in the answer to create", async () => {
      await lab.kubectl(["delete", "service", "web", "--ignore-not-found"]);
      const answer = await lab.kubectl(["create", "-f", "-", "-o", "json"], {
        input: JSON.stringify(service),
      });
      const { spec } = JSON.parse(answer.stdout) as { spec: { loadBalancerIP?: string } };
      return spec.loadBalancerIP;
    });
    expect(created).toMatch(/^172\.30\.0\.24[0-3]$/);

    const others = await first.kubectl(["get", "ipaddresspool", "-n", "metallb-system", "only"]);
    expect(others.stderr).toContain("NotFound");

    await downLab("e2e-b");
    expect(await findLeftovers("e2e-b")).toEqual(nothing);
    expect((await first.kubectl(["get", "nodes"])).code).toBe(0);
  }, 400_000);

  it("is taken down without a trace after `up` was killed half way", async () => {
    const up = spawn(
      process.execPath,
      ["--import", "tsx", "hack/lab/index.ts", "up", "--name", "e2e-c", "--nodes", "2"],
      { cwd: repoRoot, stdio: "ignore" },
    );
    const ended = once(up, "exit");
    await waitFor("kubelets of the half-made lab", async () =>
      (await findLeftovers("e2e-c")).processes.some(line => line.includes("kubelet")),
    );
    up.kill("SIGKILL");
    await ended;

    await downLab("e2e-c");
    expect(await findLeftovers("e2e-c")).toEqual(nothing);
    await downLab("e2e-c");
  }, 120_000);
});
