/** kube-proxy of a node. */
import { binary } from "./paths";
import type { NodePlan } from "./plan";
import { addressing } from "./plan";

/** Ways in which kube-proxy programs the kernel that the lab supports. */
export type ProxyMode = "iptables" | "nftables";

/** What distinguishes one node's kube-proxy from another's. */
export type KubeProxyOptions = {
  readonly node: NodePlan;
  readonly mode: ProxyMode;
  readonly dualStack: boolean;
  readonly kubeconfig: string;
};

/** kube-proxy's configuration (JSON is YAML). */
export function kubeProxyConfig(options: KubeProxyOptions): string {
  const { pods4, pods6 } = addressing;
  const config = {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    mode: options.mode,
    hostnameOverride: options.node.name,
    clientConnection: { kubeconfig: options.kubeconfig },
    clusterCIDR: options.dualStack ? `${pods4},${pods6}` : pods4,
    // These are settings of the machine, not of the network namespace: leave them alone.
    conntrack: {
      maxPerCore: 0,
      min: 0,
      tcpEstablishedTimeout: "0s",
      tcpCloseWaitTimeout: "0s",
    },
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** Command line of kube-proxy. */
export const kubeProxyArgv = (config: string): readonly string[] => [
  binary("kube-proxy"),
  `--config=${config}`,
];
