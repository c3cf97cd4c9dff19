/** The lab's state file: what was started, so that `down` can undo it after any kind of end. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import * as z from "zod";

const processSchema = z.object({
  /** Unique within the lab, such as `kube-apiserver` or `n1/kubelet`; also names the log. */
  name: z.string(),
  host: z.string(),
  pid: z.number().int().positive(),
  /** Start time in clock ticks since boot (/proc/PID/stat): a reused pid has another one. */
  startTime: z.string(),
  argv: z.array(z.string()),
  log: z.string(),
});

const stateSchema = z.object({
  version: z.literal(1),
  name: z.string(),
  phase: z.enum(["starting", "up"]),
  /** The process that runs `up`. */
  owner: z.object({ pid: z.number().int().positive(), startTime: z.string() }),
  nodes: z.number().int(),
  lightNodes: z.number().int(),
  proxyMode: z.enum(["iptables", "nftables"]),
  dualStack: z.boolean(),
  processes: z.array(processSchema),
});

/** A process that the lab started. Signals go to its process group. */
export type ProcessRecord = z.infer<typeof processSchema>;

/** Everything a later command needs to know about a lab. */
export type LabState = z.infer<typeof stateSchema>;

/** Reads a state file's text; throws an error that names the file and the field. */
export function parseState(text: string, file: string): LabState {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (error) {
    throw new Error(`${file}: not JSON (${String(error)}); run "lab down" to clear the lab away`);
  }
  const result = stateSchema.safeParse(raw);
  if (!result.success) {
    const [issue] = result.error.issues;
    const field = issue?.path.join(".") ?? "";
    throw new Error(
      `${file}: field ${field}: ${issue?.message ?? ""}; run "lab down" to clear the lab away`,
    );
  }
  return result.data;
}

/** Reads a lab's state; undefined when there is none. Throws when it is damaged. */
export function readState(file: string): LabState | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
  return parseState(text, file);
}

/** Writes the state through a rename, so that a reader never sees half of it. */
export function writeState(file: string, state: LabState): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, `${JSON.stringify(state, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}

/** The state with `record` in place of an earlier process of the same name. */
export function withProcess(state: LabState, record: ProcessRecord): LabState {
  return { ...state, processes: [...withoutProcess(state, record.name).processes, record] };
}

/** The state without the process of that name. */
export function withoutProcess(state: LabState, name: string): LabState {
  return { ...state, processes: state.processes.filter(other => other.name !== name) };
}
