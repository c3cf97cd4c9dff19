import { readFile } from "node:fs/promises";
import { inRepo } from "../repo";
import { generated } from "./files";

/** Fails when a generated file differs from what `npm run gen` would write. */
for (const [path, render] of Object.entries(generated)) {
  const found = await readFile(inRepo(path), "utf8").catch(() => "");
  if (found !== render()) {
    console.error(`${path} is not what its source says: run \`npm run gen\` and commit the result`);
    process.exitCode = 1;
  }
}
