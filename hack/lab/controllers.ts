/** kube-controller-manager and kube-scheduler, on the loopback of the host `ctl`. */
import { join } from "node:path";
import { serviceRanges } from "./apiserver";
import { certFiles, writeComponentKubeconfig } from "./certs";
import type { LabPaths } from "./paths";
import { binary } from "./paths";

/** What changes the controller manager's behaviour. */
export type ControllerOptions = { readonly dualStack: boolean; readonly lightNodes: number };

/**
 * Nobody renews the leases of light nodes, so a lab that has some never declares a node dead;
 * otherwise a dead node is noticed as in any cluster.
 */
const gracePeriod = (options: ControllerOptions): string =>
  options.lightNodes > 0 ? "87600h" : "40s";

/** Command line of kube-controller-manager. */
export function controllerManagerArgv(
  paths: LabPaths,
  options: ControllerOptions,
): readonly string[] {
  const kubeconfig = writeComponentKubeconfig(paths.pki, "controller-manager");
  return [
    binary("kube-controller-manager"),
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    "--bind-address=127.0.0.1",
    `--cert-dir=${paths.pki}`,
    "--leader-elect=false",
    "--use-service-account-credentials=true",
    // A folder of the lab: the default one is made in /usr.
    `--flex-volume-plugin-dir=${join(paths.root, "volume-plugins")}`,
    `--service-account-private-key-file=${certFiles(paths.pki, "service-accounts").key}`,
    `--root-ca-file=${certFiles(paths.pki, "ca").cert}`,
    `--service-cluster-ip-range=${serviceRanges(options.dualStack)}`,
    // A node's pod subnet follows from its number.
    "--allocate-node-cidrs=false",
    `--node-monitor-grace-period=${gracePeriod(options)}`,
    "--node-monitor-period=1s",
    "--kube-api-qps=200",
    "--kube-api-burst=400",
    "--profiling=false",
  ];
}

/** Command line of kube-scheduler. */
export function schedulerArgv(paths: LabPaths): readonly string[] {
  const kubeconfig = writeComponentKubeconfig(paths.pki, "scheduler");
  return [
    binary("kube-scheduler"),
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    "--bind-address=127.0.0.1",
    `--cert-dir=${paths.pki}`,
    "--leader-elect=false",
    "--profiling=false",
  ];
}
