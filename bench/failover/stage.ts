import { kubectl } from "../../hack/deploy";
import type { Lab } from "../../hack/lab/lab";
import { upLab } from "../../hack/lab/lab";
import { waitFor } from "../../hack/wait";

/** A lab of its own for each number of nodes, so that two can be measured at once. */
export const labName = (nodes: number): string => `bench-failover-${nodes}`;
/** The node that runs the pods. It answers for nothing, so that no event takes the web server away. */
export const SERVER = "n1";

/**
 * A lab with one real node for pods and light ones that may answer for addresses: with every node alike,
 * all that differs between runs is who answers.
 */
export async function setStage(
  nodes: number,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<Lab> {
  const lab = await upLab({ name: labName(nodes), nodes: 1, lightNodes: nodes }, progress, signal);
  const exclude = "node.kubernetes.io/exclude-from-external-load-balancers=";
  await kubectl(lab, ["label", "node", SERVER, exclude]);
  // Without the label no DaemonSet gives a light node a pod that it cannot run.
  await kubectl(lab, ["label", "node", ...lab.lightNodes, "kubernetes.io/os-"]);
  await apply(lab, [webDeployment]);
  await kubectl(lab, ["rollout", "status", "deployment/web", "--timeout=60s"]);
  return lab;
}

export async function apply(lab: Lab, items: readonly object[]): Promise<void> {
  const list = { apiVersion: "v1", kind: "List", items };
  await kubectl(lab, ["apply", "-f", "-"], { input: JSON.stringify(list) });
}

/** A pool of two ranges, announced by layer 2. */
export function poolOf(name: string, ...addresses: readonly string[]): readonly object[] {
  const metadata = { name, namespace: "metallb-system" };
  const apiVersion = "metallb.io/v1beta1";
  return [
    { apiVersion, kind: "IPAddressPool", metadata, spec: { addresses } },
    { apiVersion, kind: "L2Advertisement", metadata, spec: { ipAddressPools: [name] } },
  ];
}

/** Waits for both addresses of a Service: IPv4, then IPv6. */
export async function serviceAddresses(
  lab: Lab,
  name: string,
): Promise<readonly [ipv4: string, ipv6: string]> {
  return waitFor(`the Service ${name} to have both addresses`, async () => {
    const path = "jsonpath={.status.loadBalancer.ingress[*].ip}";
    const all = (await kubectl(lab, ["get", "service", name, "-o", path])).split(" ");
    const ipv4 = all.find(address => address.includes("."));
    const ipv6 = all.find(address => address.includes(":"));
    return ipv4 !== undefined && ipv6 !== undefined && ([ipv4, ipv6] as const);
  });
}

/** A dual-stack Service in front of the web server. */
export function webService(name: string, spec: object): object {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "default" },
    spec: {
      selector: { app: "web" },
      ipFamilyPolicy: "RequireDualStack",
      ports: [{ port: 80, targetPort: 8080 }],
      ...spec,
    },
  };
}

const container = {
  name: "web",
  image: "ancho-demo:dev",
  imagePullPolicy: "Never",
  // A pod that asks for nothing gets no CPU at all on a busy machine: failures would be its own.
  resources: { requests: { cpu: "100m" } },
  ports: [{ containerPort: 8080 }],
  readinessProbe: { httpGet: { path: "/healthz", port: 8080 }, periodSeconds: 1 },
};

const webDeployment = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", namespace: "default" },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: { terminationGracePeriodSeconds: 1, containers: [container] },
    },
  },
};
