/** Processes by pid and start time, so that a reused pid is never mistaken for ours. */
import { readFileSync } from "node:fs";
import { killGroup } from "./run";

/** A process that cannot be confused with a later one of the same pid. */
export type ProcessRef = { readonly pid: number; readonly startTime: string };

/** Start time as field 22 of /proc/PID/stat, in a line that may have blanks in the command's name. */
export function parseStartTime(stat: string): string | undefined {
  // Fields after the name in parentheses: state is field 3, so field 22 has index 19.
  return stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .at(19);
}

function parseProcessState(stat: string): string {
  return stat.charAt(stat.lastIndexOf(")") + 2);
}

function readStat(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
}

/** Start time of a running process; undefined when there is no such process. */
export function startTimeOf(pid: number): string | undefined {
  const stat = readStat(pid);
  return stat === undefined ? undefined : parseStartTime(stat);
}

/** Whether that very process still runs. One that has ended and was not waited for does not. */
export function isAlive(ref: ProcessRef): boolean {
  const stat = readStat(ref.pid);
  return (
    stat !== undefined && parseStartTime(stat) === ref.startTime && parseProcessState(stat) !== "Z"
  );
}

/** Sends a signal to the process and its group, if it still runs. */
export function signalProcess(ref: ProcessRef, signal: NodeJS.Signals): void {
  if (isAlive(ref)) {
    killGroup(ref.pid, signal);
  }
}

/** Children of a process. */
export function childrenOf(pid: number): readonly number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    return text.split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
