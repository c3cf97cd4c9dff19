/** etcd, on the loopback of the host `ctl`. */
import type { LabPaths } from "./paths";
import { binary } from "./paths";

/** Where kube-apiserver finds etcd. */
export const ETCD_URL = "http://127.0.0.1:2379";
const PEER_URL = "http://127.0.0.1:2380";

/** Command line of etcd. A lab's data need not outlive the machine, so nothing is synced to disk. */
export function etcdArgv(paths: LabPaths): readonly string[] {
  return [
    binary("etcd"),
    "--name=lab",
    `--data-dir=${paths.etcd}`,
    "--unsafe-no-fsync",
    `--listen-client-urls=${ETCD_URL}`,
    `--advertise-client-urls=${ETCD_URL}`,
    `--listen-peer-urls=${PEER_URL}`,
    `--initial-advertise-peer-urls=${PEER_URL}`,
    `--initial-cluster=lab=${PEER_URL}`,
    "--log-level=warn",
  ];
}
