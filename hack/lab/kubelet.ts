/** kubelet of a real node. */
import { cgroupOf } from "./cgroups";
import { certFiles } from "./certs";
import { CONTAINERD_SOCKET } from "./containerd";
import { binary } from "./paths";
import type { NodePlan } from "./plan";

/** Files and folders of a node's kubelet. */
export type KubeletFiles = {
  readonly lab: string;
  readonly pki: string;
  readonly config: string;
  readonly kubeconfig: string;
  /** Folder for volume plugins; kubelet makes one in /usr otherwise. */
  readonly plugins: string;
};

/** kubelet's configuration (JSON is YAML). */
export function kubeletConfig(node: NodePlan, files: KubeletFiles): string {
  const serving = certFiles(files.pki, `kubelet-${node.name}`);
  const config = {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: certFiles(files.pki, "ca").cert },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: serving.cert,
    tlsPrivateKeyFile: serving.key,
    cgroupDriver: "cgroupfs",
    cgroupRoot: cgroupOf(files.lab, node.name),
    containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
    volumePluginDir: files.plugins,
    // The lab has no DNS: Services are reached by address.
    resolvConf: "",
    clusterDomain: "cluster.local",
    failSwapOn: false,
    enforceNodeAllocatable: [],
    localStorageCapacityIsolation: false,
    // A full disk on the machine must not evict the lab's pods or its images, which exist only here.
    imageGCHighThresholdPercent: 100,
    evictionHard: {
      "memory.available": "0%",
      "nodefs.available": "0%",
      "nodefs.inodesFree": "0%",
      "imagefs.available": "0%",
    },
    // Tests wait for what kubelet does, so it looks and reports more often than by default.
    syncFrequency: "10s",
    nodeStatusUpdateFrequency: "5s",
    nodeLeaseDurationSeconds: 20,
    registryPullQPS: 0,
    eventRecordQPS: 0,
    kubeAPIQPS: 50,
    kubeAPIBurst: 100,
    shutdownGracePeriod: "0s",
    healthzPort: 10248,
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** Command line of kubelet. */
export function kubeletArgv(
  node: NodePlan,
  files: KubeletFiles,
  dualStack: boolean,
): readonly string[] {
  const addresses = dualStack ? `${node.ipv4},${node.ipv6}` : node.ipv4;
  return [
    binary("kubelet"),
    `--config=${files.config}`,
    `--kubeconfig=${files.kubeconfig}`,
    "--root-dir=/var/lib/kubelet",
    `--hostname-override=${node.name}`,
    `--node-ip=${addresses}`,
  ];
}

/** Kernel settings that kubelet wants and would otherwise change for the whole machine. */
export const kubeletSysctls: Readonly<Record<string, string>> = {
  "vm/overcommit_memory": "1",
  "vm/panic_on_oom": "0",
  "kernel/panic": "10",
  "kernel/panic_on_oops": "1",
  "kernel/keys/root_maxkeys": "1000000",
  "kernel/keys/root_maxbytes": "25000000",
};
