import { createKubeClient } from "../../../capabilities/kube/client";
import { virtualIPResource } from "../../../capabilities/config/kinds/virtual-ip";
import type { VirtualIP } from "../../../capabilities/config/kinds/virtual-ip";
import type { ResourceKind } from "../../../capabilities/kube/resource";
import type { Lab } from "../../../hack/lab/lab";
import { ctlPlan } from "../../../hack/lab/plan";
import { waitUntil } from "../../../hack/wait";
import type { Event, Scene } from "../trial";

const virtualIps: ResourceKind<VirtualIP> = virtualIPResource;
/** The machine of the control plane: it is on the LAN and no node. */
const STRANGER = ctlPlan.name;
const LIMIT_MS = 10_000;
/** Three questions without an answer, ten seconds apart. */
const FORGET_MS = 90_000;

export const UNTIL_REPORTED = "ms until the VirtualIP told the stranger's MAC address";

/** A host outside the cluster takes the IPv4 address and speaks from it, as one that looks for a neighbor does. */
export const stranger: Event = {
  run: async (_, scene) => {
    const { lab, address } = placeOf(scene);
    await lab.exec(STRANGER, ["ip", "addr", "add", `${address}/24`, "dev", "eth0"]);
    const began = performance.now();
    // Nobody has the address that it looks for, so it asks until it gives up.
    const spoke = lab.exec(STRANGER, ["ping", "-c", "1", "-W", "1", "-I", address, "172.30.0.99"]);
    await waitForConflict(lab, address, ctlPlan.mac, LIMIT_MS);
    const ms = performance.now() - began;
    await spoke;
    return { [UNTIL_REPORTED]: Math.round(ms) };
  },
  undo: async (_, scene) => {
    const { lab, address } = placeOf(scene);
    await lab.exec(STRANGER, ["ip", "addr", "del", `${address}/24`, "dev", "eth0"]);
    await waitForConflict(lab, address, undefined, FORGET_MS);
  },
};

function placeOf({ lab, subject }: Scene): { readonly lab: Lab; readonly address: string } {
  return { lab, address: subject.addresses[0] };
}

async function waitForConflict(
  lab: Lab,
  address: string,
  mac: string | undefined,
  limitMs: number,
): Promise<void> {
  process.env["KUBECONFIG"] = lab.kubeconfig;
  const client = createKubeClient();
  try {
    await waitUntil(
      async () => (await client.get(virtualIps, address)).status?.conflict?.mac === mac,
      {
        what: `the VirtualIP of ${address} to tell ${mac ?? "of no stranger"}`,
        ...{ timeoutMs: limitMs, intervalMs: 10 },
      },
    );
  } finally {
    await client.close();
  }
}
