/** Container images in the lab: the two it brings along, and loading others into its nodes. */
import { createReadStream, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { copyFileSync, statSync } from "node:fs";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { writeImage } from "../image/archive";
import type { LabContext } from "./context";
import { inMachine } from "./machine";
import { binary, imagesDir } from "./paths";

/** Images that every real node has from the start. */
const bundled = [
  { name: "pause", tag: "ancho-pause:dev", entrypoint: ["/pause"] },
  { name: "demo", tag: "ancho-demo:dev", entrypoint: ["/demo"] },
] as const;

async function buildImage(image: (typeof bundled)[number]): Promise<string> {
  const archive = join(imagesDir, `ancho-${image.name}.tar`);
  const program = binary(image.name);
  if (existsSync(archive) && statSync(archive).mtimeMs >= statSync(program).mtimeMs) {
    return archive;
  }
  mkdirSync(imagesDir, { recursive: true });
  const staging = mkdtempSync(join(imagesDir, `${image.name}-`));
  try {
    const root = join(staging, "root");
    mkdirSync(root);
    copyFileSync(program, join(root, image.name));
    const built = join(staging, "image.tar");
    await writeImage(
      { tag: image.tag, layers: [{ root }], entrypoint: image.entrypoint, user: "65532:65532" },
      built,
    );
    renameSync(built, archive);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  return archive;
}

/** Builds the pause and demo images where they are missing or older than their programs. */
export async function ensureImages(): Promise<readonly string[]> {
  return Promise.all(bundled.map(buildImage));
}

/** Imports a docker-archive or OCI archive into a real node's containerd, for pods to use. */
export async function importImage(lab: LabContext, node: string, archive: string): Promise<void> {
  const argv = [...inMachine(lab, node), "ctr", "-n", "k8s.io", "images", "import", "-"];
  const [command = "", ...args] = argv;
  const child = spawn(command, args, { stdio: ["pipe", "ignore", "pipe"] });
  const errors: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  // ctr says itself what is wrong with an archive; the broken pipe that follows adds nothing.
  const sent = pipeline(createReadStream(archive), child.stdin).catch((error: unknown) => error);
  const code = await ended;
  const sendError = await sent;
  if (code !== 0 || sendError !== undefined) {
    const said = Buffer.concat(errors).toString("utf8").trim() || String(sendError);
    throw new Error(`loading ${archive} into node ${node}: ${said}`);
  }
}
