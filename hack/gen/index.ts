import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { inRepo } from "../repo";
import { generated } from "./files";

/** `npm run gen`: write what is derived from another source, so that nobody edits it by hand. */
for (const [path, render] of Object.entries(generated)) {
  await mkdir(dirname(inRepo(path)), { recursive: true });
  await writeFile(inRepo(path), render());
  console.log(path);
}
