import { readFileSync } from "node:fs";
import { kubectl } from "../../hack/deploy";
import { certFiles } from "../../hack/lab/certs";
import type { Lab } from "../../hack/lab/lab";
import { labPaths } from "../../hack/lab/paths";
import { inRepo } from "../../hack/repo";
import { waitFor } from "../../hack/wait";

const PORT = "8444";
const NAME = "bench-bare";

/** What a webhook does before it answers: nothing, or no more than to create one VirtualIP. */
export type Deed = "nothing" | "one object";

/**
 * A webhook of some lines beside the API server, which is called for each Service that is created and changes nothing of
 * it: what it costs is what any webhook that does so much costs at the least. Resolves with what ends it.
 */
export async function startBareWebhook(lab: Lab, deed: Deed): Promise<() => Promise<void>> {
  const { pki } = labPaths(lab.name);
  const { cert, key } = certFiles(pki, "apiserver");
  if (deed === "one object") await kubectl(lab, ["apply", "-f", inRepo("dist/crds.yaml")]);
  const argv = [process.execPath, "--import", "tsx", ...scriptOf(lab, deed), PORT, cert, key];
  const webhook = await lab.spawn(lab.ctl, argv, "ignore");
  const probe = ["socat", "-u", "/dev/null", `TCP:127.0.0.1:${PORT}`];
  await waitFor("the webhook", async () => (await lab.exec(lab.ctl, probe)).code === 0);
  const caBundle = readFileSync(certFiles(pki, "ca").cert).toString("base64");
  await kubectl(lab, ["apply", "-f", "-"], { input: JSON.stringify(configuration(caBundle)) });
  return async () => {
    await kubectl(lab, ["delete", "mutatingwebhookconfiguration", NAME]);
    webhook.kill();
    if (deed === "one object")
      await kubectl(lab, ["delete", "--raw", "/apis/ancho.dev/v1alpha1/virtualips"]);
  };
}

function scriptOf(lab: Lab, deed: Deed): readonly string[] {
  // The first one changes what carries a label that no Service here has.
  return deed === "nothing"
    ? [inRepo("e2e/late-webhook.ts")]
    : [inRepo("bench/ipam/writing-webhook.ts"), lab.lanKubeconfig];
}

function configuration(caBundle: string): object {
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: NAME },
    webhooks: [
      {
        name: "bare.example.com",
        admissionReviewVersions: ["v1"],
        clientConfig: { url: `https://127.0.0.1:${PORT}/`, caBundle },
        rules: [
          { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["services"] },
        ],
        sideEffects: "NoneOnDryRun",
        // What was not called was not measured.
        failurePolicy: "Fail",
      },
    ],
  };
}
