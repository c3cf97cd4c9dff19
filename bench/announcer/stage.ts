import { kubectl } from "../../hack/deploy";
import type { Lab } from "../../hack/lab/lab";
import { inRepo } from "../../hack/repo";
import { waitFor } from "../../hack/wait";
import { createKubeClient } from "../../capabilities/kube/client";
import type { KubeClient } from "../../capabilities/kube/client";
import { endpointSlices, nodes, secrets, services } from "../../capabilities/kube/resource";
import { ADDRESSES, MEMBERS_NET, addressOf, memberAddress, memberName } from "../heartbeat/plan";

export const NODE = "l1";
export const NODE_IP = "172.30.0.101";
/** Where the other members are simulated. */
export const CROWD = "client";
export const CROWD_IP = "172.30.0.200";
export const SECRET = "a secret that is known to everybody who reads the benchmark";
export const SPEAKER_POD = "speaker";
/** By these MetalLB's speakers find each other's pods. */
export const SPEAKER_LABELS = { app: "metallb", component: "speaker" };
const POOL = "10.99.0.0/22";
const NAMESPACE = "metallb-system";
const WORKERS = 8;

/** A cluster of one light node with a thousand Services that have their addresses already. */
export async function setStage(lab: Lab): Promise<void> {
  process.env["KUBECONFIG"] = lab.kubeconfig;
  await kubectl(lab, ["apply", "--server-side", "-f", inRepo("dist/crds.yaml")]);
  await kubectl(lab, ["create", "namespace", NAMESPACE]);
  const metadata = { name: "bench", namespace: NAMESPACE };
  const items = [
    {
      apiVersion: "metallb.io/v1beta1",
      kind: "IPAddressPool",
      metadata,
      spec: { addresses: [POOL] },
    },
    { apiVersion: "metallb.io/v1beta1", kind: "L2Advertisement", metadata, spec: {} },
  ];
  // MetalLB's speaker reads its own pod, to own what it writes and to find its peers.
  const speaker = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: SPEAKER_POD, namespace: NAMESPACE, labels: SPEAKER_LABELS },
    spec: {
      nodeName: NODE,
      automountServiceAccountToken: false,
      tolerations: [{ operator: "Exists" }],
      containers: [{ name: "speaker", image: "speaker" }],
    },
  };
  await waitFor("the namespace's service account", async () => {
    const account = ["-n", NAMESPACE, "get", "serviceaccount", "default"];
    return (await lab.kubectl(account)).code === 0;
  });
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: [...items, speaker] });
  await kubectl(lab, ["apply", "-f", "-"], { input: list });
  const status = { phase: "Running", hostIP: NODE_IP, podIP: NODE_IP, podIPs: [{ ip: NODE_IP }] };
  const patch = ["patch", "pod", SPEAKER_POD, "--subresource=status", "-p"];
  await kubectl(lab, ["-n", NAMESPACE, ...patch, JSON.stringify({ status })]);
  const client = createKubeClient();
  await client.create(secrets, {
    metadata: { name: "memberlist", namespace: NAMESPACE },
    data: { secretkey: Buffer.from(SECRET).toString("base64") },
  });
  await inParallel(ADDRESSES, index => createService(client, index));
  await client.close();
  await must(lab, NODE, ["ip", "route", "add", MEMBERS_NET, "dev", "eth0"]);
}

/** Makes Nodes and addresses for members `from` to `to` - 1. */
export async function addMembers(lab: Lab, from: number, to: number): Promise<void> {
  const client = createKubeClient();
  await inParallel(to - from, async offset => {
    const name = memberName(from + offset);
    const address = memberAddress(from + offset);
    await client.create(nodes, { metadata: { name } });
    const addresses = [{ type: "InternalIP", address }];
    await client.mergePatchStatus(nodes, name, { status: { addresses } });
    await must(lab, CROWD, ["ip", "addr", "add", `${address}/32`, "dev", "eth0"]);
  });
  await client.close();
}

async function createService(client: KubeClient, index: number): Promise<void> {
  const key = { name: `s${index}`, namespace: "default" };
  await client.create(services, {
    metadata: key,
    spec: {
      type: "LoadBalancer",
      allocateLoadBalancerNodePorts: false,
      ports: [{ port: 80, protocol: "TCP" }],
    },
  });
  await client.create(endpointSlices, {
    metadata: { ...key, labels: { "kubernetes.io/service-name": key.name } },
    addressType: "IPv4",
    endpoints: [{ addresses: ["10.244.0.9"], conditions: { ready: true } }],
    ports: [{ port: 8080, protocol: "TCP" }],
  });
  const ingress = [{ ip: addressOf(index) }];
  await client.mergePatchStatus(services, `default/${key.name}`, {
    status: { loadBalancer: { ingress } },
  });
}

async function inParallel(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      await work(next - 1);
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, worker));
}

async function must(lab: Lab, host: string, argv: readonly string[]): Promise<void> {
  const { code, stderr } = await lab.exec(host, argv);
  if (code !== 0) throw new Error(`${argv.join(" ")} on ${host}: ${stderr}`);
}
