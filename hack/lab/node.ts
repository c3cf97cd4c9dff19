/** A real node: containerd, kubelet and kube-proxy in the namespaces of its machine. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mustApi } from "./api";
import type { LabApi } from "./api";
import { makeHostCgroup } from "./cgroups";
import { writeComponentKubeconfig } from "./certs";
import { cniConfig, containerdConfig } from "./containerd";
import type { LabContext } from "./context";
import { checkAlive, startDaemon } from "./daemons";
import { importImage } from "./images";
import { kubeProxyArgv, kubeProxyConfig } from "./kube-proxy";
import { kubeletArgv, kubeletConfig } from "./kubelet";
import { inMachine, machineFolders, startMachine } from "./machine";
import { inNetns } from "./net";
import { nodeDir } from "./paths";
import type { NodePlan } from "./plan";
import { run } from "./run";
import { waitUntil } from "../wait";

const CONTAINERD_TIMEOUT_MS = 20_000;

/** Keeps pods off nodes that cannot run any, unless they are put there by name. */
export const LIGHT_TAINT = "ancho.dev/light";

/** Prefix of a command on any node: all namespaces of a real one, the network of a light one. */
export function onNode(lab: LabContext, node: NodePlan): readonly string[] {
  return node.kind === "real" ? inMachine(lab, node.name) : inNetns(lab.name, node.name);
}

async function startContainerd(lab: LabContext, node: NodePlan): Promise<void> {
  const folders = machineFolders(lab, node.name);
  const cni = join(folders.etc, "cni");
  mkdirSync(cni, { recursive: true });
  writeFileSync(join(cni, "10-lab.conflist"), cniConfig(node, lab.state().dualStack));
  const config = join(folders.etc, "containerd.toml");
  writeFileSync(config, containerdConfig({ root: folders.containerd, cni }));
  const enter = inMachine(lab, node.name);
  const record = startDaemon(lab, {
    name: `${node.name}/containerd`,
    host: node.name,
    argv: [...enter, "containerd", `--config=${config}`, "--log-level=info"],
  });
  const probe = [...enter, "ctr", "--connect-timeout=1s", "version"];
  await waitUntil(async () => (await run(probe, { timeoutMs: 3_000 })).code === 0, {
    what: `containerd of node ${node.name}`,
    timeoutMs: CONTAINERD_TIMEOUT_MS,
    signal: lab.task.signal,
    check: () => {
      checkAlive(record);
    },
  });
}

/** Starts what a real node needs before there is an API server: namespaces, containerd, images. */
export async function prepareNode(
  lab: LabContext,
  node: NodePlan,
  images: readonly string[],
): Promise<void> {
  await startMachine(lab, node);
  await startContainerd(lab, node);
  for (const image of images) {
    await importImage(lab, node.name, image);
  }
}

/** Starts kubelet; the node joins the cluster within seconds. */
export function startKubelet(lab: LabContext, node: NodePlan): void {
  const folders = machineFolders(lab, node.name);
  const files = {
    lab: lab.name,
    pki: lab.paths.pki,
    config: join(folders.etc, "kubelet.json"),
    kubeconfig: writeComponentKubeconfig(lab.paths.pki, `kubelet-${node.name}`),
    plugins: join(folders.dir, "volume-plugins"),
  };
  writeFileSync(files.config, kubeletConfig(node, files));
  startDaemon(lab, {
    name: `${node.name}/kubelet`,
    host: node.name,
    argv: [...inMachine(lab, node.name), ...kubeletArgv(node, files, lab.state().dualStack)],
  });
}

/** Starts kube-proxy of a node of either kind. */
export function startKubeProxy(lab: LabContext, node: NodePlan): void {
  const { proxyMode, dualStack } = lab.state();
  const folder = nodeDir(lab.paths, node.name);
  mkdirSync(folder, { recursive: true });
  makeHostCgroup(lab.name, node.name);
  const config = join(folder, "kube-proxy.json");
  const kubeconfig = writeComponentKubeconfig(lab.paths.pki, "kube-proxy");
  writeFileSync(config, kubeProxyConfig({ node, mode: proxyMode, dualStack, kubeconfig }));
  startDaemon(lab, {
    name: `${node.name}/kube-proxy`,
    host: node.name,
    argv: [...onNode(lab, node), ...kubeProxyArgv(config)],
  });
}

function nodeObject(node: NodePlan, dualStack: boolean): unknown {
  const light = node.kind === "light";
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: node.name,
      labels: { "kubernetes.io/hostname": node.name, "kubernetes.io/os": "linux" },
    },
    spec: {
      podCIDR: node.podCidr4,
      podCIDRs: dualStack ? [node.podCidr4, node.podCidr6] : [node.podCidr4],
      ...(light ? { taints: [{ key: LIGHT_TAINT, effect: "NoSchedule" }] } : {}),
    },
  };
}

function nodeStatus(node: NodePlan, dualStack: boolean, ready: boolean): unknown {
  const now = new Date().toISOString();
  const addresses = [node.ipv4, ...(dualStack ? [node.ipv6] : [])];
  const capacity = { cpu: "2", memory: "4Gi", pods: "250" };
  return {
    status: {
      addresses: [
        ...addresses.map(address => ({ type: "InternalIP", address })),
        { type: "Hostname", address: node.name },
      ],
      ...(ready
        ? {
            capacity,
            allocatable: capacity,
            conditions: [
              {
                type: "Ready",
                status: "True",
                reason: "LightNode",
                message: "patched by the lab; no kubelet runs here",
                lastHeartbeatTime: now,
                lastTransitionTime: now,
              },
            ],
          }
        : {}),
    },
  };
}

/**
 * Makes the Node object. For a real node this is done ahead of kubelet, so that it has its pod
 * subnet and kube-proxy its address from the first moment; a light node is Ready at once.
 */
export async function registerNode(lab: LabContext, api: LabApi, node: NodePlan): Promise<void> {
  const { dualStack } = lab.state();
  await mustApi(api, { method: "POST", path: "/api/v1/nodes", body: nodeObject(node, dualStack) });
  await mustApi(api, {
    method: "PATCH",
    path: `/api/v1/nodes/${node.name}/status`,
    body: nodeStatus(node, dualStack, node.kind === "light"),
  });
}
