import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answerers } from "../../hack/faults/wire";
import { kubectl } from "../../hack/deploy";
import { quietTask } from "../../hack/lab/context";
import type { Lab } from "../../hack/lab/lab";
import { binary } from "../../hack/lab/paths";
import { planNodes } from "../../hack/lab/plan";
import { deployMetallb, removeMetallb } from "../../hack/peers/metallb";
import { waitFor } from "../../hack/wait";
import { apply, poolOf, serviceAddresses, webService } from "./stage";
import type { StartSubject } from "./subject";

const IPV4 = "172.30.0.220";
const LABELS = "app=metallb,component=speaker";
const IN_NAMESPACE = ["-n", "metallb-system"] as const;

/**
 * MetalLB, layer 2 with memberlist, as its manifest sets it; the controller as a pod, speakers as processes on the
 * light nodes. There the DaemonSet's pods cannot run, but speakers find each other by them: so the processes
 * are made known as those pods.
 */
export const startMetallb: StartSubject = async (lab, progress) => {
  await deployMetallb(lab, { ...quietTask(), progress });
  const folder = await mkdtemp(join(tmpdir(), "ancho-metallb-"));
  const key = await kubectl(lab, [
    ...[...IN_NAMESPACE, "get", "secret", "memberlist"],
    ...["-o", "jsonpath={.data.secretkey}"],
  ]);
  await writeFile(join(folder, "secretkey"), Buffer.from(key, "base64"), { mode: 0o600 });
  await kubectl(lab, ["label", "node", ...lab.lightNodes, "bench=speaker"]);
  const nodeSelector = { bench: "speaker", "kubernetes.io/os": null };
  // Light nodes have a taint, so that no pod comes to where no kubelet is.
  const tolerations = [{ operator: "Exists" }];
  const patch = JSON.stringify({ spec: { template: { spec: { nodeSelector, tolerations } } } });
  await kubectl(lab, [...IN_NAMESPACE, "patch", "daemonset/speaker", "-p", patch]);
  for (const node of lab.lightNodes) await startSpeaker(lab, node, folder);
  await apply(lab, [...poolOf("metallb", `${IPV4}/32`, "fd00:30::220/128")]);
  await apply(lab, [webService("metallb", { type: "LoadBalancer" })]);
  return {
    addresses: await serviceAddresses(lab, "metallb"),
    // It takes back what it had. Memberlist asks a node that it lost again after some seconds.
    rejoined: node =>
      waitFor(
        `${node} to take back what it had`,
        async () => (await answerers(lab, IPV4)).join() === node,
        120_000,
      ),
    stop: async () => {
      await kubectl(lab, ["delete", "service", "metallb"]);
      await Promise.all(lab.lightNodes.map(node => lab.endDaemon(`${node}/speaker`)));
      await kubectl(lab, ["label", "node", ...lab.lightNodes, "bench-"]);
      // No kubelet says that they have ended, so the DaemonSet's removal would wait for them for ever.
      const atOnce = ["--force", "--grace-period=0"];
      await kubectl(lab, [...IN_NAMESPACE, "delete", "pods", "-l", LABELS, ...atOnce]);
      await removeMetallb(lab);
      await rm(folder, { recursive: true });
    },
  };
};

async function startSpeaker(lab: Lab, node: string, keys: string): Promise<void> {
  const plan = planNodes({ nodes: 1, lightNodes: lab.lightNodes.length });
  const { ipv4 = "", ipv6 = "" } = plan.find(({ name }) => name === node) ?? {};
  const pod = await waitFor(`the pod of ${node}'s speaker`, async () => {
    const field = `--field-selector=spec.nodeName=${node}`;
    const path = "jsonpath={.items[0].metadata.name}";
    const pods = ["get", "pods", "-l", LABELS, field, "-o", path];
    return (await lab.kubectl([...IN_NAMESPACE, ...pods])).stdout || undefined;
  });
  const podIPs = [{ ip: ipv4 }, { ip: ipv6 }];
  const status = { phase: "Running", hostIP: ipv4, podIP: ipv4, podIPs };
  const patch = JSON.stringify({ status });
  await kubectl(lab, [...IN_NAMESPACE, "patch", "pod", pod, "--subresource=status", "-p", patch]);
  await lab.startDaemon(node, `${node}/speaker`, [
    ...["env", `METALLB_POD_NAME=${pod}`, binary("metallb-speaker")],
    ...[`--kubeconfig=${lab.lanKubeconfig}`, `--node-name=${node}`, `--pod-name=${pod}`],
    ...[`--host=${ipv4}`, "--port=7472", "--log-level=info", "--namespace=metallb-system"],
    ...[`--ml-bindaddr=${ipv4}`, "--ml-bindport=7946", `--ml-labels=${LABELS}`],
    `--ml-secret-key-path=${keys}`,
  ]);
}
