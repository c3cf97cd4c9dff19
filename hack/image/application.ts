import { cp, mkdir } from "node:fs/promises";
import { basename, join, sep } from "node:path";
import { build } from "esbuild";
import { inRepo } from "../repo";

/**
 * What `pepr build` and our own bundle leave outside: Pepr with what starts a module under
 * `pepr deploy`, the client, and the announcer's two native modules.
 */
const runtimeEntries = [
  "node_modules/pepr/dist/lib.js",
  "node_modules/pepr/dist/controller.js",
  "node_modules/kubernetes-fluent-client/dist/index.js",
  "node_modules/@kubernetes/client-node/dist/index.js",
  "node_modules/netlink/dist/index.js",
  "node_modules/koffi/index.js",
];

const BUNDLES = [
  ...[
    "pepr-ancho.cjs",
    "announcer.js",
    "heartbeat-thread.js",
    "packet-thread.js",
    "bfd-thread.js",
    "package.json",
  ],
];

/** Lay out /app: dist/ and just those packages of node_modules that the processes load. */
export async function stageApplication(root: string): Promise<string> {
  for (const path of await tracePackages(runtimeEntries)) {
    await cp(inRepo(path), join(root, "app", path), {
      recursive: true,
      filter: source => isNeededAtRunTime(source.slice(inRepo(path).length), process.arch),
    });
  }
  await mkdir(join(root, "app/dist"), { recursive: true });
  for (const file of BUNDLES) {
    await cp(inRepo("dist", file), join(root, "app/dist", file));
  }
  return root;
}

/** The package folders that a bundler reaches from these files. */
async function tracePackages(entries: readonly string[]): Promise<readonly string[]> {
  const result = await build({
    absWorkingDir: inRepo("."),
    entryPoints: [...entries],
    bundle: true,
    write: false,
    outdir: inRepo(".cache/trace"),
    metafile: true,
    platform: "node",
    loader: { ".node": "empty" },
    logLevel: "silent",
  });
  return packagesOf(Object.keys(result.metafile.inputs));
}

/** `node_modules/a/node_modules/@s/b/c.js` belongs to the package `node_modules/a/node_modules/@s/b`. */
export function packagesOf(files: readonly string[]): readonly string[] {
  const folders = files.flatMap(
    file => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? [],
  );
  return [...new Set(folders)].sort();
}

/**
 * Of a package's files (path relative to the package) only code is needed, and of prebuilt native
 * modules only those for this kind of machine.
 */
export function isNeededAtRunTime(path: string, arch: string): boolean {
  const parts = path.split(sep);
  const name = basename(path);
  if (parts.includes("node_modules") || parts.includes("doc") || parts.includes("vendor")) {
    return false;
  }
  if (/^(darwin|freebsd|linux|musl|openbsd|win32)[_-]/.test(name)) {
    return new RegExp(`^linux[_-]${arch}$`).test(name);
  }
  return !/\.(map|md|d\.[cm]?ts|ts|c|cc|cpp|h|S|asm|txt)$/.test(name);
}
