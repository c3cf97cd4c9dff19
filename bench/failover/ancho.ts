import { deployAncho, kubectl } from "../../hack/deploy";
import type { Lab } from "../../hack/lab/lab";
import { inRepo } from "../../hack/repo";
import { waitFor } from "../../hack/wait";
import { apply, webService } from "./stage";
import type { StartSubject } from "./subject";

/** Ancho with its defaults: control plane as pods on the real node, announcers as processes on the light nodes. */
export const startAncho: StartSubject = async (lab, progress) => {
  await deployAncho(lab, "manifest", progress);
  await Promise.all(lab.lightNodes.map(node => startAnnouncer(lab, node)));
  const metadata = { name: "bench", namespace: "metallb-system" };
  await apply(lab, [
    {
      apiVersion: "metallb.io/v1beta1",
      kind: "IPAddressPool",
      metadata,
      spec: { addresses: ["172.30.0.240-172.30.0.249", "fd00:30::240/124"] },
    },
    { apiVersion: "metallb.io/v1beta1", kind: "L2Advertisement", metadata, spec: {} },
    webService("bench", { type: "LoadBalancer" }),
  ]);
  const ingress = await waitFor("the Service to have both addresses", async () => {
    const path = "jsonpath={.status.loadBalancer.ingress[*].ip}";
    const text = await kubectl(lab, ["get", "service", "bench", "-o", path]);
    const all = text.split(" ").filter(Boolean);
    return all.length === 2 && all;
  });
  const isIpv6 = (address: string): boolean => address.includes(":");
  return {
    addresses: [
      ingress.find(address => !isIpv6(address)) ?? "",
      ingress.find(address => isIpv6(address)) ?? "",
    ],
    stop: async () => {
      await kubectl(lab, ["delete", "service", "bench"]);
      await Promise.all(lab.lightNodes.map(node => lab.endDaemon(announcerOf(node))));
      await kubectl(lab, ["delete", "--wait=false", "-f", inRepo("dist/install.yaml")]);
    },
  };
};

/** Name of the announcer of a light node among the lab's daemons. */
export const announcerOf = (node: string): string => `${node}/announcer`;

/** Starts a light node's announcer; resolves when it takes part. */
export async function startAnnouncer(lab: Lab, node: string): Promise<void> {
  await lab.startDaemon(node, announcerOf(node), [
    ...["env", "LOG_LEVEL=info", process.execPath, inRepo("dist/announcer.js")],
    ...[`--node-name=${node}`, `--kubeconfig=${lab.lanKubeconfig}`],
  ]);
  await waitFor(`the announcer of ${node} to be ready`, async () => {
    const url = "http://127.0.0.1:7473/readyz";
    const result = await lab.exec(node, ["curl", "-sf", "--max-time", "1", url]);
    return result.code === 0;
  });
}
