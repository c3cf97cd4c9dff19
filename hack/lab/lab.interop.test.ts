import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { downLab, upLab } from "./lab";
import type { Lab } from "./lab";
import { waitFor, waitUntil } from "../wait";

const NAME = "lab-interop";
const patience = { timeoutMs: 60_000, intervalMs: 200 };

const web = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web" },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: {
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: "kubernetes.io/hostname",
            whenUnsatisfiable: "DoNotSchedule",
            labelSelector: { matchLabels: { app: "web" } },
          },
        ],
        containers: [
          {
            name: "web",
            image: "ancho-demo:dev",
            env: [
              { name: "NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
              { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
            ],
            securityContext: {
              allowPrivilegeEscalation: false,
              readOnlyRootFilesystem: true,
              runAsNonRoot: true,
              capabilities: { drop: ["ALL"] },
              seccompProfile: { type: "RuntimeDefault" },
            },
            readinessProbe: { httpGet: { path: "/healthz", port: 8080 }, periodSeconds: 1 },
          },
        ],
      },
    },
  },
};

const service = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web" },
  spec: {
    ipFamilyPolicy: "RequireDualStack",
    selector: { app: "web" },
    ports: [{ port: 80, targetPort: 8080 }],
  },
};

/** As the announcer runs: the node's network, two capabilities, nothing to write to. */
const hostNetworkPod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "agent" },
  spec: {
    hostNetwork: true,
    nodeName: "n1",
    containers: [
      {
        name: "agent",
        image: "ancho-demo:dev",
        env: [
          { name: "PORT", value: "9090" },
          { name: "NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
        ],
        securityContext: {
          readOnlyRootFilesystem: true,
          runAsUser: 0,
          capabilities: { drop: ["ALL"], add: ["NET_ADMIN", "NET_RAW"] },
        },
      },
    ],
  },
};

/** Calls the web Service as if it were a webhook: what matters is that the call arrives. */
const webhook = {
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "ValidatingWebhookConfiguration",
  metadata: { name: "probe" },
  webhooks: [
    {
      name: "probe.ancho.dev",
      admissionReviewVersions: ["v1"],
      sideEffects: "None",
      clientConfig: { service: { name: "web", namespace: "default", port: 80 } },
      rules: [
        { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["secrets"] },
      ],
    },
  ],
};

describe("a lab with real and light nodes, kube-proxy in nftables mode", () => {
  let lab: Lab;

  const kubectl = async (...args: string[]): Promise<string> => {
    const result = await lab.kubectl(args);
    expect(result.stderr).toBe("");
    return result.stdout;
  };
  const apply = async (object: unknown): Promise<void> => {
    const result = await lab.kubectl(["apply", "-f", "-"], { input: JSON.stringify(object) });
    expect(result.stderr).toBe("");
  };
  const get = async (host: string, address: string, port = 80): Promise<string> => {
    const authority = address.includes(":") ? `[${address}]` : address;
    // A request by hand: curl is on few machines that have nothing else installed.
    const connect = `TCP:${authority}:${port},connect-timeout=2`;
    const input = `GET / HTTP/1.0\r\n\r\n`;
    const result = await lab.exec(host, ["socat", "-t", "3", "-", connect], {
      input,
      timeoutMs: 5_000,
    });
    return result.stdout.split("\r\n\r\n")[1] ?? "";
  };
  const readiness = async (node: string): Promise<string> =>
    kubectl("get", "node", node, "-o", `jsonpath={.status.conditions[?(@.type=="Ready")].status}`);
  const ping = async (to: string): Promise<number> =>
    (await lab.exec("client", ["ping", "-c", "1", "-W", "1", to])).code;

  beforeAll(async () => {
    await downLab(NAME);
    lab = await upLab({ name: NAME, nodes: 2, lightNodes: 1, proxyMode: "nftables" });
    await apply(web);
    await apply(service);
    await apply(hostNetworkPod);
    await kubectl("rollout", "status", "deployment/web", "--timeout=60s");
    await kubectl("wait", "--for=condition=Ready", "pod/agent", "--timeout=60s");
  });
  afterAll(async () => {
    await downLab(NAME);
  });

  it("refuses a second `up` of the same name", async () => {
    await expect(upLab({ name: NAME, nodes: 1 })).rejects.toThrow("is up already");
  });

  it("runs pods on real nodes only", async () => {
    const nodes = await kubectl(
      ...["get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].spec.nodeName}"],
    );
    expect(nodes.split(" ").sort()).toEqual(["n1", "n2"]);
  });

  it("answers on a Service's addresses from every kind of host, each family", async () => {
    const addresses = (await kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIPs}"))
      .replace(/[[\]"]/g, "")
      .split(",");
    const [pod = ""] = (await kubectl("get", "pods", "-l", "app=web", "-o", "name"))
      .split("\n")
      .map(name => name.replace(/^pod\//, "pod/default/"));
    expect(addresses).toHaveLength(2);
    for (const address of addresses) {
      for (const host of ["n1", "n2", "l1", pod]) {
        // kube-proxy may hear of a pod later than whoever waited for it.
        await waitFor(`${host} to reach ${address}`, async () => (await get(host, address)) !== "");
        // Several times, since the pod that answers is drawn by lot and may be the asking one.
        for (let attempt = 0; attempt < 4; attempt += 1) {
          expect(await get(host, address), `${host} to ${address}`).toMatch(/^node=n[12] pod=web-/);
        }
      }
      expect(await get("client", address)).toBe("");
    }
  });

  it("shows a pod's log and runs commands in it", async () => {
    expect(await kubectl("logs", "-l", "app=web")).toContain("demo listens on :8080");
    const result = await lab.kubectl(["exec", "deployment/web", "--", "/demo"]);
    expect(result.stderr).toContain("address already in use");
  });

  it("gives a pod the node's network and just the capabilities it asks for", async () => {
    expect(await get("client", "172.30.0.11", 9090)).toContain("node=n1 pod= client=172.30.0.200");
    expect(await get("client", "fd00:30::11", 9090)).toContain("client=fd00:30::200");
    const script = "grep -h CapEff $(pgrep -f '^/demo$' | sed 's,.*,/proc/&/status,')";
    const capabilities = await lab.exec("n1", ["sh", "-c", script]);
    // NET_ADMIN is bit 12, NET_RAW bit 13.
    expect(capabilities.stdout).toContain("CapEff:\t0000000000003000");
  });

  it("lets the API server call a webhook through its Service", async () => {
    await apply(webhook);
    let said = "";
    await waitUntil(
      async () => {
        const create = ["create", "secret", "generic", "x", "--dry-run=server"];
        said = (await lab.kubectl(create)).stderr;
        return said.includes("probe.ancho.dev");
      },
      { what: "the webhook to be called", ...patience },
    );
    await kubectl("delete", "validatingwebhookconfiguration", "probe");
    expect(said).toContain("server gave HTTP response to HTTPS client");
  });

  it("cuts a node off and brings it back", async () => {
    expect(await ping("172.30.0.12")).toBe(0);
    await lab.cut("n2");
    expect(await ping("172.30.0.12")).not.toBe(0);
    await lab.heal("n2");
    await waitUntil(async () => (await ping("172.30.0.12")) === 0, { what: "n2", ...patience });
  });

  it("freezes a node's processes and lets them go on", async () => {
    lab.freeze("n1");
    expect(await ping("172.30.0.11")).toBe(0);
    expect(await get("client", "172.30.0.11", 9090)).toBe("");
    lab.thaw("n1");
    expect(await get("client", "172.30.0.11", 9090)).toContain("node=n1");
  });

  it("starts the API server again after it was killed, for the same kubeconfig", async () => {
    await lab.killControlPlane("kube-apiserver");
    expect(lab.isRunning("kube-apiserver")).toBe(false);
    expect((await lab.kubectl(["get", "nodes", "--request-timeout=1s"])).code).not.toBe(0);
    await lab.startControlPlane("kube-apiserver");
    await waitUntil(async () => (await readiness("n1")) === "True", { what: "n1", ...patience });
    expect(await readiness("l1")).toBe("True");
  });
});
