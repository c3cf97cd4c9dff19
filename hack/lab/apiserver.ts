/** kube-apiserver, on the LAN address of the host `ctl`. */
import { certFiles } from "./certs";
import { ETCD_URL } from "./etcd";
import type { LabPaths } from "./paths";
import { binary } from "./paths";
import { addressing } from "./plan";

/** Service ranges, primary family first. */
export const serviceRanges = (dualStack: boolean): string =>
  dualStack ? `${addressing.services4},${addressing.services6}` : addressing.services4;

/** Command line of kube-apiserver. */
export function apiServerArgv(paths: LabPaths, dualStack: boolean): readonly string[] {
  const { pki } = paths;
  const serving = certFiles(pki, "apiserver");
  const kubelet = certFiles(pki, "apiserver-kubelet");
  const ca = certFiles(pki, "ca").cert;
  const accounts = certFiles(pki, "service-accounts");
  return [
    binary("kube-apiserver"),
    `--etcd-servers=${ETCD_URL}`,
    `--advertise-address=${addressing.apiServer4}`,
    "--secure-port=6443",
    `--service-cluster-ip-range=${serviceRanges(dualStack)}`,
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    "--allow-privileged=true",
    // No kube-proxy runs beside it: webhooks behind a Service are called at their endpoints.
    "--enable-aggregator-routing=true",
    `--client-ca-file=${ca}`,
    `--tls-cert-file=${serving.cert}`,
    `--tls-private-key-file=${serving.key}`,
    `--cert-dir=${pki}`,
    `--kubelet-client-certificate=${kubelet.cert}`,
    `--kubelet-client-key=${kubelet.key}`,
    `--kubelet-certificate-authority=${ca}`,
    "--kubelet-preferred-address-types=InternalIP",
    "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
    `--service-account-key-file=${accounts.cert}`,
    `--service-account-signing-key-file=${accounts.key}`,
    "--profiling=false",
  ];
}
