/** Processes by pid and start time, so that a reused pid is never mistaken for ours. */
import { readFileSync } from "node:fs";
import { killGroup } from "./run";

/** A process that cannot be confused with a later one of the same pid. */
export type ProcessRef = { readonly pid: number; readonly startTime: string };

/** What /proc/PID/stat says of a process. */
export type ProcessStat = {
  readonly startTime: string;
  readonly state: string;
  readonly threads: number;
};

/** Parses /proc/PID/stat: one line, whose command name may have blanks and parentheses (proc(5)). */
export function parseStat(stat: string): ProcessStat {
  // Fields after the name in parentheses: state is field 3, so field N has index N - 3.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    state: fields[0] ?? "",
    threads: Number(fields[17]),
    startTime: fields[19] ?? "",
  };
}

/**
 * Whether a process has ended, whatever its parent has noticed of it. The first thread of a killed
 * process may be a zombie while others are still on their way out, and with them its sockets.
 */
export function hasEnded(stat: ProcessStat): boolean {
  return stat.state === "Z" && stat.threads <= 1;
}

function readStat(pid: number): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return undefined;
  }
}

/** Start time of a running process; undefined when there is no such process. */
export function startTimeOf(pid: number): string | undefined {
  return readStat(pid)?.startTime;
}

/** Whether that very process still runs. One that has ended and was not waited for does not. */
export function isAlive(ref: ProcessRef): boolean {
  const stat = readStat(ref.pid);
  return stat !== undefined && stat.startTime === ref.startTime && !hasEnded(stat);
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
