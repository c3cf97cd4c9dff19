import { mkdir, readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";
import { writeInstallManifest } from "./install/index";
import { checkIsLatin1, lean } from "./lean";
import { run } from "./process";
import { anchoImage, inRepo } from "./repo";

/**
 * `npm run build`: everything that ships, into dist/.
 *
 * - pepr-ancho.cjs, pepr-module-ancho.yaml: the control plane, by `pepr build`
 * - announcer.js: the node agent, one file but for its two native modules
 * - heartbeat-thread.js, packet-thread.js, bfd-thread.js: what the node agent runs in threads of their own
 * - install.yaml: all of it as one manifest for kubectl
 */
async function main(): Promise<void> {
  await mkdir(inRepo("dist"), { recursive: true });
  // The package is ESM, the bundles are CommonJS: this marker makes `node dist/announcer.js` work.
  await writeFile(inRepo("dist/package.json"), '{ "type": "commonjs" }\n');
  console.log("build: control plane (pepr build)");
  await run(["npx", "pepr", "build", "--custom-image", anchoImage, "--rbac-mode", "scoped"], {
    ANCHO_BUILD: "1",
  });
  console.log("build: announcer");
  await buildAnnouncer();
  console.log("build: dist/install.yaml");
  await writeInstallManifest();
}

async function buildAnnouncer(): Promise<void> {
  await build({
    entryPoints: {
      announcer: inRepo("capabilities/announce/main.ts"),
      "heartbeat-thread": inRepo("capabilities/announce/membership/thread-main.ts"),
      "bfd-thread": inRepo("capabilities/bgp/bfd/thread-main.ts"),
      "packet-thread": inRepo("capabilities/announce/layer2/packet-mode/thread-main.ts"),
    },
    outdir: inRepo("dist"),
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    keepNames: true,
    // Names stay, for the sake of stack traces.
    minifyWhitespace: true,
    minifySyntax: true,
    plugins: [lean],
    sourcemap: true,
    external: ["netlink", "koffi"],
    logLevel: "warning",
    // CommonJS has no import.meta.url; dependencies that ask for it get the bundle's own.
    banner: { js: "const import_meta_url = require('url').pathToFileURL(__filename).href;" },
    define: { "import.meta.url": "import_meta_url" },
  });
  const announcer = inRepo("dist/announcer.js");
  checkIsLatin1(await readFile(announcer, "utf8"), announcer);
}

await main();
