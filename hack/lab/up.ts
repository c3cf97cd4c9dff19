/** Brings a lab up, as much at the same time as its parts allow. */
import { createLabApi, mustApi } from "./api";
import type { LabApi } from "./api";
import { makeCerts } from "./certs";
import type { LabContext, Task } from "./context";
import { createContext, makeFolders } from "./context";
import { startApi, startControllers, waitForApi } from "./control-plane";
import { checkAlive, findDaemon } from "./daemons";
import { makeNetwork } from "./net";
import { onNode, prepareNode, registerNode, startKubeProxy, startKubelet } from "./node";
import type { LabPaths } from "./paths";
import type { NodePlan } from "./plan";
import { addressing, planHosts } from "./plan";
import { startTimeOf } from "./processes";
import { run } from "./run";
import type { LabState } from "./state";
import { settleAll, waitUntil } from "../wait";

const NODES_TIMEOUT_MS = 60_000;
const PROXY_TIMEOUT_MS = 30_000;

type NodeList = {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly spec: { readonly taints?: readonly { readonly key: string }[] };
    readonly status: { readonly conditions?: readonly { type: string; status: string }[] };
  }[];
};

/** Nodes of a list that are Ready and have lost the taints of nodes that are not. */
export function readyNodes(list: NodeList): readonly string[] {
  return list.items
    .filter(node => node.status.conditions?.some(c => c.type === "Ready" && c.status === "True"))
    .filter(node => !node.spec.taints?.some(taint => taint.key.startsWith("node.kubernetes.io/")))
    .map(node => node.metadata.name);
}

async function waitForNodes(lab: LabContext, api: LabApi): Promise<void> {
  await waitUntil(
    async () => {
      const list = (await mustApi(api, { path: "/api/v1/nodes" })) as NodeList;
      return readyNodes(list).length === lab.nodes.length;
    },
    { what: "all nodes to be Ready", timeoutMs: NODES_TIMEOUT_MS, signal: lab.task.signal },
  );
}

/** kube-proxy works on a node when the node reaches the API server by its Service's address. */
async function waitForProxy(lab: LabContext, node: NodePlan): Promise<void> {
  const target = `TCP:${addressing.kubernetesService4}:443,connect-timeout=1`;
  const probe = [...onNode(lab, node), "socat", "-u", "/dev/null", target];
  await waitUntil(async () => (await run(probe)).code === 0, {
    what: `kube-proxy of node ${node.name}`,
    timeoutMs: PROXY_TIMEOUT_MS,
    signal: lab.task.signal,
    check: () => {
      const record = findDaemon(lab, `${node.name}/kube-proxy`);
      if (record) checkAlive(record);
    },
  });
}

/** A pod cannot be created before its namespace has its service account. */
async function waitForServiceAccount(lab: LabContext, api: LabApi): Promise<void> {
  const path = "/api/v1/namespaces/default/serviceaccounts/default";
  await waitUntil(async () => (await api({ path })).status === 200, {
    what: "the default service account",
    timeoutMs: NODES_TIMEOUT_MS,
    signal: lab.task.signal,
  });
}

/** The state of a lab that this process is about to start. */
export function initialState(
  options: Pick<LabState, "name" | "nodes" | "lightNodes" | "proxyMode" | "dualStack">,
): LabState {
  const startTime = startTimeOf(process.pid) ?? "";
  return {
    version: 1,
    ...options,
    phase: "starting",
    owner: { pid: process.pid, startTime },
    processes: [],
  };
}

/** Starts every part of the lab and waits until its nodes are Ready and kube-proxy works. */
export async function startLab(
  paths: LabPaths,
  state: LabState,
  images: readonly string[],
  task: Task,
): Promise<LabContext> {
  makeFolders(paths);
  const lab = createContext(paths, state, task);
  lab.markStarting();
  const real = lab.nodes.filter(node => node.kind === "real");
  task.progress("network and certificates");
  const hosts = planHosts(state);
  await settleAll([makeNetwork(lab.name, hosts, lab.nodes), makeCerts(paths.pki, lab.nodes)]);
  task.progress("control plane and containerd");
  await startApi(lab);
  await settleAll([joinApi(lab), ...real.map(node => prepareNode(lab, node, images))]);
  task.progress("kubelet and kube-proxy");
  for (const node of lab.nodes) {
    startKubeProxy(lab, node);
    if (node.kind === "real") {
      startKubelet(lab, node);
    }
  }
  const api = createLabApi(paths);
  await waitForNodes(lab, api);
  const proxies = lab.nodes.map(node => waitForProxy(lab, node));
  await settleAll([waitForServiceAccount(lab, api), ...proxies]);
  lab.markUp();
  return lab;
}

/** What waits for the API server: the controllers, and the Node objects. */
async function joinApi(lab: LabContext): Promise<void> {
  await waitForApi(lab);
  startControllers(lab);
  const api = createLabApi(lab.paths);
  await settleAll(lab.nodes.map(node => registerNode(lab, api, node)));
}
