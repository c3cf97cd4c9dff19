import { request } from "../hack/probe/request";
import type { Cluster } from "./support";

/** Names and addresses of a test's own pool; every file takes a range of its own. */
export type PoolSpec = { readonly name: string; readonly addresses: readonly string[] };

/** Apply a pool and an L2Advertisement of the same name for it. */
export async function applyPool(cluster: Cluster, spec: PoolSpec): Promise<void> {
  const metadata = { name: spec.name, namespace: "metallb-system" };
  await cluster.apply([
    {
      apiVersion: "metallb.io/v1beta1",
      kind: "IPAddressPool",
      metadata,
      spec: { addresses: spec.addresses },
    },
    {
      apiVersion: "metallb.io/v1beta1",
      kind: "L2Advertisement",
      metadata,
      spec: { ipAddressPools: [spec.name] },
    },
  ]);
}

export async function deletePool(cluster: Cluster, name: string): Promise<void> {
  await cluster.ok([
    "-n",
    "metallb-system",
    "delete",
    "l2advertisement",
    name,
    "--ignore-not-found",
  ]);
  await cluster.ok(["-n", "metallb-system", "delete", "ipaddresspool", name, "--ignore-not-found"]);
}

/** The nodes' own IPv4 addresses, by name. */
export async function nodeAddresses(cluster: Cluster): Promise<ReadonlyMap<string, string>> {
  const list = await cluster.get("nodes");
  return new Map(
    (list?.items ?? []).map(({ metadata, status }) => {
      const { addresses } = status as { addresses: { type: string; address: string }[] };
      const own = addresses.find(one => one.type === "InternalIP" && !one.address.includes(":"));
      return [metadata.name, own!.address];
    }),
  );
}

/**
 * A web server that names its node, its pod and the client it saw; ready before this returns.
 * @param node the only node to run it on; spread over all otherwise
 */
export async function applyWeb(
  cluster: Cluster,
  name: string,
  replicas: number,
  node?: string,
): Promise<void> {
  const env = (variable: string, fieldPath: string) => ({
    name: variable,
    valueFrom: { fieldRef: { fieldPath } },
  });
  await cluster.apply([
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name, namespace: "default" },
      spec: {
        replicas,
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name } },
          spec: {
            terminationGracePeriodSeconds: 1,
            ...(node === undefined ? {} : { nodeSelector: { "kubernetes.io/hostname": node } }),
            topologySpreadConstraints: [
              {
                maxSkew: 1,
                topologyKey: "kubernetes.io/hostname",
                whenUnsatisfiable: "ScheduleAnyway",
                labelSelector: { matchLabels: { app: name } },
              },
            ],
            containers: [
              {
                name: "web",
                image: "ancho-demo:dev",
                imagePullPolicy: "Never",
                // A pod that asks for nothing gets no CPU at all on a busy machine: failures would be its own.
                resources: { requests: { cpu: "100m" } },
                env: [env("NODE_NAME", "spec.nodeName"), env("POD_NAME", "metadata.name")],
                ports: [{ containerPort: 8080 }],
                readinessProbe: { httpGet: { path: "/healthz", port: 8080 }, periodSeconds: 1 },
              },
            ],
          },
        },
      },
    },
  ]);
  await cluster.ok(["rollout", "status", `deployment/${name}`, "--timeout=60s"]);
}

/** A Service of type LoadBalancer in front of the web server of that name. */
export function serviceFor(name: string, app: string, spec: object = {}, annotations = {}): object {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "default", annotations },
    spec: {
      type: "LoadBalancer",
      selector: { app },
      ports: [{ port: 80, targetPort: 8080, protocol: "TCP" }],
      ...spec,
    },
  };
}

/** Wait until the Service's status carries addresses, and return them. */
export async function statusAddresses(
  cluster: Cluster,
  name: string,
  namespace = "default",
): Promise<readonly string[]> {
  return cluster.waitFor(
    `Service ${namespace}/${name} to have an address in its status`,
    async () => {
      const service = await cluster.get("service", name, "-n", namespace);
      const ingress = (service?.status?.loadBalancer?.ingress ?? []) as { ip: string }[];
      return ingress.length > 0 && ingress.map(entry => entry.ip);
    },
  );
}

/** Wait until a request from that host is answered, and return the body. */
export function answerOf(
  cluster: Cluster,
  host: string,
  address: string,
  timeoutMs?: number,
): Promise<string> {
  const what = `${address} to answer ${host}`;
  return cluster.waitFor(what, () => request(cluster.lab, host, address), timeoutMs);
}

/** `keeps`: for how long a freed address is kept for who had it; without it, these tests' pools keep none. */
export type Pool = {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly keeps?: string;
  readonly sharing?: string;
};

/** That pool as a manifest. */
export function poolManifest({ name, addresses, keeps = "0", sharing = "all" }: Pool): object {
  return {
    apiVersion: "metallb.io/v1beta1",
    kind: "IPAddressPool",
    metadata: {
      name,
      namespace: "metallb-system",
      annotations: { "ancho.dev/reclaim-after": keeps, "ancho.dev/sharing": sharing },
    },
    spec: { addresses },
  };
}
