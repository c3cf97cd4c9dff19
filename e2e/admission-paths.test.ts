import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { certFiles } from "../hack/lab/certs";
import { labPaths } from "../hack/lab/paths";
import { killGroup } from "../hack/lab/run";
import { inRepo } from "../hack/repo";
import { poolManifest } from "./fixtures";
import { addressesOf, assignedCondition, serviceTools } from "./services";
import type { ServiceTools } from "./services";
import type { Cluster, KubeObject } from "./support";
import { cluster } from "./support";

const namespace = "paths";
const WEBHOOK_PORT = "9444";
const POOL = "metallb.io/address-pool";
/** A claim whose Service never came is collected after a minute. */
const COLLECTED_MS = 120_000;

/** Every way in which a Service can come to the API server, or be kept from it; none leaks or swaps an address. */
describe("a Service on its way through the API server", { timeout: 300_000 }, () => {
  let c: Cluster;
  let s: ServiceTools;
  let webhook: ChildProcess | undefined;

  beforeAll(async () => {
    c = await cluster();
    s = serviceTools(c, namespace);
    await c.ok(["create", "namespace", namespace]);
    await c.apply([
      poolManifest({ name: "paths", addresses: ["10.210.0.0/28"] }),
      poolManifest({ name: "paths-other", addresses: ["10.210.1.0/28"] }),
      quota,
      policy,
      policyBinding,
    ]);
  });

  afterAll(async () => {
    await c.ok(["delete", "mutatingwebhookconfiguration", "zz-late", "--ignore-not-found"]);
    if (webhook?.pid !== undefined) killGroup(webhook.pid, "SIGKILL");
    await c.ok(["delete", "namespace", namespace, "--ignore-not-found"]);
    for (const [kind, name] of [
      ["validatingadmissionpolicybinding", "paths"],
      ["validatingadmissionpolicy", "paths"],
    ] as const) {
      await c.ok(["delete", kind, name, "--ignore-not-found"]);
    }
    for (const name of ["paths", "paths-other"]) {
      await c.ok(["-n", "metallb-system", "delete", "ipaddresspool", name, "--ignore-not-found"]);
    }
  });

  it("keeps its address through server-side apply, by one owner and by another", async () => {
    const apply = async (manager: string, labels: Readonly<Record<string, string>>) => {
      const args = ["apply", "--server-side", "--force-conflicts", `--field-manager=${manager}`];
      const manifest = s.manifest({ name: "applied", annotations: { [POOL]: "paths" }, labels });
      const input = JSON.stringify(manifest);
      return JSON.parse(await c.ok([...args, "-f", "-", "-o", "json"], { input })) as KubeObject;
    };
    expect((await apply("one", {})).spec.loadBalancerIP).toBe("10.210.0.0");
    await s.settled("applied", ["10.210.0.0"]);
    for (const manager of ["one", "two", "one"]) {
      const again = await apply(manager, { by: manager });
      expect(again.spec.loadBalancerIP).toBe("10.210.0.0");
    }
    expect(addressesOf(await s.read("applied"))).toEqual(["10.210.0.0"]);
    expect(await s.claims("paths")).toEqual(["10.210.0.0"]);
    await s.remove("applied");
    await claimsAre([]);
  });

  it("leaves no claim behind when it is rejected by a policy or a quota, and gets an address when it is not any more", async () => {
    const annotations = { [POOL]: "paths" };
    const rejected = { name: "rejected", annotations, labels: { reject: "yes" } };
    expect((await s.tryCreate(rejected)).stderr).toContain("no Service with the label reject");
    await s.create({ name: "first", annotations });
    await s.create({ name: "second", annotations });
    const third = { name: "third", annotations };
    expect((await s.tryCreate(third)).stderr).toContain("exceeded quota");
    await s.served("first");
    await s.served("second");
    const addresses = [
      ...addressesOf(await s.read("first")),
      ...addressesOf(await s.read("second")),
    ];
    expect(new Set(addresses).size).toBe(2);
    await claimsAre(addresses, COLLECTED_MS);
    await s.remove("first");
    await s.create(third);
    await claimsAre(
      [...addressesOf(await s.served("second")), ...addressesOf(await s.served("third"))],
      COLLECTED_MS,
    );
    await s.remove("second", "third");
    await claimsAre([]);
  });

  it("ends with what another webhook made of it after Ancho's", async () => {
    await c.ok(["delete", "resourcequota", "-n", namespace, "paths"]);
    await startWebhook();
    const annotations = { "example.com/owner": "somebody" };
    const base = { annotations: { ...annotations, [POOL]: "paths" } };
    const moved = await s.create({ ...base, name: "moved", labels: { late: "address" } });
    expect(moved.spec.loadBalancerIP).toBe("10.210.0.14");
    await s.create({ ...base, name: "pooled", labels: { late: "pool" } });
    const demoted = await s.create({ ...base, name: "demoted", labels: { late: "type" } });
    expect(demoted.spec.type).toBe("ClusterIP");
    await s.settled("moved", ["10.210.0.14"]);
    await s.settled("pooled", ["10.210.1.0"]);
    await claimsAre(["10.210.0.14", "10.210.1.0"], COLLECTED_MS);
    expect(addressesOf(await s.read("demoted"))).toEqual([]);
    await s.remove("moved", "pooled", "demoted");
    await claimsAre([]);
  });

  it("that loses its pool says so in its condition", async () => {
    const gone = poolManifest({ name: "paths-gone", addresses: ["10.210.2.0/28"] });
    await c.apply([gone]);
    await s.create({ name: "orphan", annotations: { [POOL]: "paths-gone" } });
    await s.settled("orphan", ["10.210.2.0"]);
    await c.ok(["-n", "metallb-system", "delete", "ipaddresspool", "paths-gone"]);
    await s.settled("orphan", []);
    const condition = assignedCondition(await s.read("orphan"));
    expect(condition).toMatchObject({ status: "False", reason: "UnknownPool" });
    expect(condition["message"]).toContain("names an IPAddressPool that does not exist");
    await s.remove("orphan");
    await claimsAre([]);
  });

  it("metallb 153: of our class gets an address, and gives it back when it stops being a LoadBalancer", async () => {
    await setClass("ancho.dev/vip");
    try {
      const annotations = { [POOL]: "paths" };
      const spec = { loadBalancerClass: "ancho.dev/vip" };
      const ours = await s.create({ name: "ours", annotations, spec });
      expect(ours.spec.loadBalancerIP).toBe("10.210.0.0");
      const plain = await s.create({ name: "plain", annotations });
      expect(plain.spec.loadBalancerIP).toBeUndefined();
      await s.settled("ours", ["10.210.0.0"]);
      // The API server takes the class away together with the type.
      await s.patch("ours", { spec: { type: "ClusterIP", loadBalancerClass: null } });
      await claimsAre([]);
      expect(addressesOf(await s.read("ours"))).toEqual([]);
      expect(addressesOf(await s.read("plain"))).toEqual([]);
    } finally {
      await setClass("");
    }
  });

  async function claimsAre(expected: readonly string[], timeoutMs?: number): Promise<void> {
    const wanted = [...expected].sort().join();
    await c.waitFor(
      `the claims to be ${wanted || "none"}`,
      async () => {
        const found = (await s.claims("paths")).sort().join();
        if (found !== wanted) throw new Error(`they are ${found}`);
        return true;
      },
      timeoutMs,
    );
  }

  async function setClass(name: string): Promise<void> {
    const workloads = ["deployment/pepr-ancho", "deployment/pepr-ancho-watcher"];
    const variable =
      name === "" ? "ANCHO_LOAD_BALANCER_CLASS-" : `ANCHO_LOAD_BALANCER_CLASS=${name}`;
    await c.ok(["-n", "pepr-system", "set", "env", ...workloads, variable]);
    for (const workload of workloads) {
      await c.ok(["-n", "pepr-system", "rollout", "status", workload, "--timeout=120s"]);
    }
  }

  /** On the API server's own host, with the API server's own certificate. */
  async function startWebhook(): Promise<void> {
    const { pki } = labPaths(c.lab.name);
    const { cert, key } = certFiles(pki, "apiserver");
    const script = inRepo("e2e/late-webhook.ts");
    const argv = [process.execPath, "--import", "tsx", script, WEBHOOK_PORT, cert, key];
    webhook = await c.lab.spawn(c.lab.ctl, argv, "ignore");
    const probe = ["socat", "-u", "/dev/null", `TCP:127.0.0.1:${WEBHOOK_PORT}`];
    await c.waitFor("the webhook", async () => (await c.lab.exec(c.lab.ctl, probe)).code === 0);
    await c.apply([lateWebhook(readFileSync(certFiles(pki, "ca").cert).toString("base64"))]);
    await c.waitFor("the API server to call it", async () => {
      const annotations = { [POOL]: "paths" };
      const labels = { late: "address" };
      const tried = await s.tryCreate({ name: "try", annotations, labels }, "--dry-run=server");
      if (tried.code !== 0) throw new Error(tried.stderr);
      return (JSON.parse(tried.stdout) as KubeObject).spec.loadBalancerIP === "10.210.0.14";
    });
  }
});

const quota = {
  apiVersion: "v1",
  kind: "ResourceQuota",
  metadata: { name: "paths", namespace },
  spec: { hard: { "services.loadbalancers": "2" } },
};

const policy = {
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "ValidatingAdmissionPolicy",
  metadata: { name: "paths" },
  spec: {
    matchConstraints: {
      resourceRules: [
        { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["services"] },
      ],
    },
    validations: [
      {
        expression: "!has(object.metadata.labels) || !('reject' in object.metadata.labels)",
        message: "no Service with the label reject",
      },
    ],
  },
};

const policyBinding = {
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "ValidatingAdmissionPolicyBinding",
  metadata: { name: "paths" },
  spec: { policyName: "paths", validationActions: ["Deny"] },
};

/** Webhooks are called in the order of their configurations' names. */
function lateWebhook(caBundle: string): object {
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: "zz-late" },
    webhooks: [
      {
        name: "late.example.com",
        admissionReviewVersions: ["v1"],
        clientConfig: { url: `https://127.0.0.1:${WEBHOOK_PORT}/`, caBundle },
        objectSelector: { matchExpressions: [{ key: "late", operator: "Exists" }] },
        rules: [
          { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["services"] },
        ],
        sideEffects: "None",
        failurePolicy: "Fail",
      },
    ],
  };
}
