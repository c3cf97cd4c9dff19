/**
 * Writes container images as docker-archive tars without a container engine. The same content gives
 * the same bytes, so an image's digest changes only when the image does.
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, mkdtempSync, renameSync, rmSync } from "node:fs";
import { statSync } from "node:fs";
import { spawn } from "node:child_process";
import type { WriteStream } from "node:fs";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { tarHeader, tarPadding, TAR_END } from "./tar";

/** A file or folder of the disk that becomes one layer of an image. */
export type LayerSource = {
  /** Folder whose content, or file which, goes into the layer. */
  readonly root: string;
  /** Where it goes in the image: for a folder its new path, for a file its new name. Default "/". */
  readonly at?: string;
  /** Owner of everything in the layer; default 0 (root). */
  readonly uid?: number;
  readonly gid?: number;
  /** Shell patterns of paths below `root` to leave out, as `tar --exclude` takes them. */
  readonly exclude?: readonly string[];
};

/** An image: its layers, lowest first, and what runs in it. */
export type ImageSpec = {
  /** Name and tag, such as `ancho:dev`. */
  readonly tag: string;
  readonly layers: readonly LayerSource[];
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** `uid:gid` or a name of the image's /etc/passwd. */
  readonly user?: string;
  readonly workdir?: string;
  readonly labels?: Readonly<Record<string, string>>;
};

/** What was written. `digest` is the image's id: the digest of its configuration. */
export type WrittenImage = {
  readonly digest: string;
  readonly layers: readonly string[];
  readonly bytes: number;
};

type Layer = { readonly file: string; readonly sha256: string; readonly size: number };

const EPOCH = "1970-01-01T00:00:00Z";
const ARCHITECTURES: Partial<Record<NodeJS.Architecture, string>> = { x64: "amd64" };

const sha256 = (data: string): string => createHash("sha256").update(data).digest("hex");

/** A path without slashes at its ends, as tar members are named. */
const memberPath = (path: string): string => path.replace(/^\/+|\/+$/g, "");

/** Arguments of GNU tar that write `layer` to its standard output, always in the same way. */
export function layerArguments(layer: LayerSource, isFolder: boolean): readonly string[] {
  const at = memberPath(layer.at ?? "/");
  const member = isFolder ? "." : basename(layer.root);
  const target = isFolder ? at : at || member;
  // Flag S leaves the targets of symbolic links as they are; H leaves those of hard links.
  const rename = target === "" ? [] : [`--transform=s,^${escapePattern(member)},${target},S`];
  return [
    "--create",
    "--file=-",
    "--format=gnu",
    "--sort=name",
    "--mtime=@0",
    `--owner=${layer.uid ?? 0}`,
    `--group=${layer.gid ?? 0}`,
    "--numeric-owner",
    "--mode=u+rwX,go+rX,go-w",
    "--hard-dereference",
    ...(layer.exclude ?? []).map(pattern => `--exclude=${pattern}`),
    ...rename,
    "-C",
    isFolder ? layer.root : dirname(layer.root),
    member,
  ];
}

function escapePattern(text: string): string {
  return text.replace(/[.[\]*^$,\\]/g, "\\$&");
}

async function writeLayer(layer: LayerSource, file: string): Promise<Layer> {
  const argumentsOfTar = layerArguments(layer, statSync(layer.root).isDirectory());
  const child = spawn("tar", argumentsOfTar, { stdio: ["ignore", "pipe", "pipe"] });
  const errors: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  const hash = createHash("sha256");
  let size = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    hash.update(chunk);
    size += chunk.length;
  });
  await pipeline(child.stdout, createWriteStream(file));
  const code = await ended;
  if (code !== 0) {
    const said = Buffer.concat(errors).toString("utf8").trim();
    throw new Error(`image layer ${layer.root}: tar ended with ${code ?? "a signal"}: ${said}`);
  }
  return { file, sha256: hash.digest("hex"), size };
}

/** The image's configuration, as the OCI image specification has it. */
export function imageConfig(spec: ImageSpec, layers: readonly string[]): string {
  const env = Object.entries(spec.env ?? {}).map(([name, value]) => `${name}=${value}`);
  return JSON.stringify({
    created: EPOCH,
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    os: "linux",
    config: {
      Env: env,
      ...(spec.entrypoint ? { Entrypoint: spec.entrypoint } : {}),
      ...(spec.cmd ? { Cmd: spec.cmd } : {}),
      ...(spec.user !== undefined ? { User: spec.user } : {}),
      ...(spec.workdir !== undefined ? { WorkingDir: spec.workdir } : {}),
      ...(spec.labels ? { Labels: spec.labels } : {}),
    },
    rootfs: { type: "layers", diff_ids: layers.map(digest => `sha256:${digest}`) },
    history: layers.map(() => ({ created: EPOCH, created_by: "hack/image" })),
  });
}

async function write(out: WriteStream, data: Buffer): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    out.write(data, error => {
      if (error) {
        reject(error);
      } else {
        resolve();
      }
    });
  });
}

async function addText(out: WriteStream, name: string, text: string): Promise<void> {
  const data = Buffer.from(text);
  await write(out, Buffer.concat([tarHeader(name, data.length), data, tarPadding(data.length)]));
}

async function addFile(out: WriteStream, name: string, layer: Layer): Promise<void> {
  await write(out, tarHeader(name, layer.size));
  await pipeline(createReadStream(layer.file), out, { end: false });
  await write(out, tarPadding(layer.size));
}

async function writeArchive(
  spec: ImageSpec,
  layers: readonly Layer[],
  file: string,
): Promise<string> {
  const config = imageConfig(
    spec,
    layers.map(layer => layer.sha256),
  );
  const digest = sha256(config);
  const manifest = [
    {
      Config: `${digest}.json`,
      RepoTags: [spec.tag],
      Layers: layers.map(layer => `${layer.sha256}.tar`),
    },
  ];
  const out = createWriteStream(file);
  await addText(out, "manifest.json", JSON.stringify(manifest));
  await addText(out, `${digest}.json`, config);
  const unique = new Map(layers.map(layer => [layer.sha256, layer]));
  for (const layer of unique.values()) {
    await addFile(out, `${layer.sha256}.tar`, layer);
  }
  await write(out, TAR_END);
  await new Promise<void>(resolve => {
    out.end(resolve);
  });
  return digest;
}

/**
 * Writes an image to `outTar` (through a rename, so that no half archive is ever there). Layers are
 * made by the system's GNU tar; times, owners and order are fixed.
 */
export async function writeImage(spec: ImageSpec, outTar: string): Promise<WrittenImage> {
  const staging = mkdtempSync(join(dirname(outTar), ".image-"));
  try {
    const layers = await Promise.all(
      spec.layers.map((layer, index) => writeLayer(layer, join(staging, `${index}.layer`))),
    );
    const archive = join(staging, "archive.tar");
    const digest = await writeArchive(spec, layers, archive);
    const bytes = statSync(archive).size;
    renameSync(archive, outTar);
    return {
      digest: `sha256:${digest}`,
      layers: layers.map(layer => `sha256:${layer.sha256}`),
      bytes,
    };
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}
