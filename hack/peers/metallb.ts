/** MetalLB on the lab, as its users install it: the peer that Ancho is measured beside. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { kubectl, uninstall } from "../deploy";
import { writeImage } from "../image/archive";
import { ensureBinaries, pinnedVersion } from "../lab/binaries";
import type { Program } from "../lab/binaries";
import { quietTask } from "../lab/context";
import type { Task } from "../lab/context";
import type { Lab } from "../lab/lab";
import { binary, buildDir, imagesDir } from "../lab/paths";
import { must } from "../lab/run";

const MODULE = "go.universe.tf/metallb";
const NAMESPACE = "metallb-system";
const parts = ["controller", "speaker"] as const;
type Part = (typeof parts)[number];

/** How one of MetalLB's two programs is built. */
export const metallbProgram = (part: Part): Program => ({
  name: `metallb-${part}`,
  module: "metallb",
  package: `${MODULE}/${part}`,
  pin: MODULE,
  versionIn: "build information",
});

/** MetalLB's version, such as `v0.15.2`. */
export const metallbVersion = (): string =>
  pinnedVersion(readFileSync(join(buildDir, "metallb", "go.mod"), "utf8"), MODULE);

/** Builds MetalLB where the cache lacks it, some minutes the first time; resolves with its two images' archives. */
export async function buildMetallb(task: Task = quietTask()): Promise<readonly string[]> {
  await ensureBinaries(task, parts.map(metallbProgram));
  const images = [];
  for (const part of parts) {
    images.push(await packImage(part));
  }
  return images;
}

/** Namespace, CRDs, roles, webhooks, controller and speaker (native mode, memberlist on), from MetalLB's own source. */
async function readManifest(): Promise<string> {
  const folder = await must(["go", "list", "-m", "-f", "{{.Dir}}", MODULE], {
    cwd: join(buildDir, "metallb"),
  });
  return readFileSync(join(folder.trim(), "config/manifests/metallb-native.yaml"), "utf8");
}

async function packImage(part: Part): Promise<string> {
  mkdirSync(imagesDir, { recursive: true });
  const archive = join(imagesDir, `metallb-${part}.tar`);
  const root = mkdtempSync(join(imagesDir, `metallb-${part}-`));
  try {
    copyFileSync(binary(`metallb-${part}`), join(root, part));
    const tag = `quay.io/metallb/${part}:${metallbVersion()}`;
    await writeImage({ tag, layers: [{ root }], entrypoint: [`/${part}`] }, archive);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  return archive;
}

/**
 * Installs MetalLB by its own manifest and waits until controller, webhooks and speakers run. Where Ancho was before,
 * the CRDs get MetalLB's conversion webhook again.
 */
export async function deployMetallb(lab: Lab, task: Task = quietTask()): Promise<void> {
  for (const image of await buildMetallb(task)) {
    await lab.loadImage(image);
  }
  task.progress(`applying the manifest of MetalLB ${metallbVersion()}`);
  await kubectl(lab, ["apply", "-f", "-"], { input: await readManifest() });
  for (const workload of ["deployment/controller", "daemonset/speaker"]) {
    await kubectl(lab, ["-n", NAMESPACE, "rollout", "status", workload, "--timeout=180s"]);
  }
}

/** Removes everything of MetalLB but its namespace and its CRDs, which Ancho has, too. */
export async function removeMetallb(lab: Lab): Promise<void> {
  await uninstall(lab, await readManifest());
}
