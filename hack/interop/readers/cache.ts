import { existsSync } from "node:fs";
import { run } from "../../process";
import { inRepo } from "../../repo";

/**
 * A folder that is filled once for each version of what is in it; what a run that failed has left there is not taken
 * for it.
 *
 * @param fill puts the files into the folder that it is given
 */
export async function cachedFolder(
  name: string,
  version: string,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = inRepo(".cache/interop", name, version);
  if (!existsSync(folder)) {
    const unfinished = `${folder}.new`;
    await fill(unfinished);
    await run(["mv", unfinished, folder]);
  }
  return folder;
}

/** Python's package manager. */
export async function pip(command: "install" | "download", ...args: string[]): Promise<void> {
  await run(["python3", "-m", "pip", command, "-q", "--disable-pip-version-check", ...args]);
}
