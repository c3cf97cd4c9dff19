/** Starts the lab's long-running processes: in their host's cgroup, with a log, noted in the state. */
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { daemonsProcsFile } from "./cgroups";
import type { LabContext } from "./context";
import { isAlive, signalProcess, startTimeOf } from "./processes";
import type { ProcessRecord } from "./state";
import { waitUntil } from "../wait";

/** What to start. */
export type DaemonSpec = {
  /** Unique in the lab, such as `n1/kubelet`; also names its log. */
  readonly name: string;
  readonly host: string;
  readonly argv: readonly string[];
};

const LOG_TAIL_LINES = 15;
const END_TIMEOUT_MS = 10_000;

/** The last lines of a log, for error messages. */
export function logTail(file: string, lines: number = LOG_TAIL_LINES): string {
  try {
    return readFileSync(file, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
  } catch {
    return "";
  }
}

/** Starts a daemon. It outlives this process; `down` ends it. */
export function startDaemon(lab: LabContext, spec: DaemonSpec): ProcessRecord {
  lab.task.signal.throwIfAborted();
  const log = join(lab.paths.logs, `${spec.name}.log`);
  mkdirSync(dirname(log), { recursive: true });
  const output = openSync(log, "a");
  // The shell joins the cgroup before anything of the daemon runs, so no child can be outside.
  const script = 'echo $$ > "$0" && exec "$@"';
  const child = spawn(
    "/bin/sh",
    ["-c", script, daemonsProcsFile(lab.name, spec.host), ...spec.argv],
    { detached: true, stdio: ["ignore", output, output], cwd: "/" },
  );
  closeSync(output);
  child.unref();
  const { pid } = child;
  const startTime = pid === undefined ? undefined : startTimeOf(pid);
  if (pid === undefined || startTime === undefined) {
    throw new Error(`${spec.name}: cannot start ${spec.argv[0] ?? ""}`);
  }
  const record = { name: spec.name, host: spec.host, pid, startTime, argv: [...spec.argv], log };
  lab.remember(record);
  return record;
}

/** The noted process of that name; undefined when the lab has none. */
export function findDaemon(lab: LabContext, name: string): ProcessRecord | undefined {
  return lab.state().processes.find(record => record.name === name);
}

/** Throws, with the end of its log, when a daemon has ended. */
export function checkAlive(record: ProcessRecord): void {
  if (!isAlive(record)) {
    throw new Error(`${record.name} has ended; the end of ${record.log}:\n${logTail(record.log)}`);
  }
}

/** Ends a daemon with a signal and waits until it is gone; its record stays for a later restart. */
export async function endDaemon(record: ProcessRecord, signal: NodeJS.Signals): Promise<void> {
  signalProcess(record, signal);
  await waitUntil(() => !isAlive(record), {
    what: `${record.name} to end after ${signal}`,
    timeoutMs: END_TIMEOUT_MS,
    intervalMs: 20,
  });
}
