/** The lab's certificates: one CA for everything, made anew for every lab with openssl. */
import { generateKeyPairSync } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { addressing } from "./plan";
import type { NodePlan } from "./plan";
import { must } from "./run";
import { settleAll } from "../wait";

/** A certificate with its key, as files. */
export type CertFiles = { readonly cert: string; readonly key: string };

type CertRequest = {
  readonly name: string;
  readonly commonName: string;
  readonly organization?: string;
  /** Subject alternative names, such as `DNS:localhost`; a serving certificate has some. */
  readonly names?: readonly string[];
};

const DAYS = "365";
const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"] as const;

/** Files of a certificate of the lab. */
export const certFiles = (pki: string, name: string): CertFiles => ({
  cert: join(pki, `${name}.crt`),
  key: join(pki, `${name}.key`),
});

async function makeCa(pki: string): Promise<void> {
  const { cert, key } = certFiles(pki, "ca");
  const subject = ["-x509", "-days", DAYS, "-subj", "/CN=ancho-lab-ca"];
  const usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"];
  await must(["openssl", "req", ...NEW_KEY, ...subject, ...usage, "-keyout", key, "-out", cert]);
}

async function makeCert(pki: string, request: CertRequest): Promise<void> {
  const ca = certFiles(pki, "ca");
  const { cert, key } = certFiles(pki, request.name);
  const organization = request.organization === undefined ? "" : `/O=${request.organization}`;
  const names = request.names ?? [];
  await must([
    ...["openssl", "req", ...NEW_KEY, "-x509", "-days", DAYS, "-CA", ca.cert, "-CAkey", ca.key],
    ...["-subj", `${organization}/CN=${request.commonName}`, "-keyout", key, "-out", cert],
    ...["-addext", "basicConstraints=critical,CA:FALSE"],
    ...["-addext", "extendedKeyUsage=clientAuth,serverAuth"],
    ...(names.length > 0 ? ["-addext", `subjectAltName=${names.join(",")}`] : []),
  ]);
}

const apiServerNames = [
  "DNS:localhost",
  "DNS:kubernetes",
  "DNS:kubernetes.default",
  "DNS:kubernetes.default.svc",
  "DNS:kubernetes.default.svc.cluster.local",
  "IP:127.0.0.1",
  "IP:::1",
  `IP:${addressing.apiServer4}`,
  `IP:${addressing.apiServer6}`,
  `IP:${addressing.kubernetesService4}`,
  `IP:${addressing.kubernetesService6}`,
] as const;

const controlPlane: readonly CertRequest[] = [
  { name: "apiserver", commonName: "kube-apiserver", names: apiServerNames },
  { name: "apiserver-kubelet", commonName: "kube-apiserver", organization: "system:masters" },
  { name: "admin", commonName: "admin", organization: "system:masters" },
  { name: "controller-manager", commonName: "system:kube-controller-manager" },
  { name: "scheduler", commonName: "system:kube-scheduler" },
  { name: "kube-proxy", commonName: "system:kube-proxy" },
];

function kubeletRequests(node: NodePlan): readonly CertRequest[] {
  const names = [`DNS:${node.name}`, `IP:${node.ipv4}`, `IP:${node.ipv6}`];
  const identity = { commonName: `system:node:${node.name}`, organization: "system:nodes" };
  return [{ name: `kubelet-${node.name}`, ...identity, names }];
}

/** The key pair that signs service account tokens. */
export function makeServiceAccountKeys(pki: string): void {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const files = certFiles(pki, "service-accounts");
  writeFileSync(files.key, privateKey.export({ type: "sec1", format: "pem" }), { mode: 0o600 });
  writeFileSync(files.cert, publicKey.export({ type: "spki", format: "pem" }));
}

/** Makes every certificate that the lab needs. */
export async function makeCerts(pki: string, nodes: readonly NodePlan[]): Promise<void> {
  makeServiceAccountKeys(pki);
  await makeCa(pki);
  const real = nodes.filter(node => node.kind === "real");
  const requests = [...controlPlane, ...real.flatMap(kubeletRequests)];
  await settleAll(requests.map(request => makeCert(pki, request)));
}

/** A kubeconfig (JSON is YAML) with everything inline, so that the file can be copied anywhere. */
export function kubeconfigFor(pki: string, user: string, server: string): string {
  const base64 = (file: string): string => readFileSync(file).toString("base64");
  const { cert, key } = certFiles(pki, user);
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: "ancho-lab",
        cluster: {
          server,
          "certificate-authority-data": base64(certFiles(pki, "ca").cert),
        },
      },
    ],
    users: [
      {
        name: user,
        user: { "client-certificate-data": base64(cert), "client-key-data": base64(key) },
      },
    ],
    contexts: [{ name: "ancho-lab", context: { cluster: "ancho-lab", user } }],
    "current-context": "ancho-lab",
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** Writes the kubeconfig of a component inside the lab and returns its path. */
export function writeComponentKubeconfig(pki: string, user: string): string {
  const file = join(pki, `${user}.kubeconfig`);
  const server = `https://${addressing.apiServer4}:6443`;
  // All kube-proxies have one between them: a second node's must not find the first one's half written.
  const written = `${file}.new`;
  writeFileSync(written, kubeconfigFor(pki, user, server), { mode: 0o600 });
  renameSync(written, file);
  return file;
}
