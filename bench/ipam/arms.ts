import { deployAncho, kubectl, removeAncho } from "../../hack/deploy";
import type { Lab } from "../../hack/lab/lab";
import { deployMetallb, removeMetallb } from "../../hack/peers/metallb";
import { waitFor } from "../../hack/wait";
import { startBareWebhook } from "./bare-webhook";

/**
 * Who serves the Services of a lab: nobody, also with a webhook that is called and does nothing, or that creates one
 * object, Ancho or MetalLB.
 */
export type Arm = "nobody" | "idle webhook" | "writing webhook" | "Ancho" | "MetalLB";

/** Will the Services of that arm get addresses? */
export function isServing(arm: Arm): boolean {
  return arm === "Ancho" || arm === "MetalLB";
}

export type Stage = {
  /** Makes `arm` the one that serves; the last one is removed before. */
  use(arm: Arm): Promise<void>;
};

/** Both read the same pool, which is made once. */
export const POOL = "bench";

/** One lab on which those who serve take turns. Nobody does at first. */
export function createStage(lab: Lab, progress: (line: string) => void): Stage {
  let current: Arm = "nobody";
  let stopWebhook = (): Promise<void> => Promise.resolve();
  const task = { progress, signal: new AbortController().signal };
  return {
    use: async arm => {
      if (arm === current) return;
      if (current === "Ancho") await removeAncho(lab);
      if (current === "MetalLB") await removeMetallb(lab);
      if (current.endsWith("webhook")) await stopWebhook();
      if (arm === "Ancho") await deployAncho(lab, "manifest", progress);
      if (arm === "MetalLB") await deployMetallb(lab, task);
      if (arm === "idle webhook") stopWebhook = await startBareWebhook(lab, "nothing");
      if (arm === "writing webhook") stopWebhook = await startBareWebhook(lab, "one object");
      current = arm;
      if (isServing(arm)) await offerPool(lab);
    },
  };
}

/** Webhooks may need a moment more than their pods; until then applying the pool fails. */
async function offerPool(lab: Lab): Promise<void> {
  const input = JSON.stringify({
    apiVersion: "metallb.io/v1beta1",
    kind: "IPAddressPool",
    metadata: { name: POOL, namespace: "metallb-system" },
    spec: { addresses: ["10.100.0.0/16"] },
  });
  await waitFor("the pool to be accepted", () => kubectl(lab, ["apply", "-f", "-"], { input }));
}

/** Forgets what the last one said of the pool, so that the next one's word is its own. */
export async function forgetAssigned(lab: Lab): Promise<void> {
  const patch = JSON.stringify({ status: { assignedIPv4: 0 } });
  const pool = ["-n", "metallb-system", "patch", "ipaddresspool", POOL, "--subresource=status"];
  await kubectl(lab, [...pool, "--type=merge", "-p", patch]);
}

/** How many addresses of the pool are in use, by the word of whoever serves. */
export async function assignedCount(lab: Lab): Promise<number> {
  const path = "jsonpath={.status.assignedIPv4}";
  const get = ["-n", "metallb-system", "get", "ipaddresspool", POOL, "-o", path];
  return Number(await kubectl(lab, get));
}
