/** What a machine needs before its first lab; does nothing where everything is there. */
import { ensureBinaries } from "./binaries";
import type { Progress } from "./context";
import { ensureImages } from "./images";
import { ensurePackages } from "./packages";
import { checkMachine, ensureBridgeFilter } from "./prerequisites";

/**
 * Checks the machine, installs packages, builds programs and the lab's own images. Resolves with the
 * archives of those images. The first time takes about ten minutes.
 */
export async function prepareMachine(
  progress: Progress,
  signal: AbortSignal = new AbortController().signal,
): Promise<readonly string[]> {
  const task = { progress, signal };
  checkMachine();
  await ensurePackages(task);
  await ensureBridgeFilter();
  await ensureBinaries(task);
  return ensureImages();
}
