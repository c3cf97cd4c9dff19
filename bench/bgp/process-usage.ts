import { readFile } from "node:fs/promises";

/** What a process has used so far, by the kernel's count. */
export type Usage = {
  readonly cpuSeconds: number;
  readonly rssMiB: number;
  readonly peakRssMiB: number;
};

/** Ticks of /proc/PID/stat in a second: USER_HZ, 100 on every architecture that Node.js runs on. */
const TICKS = 100;

/** CPU and memory of a process (proc_pid_stat(5), proc_pid_status(5)). */
export async function usageOf(pid: number): Promise<Usage> {
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, "utf8"),
    readFile(`/proc/${pid}/status`, "utf8"),
  ]);
  // The name, in parentheses, may hold spaces; utime and stime are the 14th and 15th field.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const memory = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) / 1024;
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS,
    rssMiB: memory("VmRSS"),
    peakRssMiB: memory("VmHWM"),
  };
}
