import { cpus } from "node:os";
import type { Lab } from "../lab/lab";

const names = (): readonly string[] => cpus().map((_, core) => `ctl/hog-${core}`);

/** One process per core that does nothing but that; they end with the lab at the latest. */
export async function startHogs(lab: Lab): Promise<void> {
  for (const name of names()) {
    await lab.startDaemon("ctl", name, ["/bin/sh", "-c", "while :; do :; done"]);
  }
}

export async function endHogs(lab: Lab): Promise<void> {
  for (const name of names()) {
    if (lab.processes().includes(name)) await lab.endDaemon(name, "SIGKILL");
  }
}
