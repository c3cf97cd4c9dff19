import { rm } from "node:fs/promises";
import { anchoImage, inRepo } from "../repo";
import { writeImage } from "./archive";
import { stageApplication } from "./application";
import { stageRuntime } from "./node-runtime";

/** User and group that the control plane runs as; Pepr's boot writes the unpacked module to /app. */
const nonRoot = { uid: 65532, gid: 65532 };

/**
 * `npm run image`: dist/ancho-image.tar, a docker archive with the control plane and the announcer,
 * made from files alone: no container engine, no registry. The Dockerfile says the same for
 * everyone who has an engine.
 */
async function main(): Promise<void> {
  const staging = inRepo(".cache/image");
  await rm(staging, { recursive: true, force: true });
  const runtime = await stageRuntime(`${staging}/runtime`);
  const application = await stageApplication(`${staging}/application`);
  const out = inRepo("dist/ancho-image.tar");
  await writeImage(
    {
      tag: anchoImage,
      layers: [
        { root: runtime, uid: 0, gid: 0 },
        { root: application, ...nonRoot },
      ],
      entrypoint: ["/usr/local/bin/node"],
      cmd: ["/app/dist/announcer.js", "--help"],
      env: { NODE_ENV: "production", PATH: "/usr/local/bin:/usr/sbin:/usr/bin:/bin" },
      workdir: "/app",
    },
    out,
  );
  console.log(out);
}

await main();
