import { readFile } from "node:fs/promises";
import { deployAncho, kubectl, uninstall } from "../../hack/deploy";
import { announcerMetric } from "../../hack/faults/metrics";
import { announcerFlags } from "../../hack/install/announcer";
import type { Lab } from "../../hack/lab/lab";
import { inRepo } from "../../hack/repo";
import { waitFor } from "../../hack/wait";
import { apply, poolOf, serviceAddresses, webService } from "./stage";
import type { StartSubject } from "./subject";

/** Ancho with its defaults: control plane as pods on the real node, announcers as processes on the light nodes. */
export const startAncho: StartSubject = async (lab, progress) => {
  await deployAncho(lab, "manifest", progress);
  await Promise.all(lab.lightNodes.map(node => startAnnouncer(lab, node)));
  await apply(lab, poolOf(POOL, "172.30.0.240/32", "fd00:30::240/128"));
  await apply(lab, [webService(POOL, { type: "LoadBalancer" })]);
  return {
    addresses: await serviceAddresses(lab, POOL),
    rejoined: node =>
      waitFor(`${node} to hear the others`, async () => {
        const alive = await announcerMetric(lab, node, "ancho_members_alive");
        return alive !== undefined && alive >= lab.lightNodes.length;
      }),
    stop: async () => {
      await kubectl(lab, ["delete", "service", POOL]);
      await Promise.all(lab.lightNodes.map(node => lab.endDaemon(announcerOf(node))));
      await kubectl(lab, ["-n", "metallb-system", "delete", "l2advertisement,ipaddresspool", POOL]);
      await uninstall(lab, await readFile(inRepo("dist/install.yaml"), "utf8"));
    },
  };
};

/** Name of its pool, its L2Advertisement and its Service. */
export const POOL = "ancho";

/** Name of the announcer of a light node among the lab's daemons. */
export const announcerOf = (node: string): string => `${node}/announcer`;

/** Starts a light node's announcer; resolves when it takes part. */
export async function startAnnouncer(lab: Lab, node: string): Promise<void> {
  await lab.startDaemon(node, announcerOf(node), [
    ...["env", "LOG_LEVEL=info", process.execPath, ...announcerFlags],
    inRepo("dist/announcer.js"),
    ...[`--node-name=${node}`, `--kubeconfig=${lab.lanKubeconfig}`],
  ]);
  await waitFor(`the announcer of ${node} to be ready`, async () => {
    const url = "http://127.0.0.1:7473/readyz";
    const result = await lab.exec(node, ["curl", "-sf", "--max-time", "1", url]);
    return result.code === 0;
  });
}
