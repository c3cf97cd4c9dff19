/** Takes a lab down, whatever state it is in, and leaves nothing of it behind. */
import { rmSync } from "node:fs";
import { killAllIn, processesIn, removeCgroups } from "./cgroups";
import { removeNetwork, listNetns } from "./net";
import type { LabPaths } from "./paths";
import { isAlive, signalProcess } from "./processes";
import { readState } from "./state";
import type { LabState } from "./state";
import { waitUntil } from "../wait";

const KILL_TIMEOUT_MS = 20_000;
const OWNER_TIMEOUT_MS = 15_000;

/**
 * A lab's state, or undefined when there is none or it is damaged: that must not keep a lab from being
 * taken down, since cgroups and names lead to everything of it, too.
 */
export function readDamagedState(paths: LabPaths): LabState | undefined {
  try {
    return readState(paths.state);
  } catch {
    return undefined;
  }
}

/** An `up` that still runs in another process is asked to stop; it cleans up after itself. */
async function stopOwner(state: LabState): Promise<void> {
  const { owner } = state;
  if (state.phase !== "starting" || owner.pid === process.pid || !isAlive(owner)) {
    return;
  }
  process.kill(owner.pid, "SIGTERM");
  await waitUntil(() => !isAlive(owner), {
    what: `the running "up" of lab ${state.name} (process ${owner.pid}) to stop`,
    timeoutMs: OWNER_TIMEOUT_MS,
  });
}

/** Ends every process, then removes namespaces, cgroups and files. Does nothing for no lab. */
export async function stopLab(name: string, paths: LabPaths): Promise<void> {
  const state = readDamagedState(paths);
  if (state !== undefined) {
    await stopOwner(state);
    // Those of the control plane first, so that nothing is rescheduled meanwhile.
    for (const record of state.processes) {
      signalProcess(record, "SIGKILL");
    }
  }
  await killAllIn(name, KILL_TIMEOUT_MS);
  await removeNetwork(name);
  await removeCgroups(name, KILL_TIMEOUT_MS);
  rmSync(paths.root, { recursive: true, force: true });
}

/** Whether anything of a lab exists: its state, a process or a namespace. */
export function labExists(name: string, paths: LabPaths): boolean {
  return (
    readDamagedState(paths) !== undefined ||
    processesIn(name).length > 0 ||
    listNetns(name).length > 0
  );
}
