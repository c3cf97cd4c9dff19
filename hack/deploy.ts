import { access, readFile } from "node:fs/promises";
import type { Lab } from "./lab/lab";
import { run } from "./process";
import { anchoImage, inRepo } from "./repo";

/**
 * How the control plane gets in: by the flat manifest (everything), or by Pepr's own command, which
 * knows neither our CRDs nor the announcer, so that these are applied around it.
 */
export type ControlPlane = "manifest" | "pepr";

const rollouts: readonly (readonly [namespace: string, workload: string])[] = [
  ["pepr-system", "deployment/pepr-ancho"],
  ["pepr-system", "deployment/pepr-ancho-watcher"],
  ["metallb-system", "daemonset/ancho-announcer"],
];

/** Install Ancho as a user would, with kubectl or `npx pepr deploy`, and wait until it is ready. */
export async function deployAncho(
  lab: Lab,
  controlPlane: ControlPlane,
  progress: (line: string) => void,
): Promise<void> {
  const image = inRepo("dist/ancho-image.tar");
  await access(image).catch(() => {
    throw new Error("dist/ancho-image.tar is missing: run `npm run build` and `npm run image`");
  });
  progress(`loading the image ${anchoImage} into ${lab.nodes.length} nodes`);
  await lab.loadImage(image);
  if (controlPlane === "manifest") {
    progress("kubectl apply -f dist/install.yaml");
    await kubectl(lab, ["apply", "-f", inRepo("dist/install.yaml")]);
  } else {
    await deployWithPepr(lab, progress);
  }
  progress("waiting for the rollout");
  for (const [namespace, workload] of rollouts) {
    await kubectl(lab, ["-n", namespace, "rollout", "status", workload, "--timeout=120s"]);
  }
}

/** Removes everything of `dist/install.yaml` but namespaces and CRDs, and with them what users made. */
export async function removeAncho(lab: Lab): Promise<void> {
  await uninstall(lab, await readFile(inRepo("dist/install.yaml"), "utf8"));
}

/** Deletes a manifest's objects, apart from those that take users' objects along, and waits for their pods to end. */
export async function uninstall(lab: Lab, manifest: string): Promise<void> {
  const isKept = (text: string): boolean =>
    /^kind: (Namespace|CustomResourceDefinition)$/m.test(text);
  const objects = manifest.split(/^---$/m).filter(text => !isKept(text));
  await kubectl(lab, ["delete", "--ignore-not-found", "--cascade=foreground", "-f", "-"], {
    input: objects.join("---"),
  });
}

async function deployWithPepr(lab: Lab, progress: (line: string) => void): Promise<void> {
  progress("kubectl apply -f dist/crds.yaml");
  await kubectl(lab, ["apply", "-f", inRepo("dist/crds.yaml")]);
  await kubectl(lab, ["apply", "-f", inRepo("dist/announcer.yaml")]);
  progress(`npx pepr deploy --image ${anchoImage} --yes`);
  await run(["npx", "pepr", "deploy", "--image", anchoImage, "--yes"], {
    KUBECONFIG: lab.kubeconfig,
  });
}

/** kubectl against the lab; an exit code other than 0 is an error that shows what it printed. */
export async function kubectl(
  lab: Lab,
  args: readonly string[],
  options: { readonly input?: string } = {},
): Promise<string> {
  const result = await lab.kubectl([...args], options);
  if (result.code !== 0) {
    throw new Error(`kubectl ${args.join(" ")} exited with ${result.code}: ${result.stderr}`);
  }
  return result.stdout;
}
