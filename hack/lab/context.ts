/** A lab while it is being started or used: its options, paths, plan and state. */
import { mkdirSync } from "node:fs";
import type { LabPaths } from "./paths";
import type { NodePlan } from "./plan";
import { planNodes } from "./plan";
import type { LabState, ProcessRecord } from "./state";
import { withProcess, withoutProcess, writeState } from "./state";

/** Told what is being done, one short line at a time. */
export type Progress = (message: string) => void;

/** Something that takes long: it tells how far it is, and stops when `signal` is aborted. */
export type Task = { readonly progress: Progress; readonly signal: AbortSignal };

/** A task that tells nobody and is never aborted. */
export const quietTask = (): Task => ({
  progress: () => undefined,
  signal: new AbortController().signal,
});

/** Shared by everything that starts or inspects parts of one lab. */
export type LabContext = {
  readonly name: string;
  readonly paths: LabPaths;
  readonly nodes: readonly NodePlan[];
  readonly task: Task;
  readonly state: () => LabState;
  /** Notes a process in the state file. */
  readonly remember: (record: ProcessRecord) => void;
  /** Forgets a process that has ended. */
  readonly forget: (name: string) => void;
  /** Writes the state file before anything is started. */
  readonly markStarting: () => void;
  /** Marks the lab as complete. */
  readonly markUp: () => void;
};

/** A context over `initial`, which is written to the lab's state file and kept there. */
export function createContext(paths: LabPaths, initial: LabState, task: Task): LabContext {
  let state = initial;
  const save = (next: LabState): void => {
    state = next;
    writeState(paths.state, state);
  };
  return {
    name: initial.name,
    paths,
    nodes: planNodes({ nodes: initial.nodes, lightNodes: initial.lightNodes }),
    task,
    state: () => state,
    remember: record => {
      save(withProcess(state, record));
    },
    forget: name => {
      save(withoutProcess(state, name));
    },
    markStarting: () => {
      save(state);
    },
    markUp: () => {
      save({ ...state, phase: "up" });
    },
  };
}

/** Makes the lab's folders; the keys in them are for root alone. */
export function makeFolders(paths: LabPaths): void {
  mkdirSync(paths.root, { recursive: true, mode: 0o700 });
  for (const folder of [paths.pki, paths.logs, paths.etcd]) {
    mkdirSync(folder, { recursive: true });
  }
}
