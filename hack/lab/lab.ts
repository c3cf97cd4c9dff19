/** The lab as a library: what the command line, the demo and the e2e tests use. */
import { spawn } from "node:child_process";
import type { ChildProcess, StdioOptions } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeComponentKubeconfig } from "./certs";
import { setFrozen } from "./cgroups";
import type { LabContext, Progress } from "./context";
import { createContext, quietTask } from "./context";
import { killComponent, restartComponent } from "./control-plane";
import type { ControlPlaneComponent } from "./control-plane";
import { endDaemon, findDaemon, startDaemon } from "./daemons";
import { labExists, readDamagedState, stopLab } from "./down";
import { commandOn } from "./hosts";
import type { Host } from "./hosts";
import { importImage } from "./images";
import type { ProxyMode } from "./kube-proxy";
import { setPort } from "./net";
import { kubectlArgv, labPaths } from "./paths";
import { addressing, checkLabName } from "./plan";
import { prepareMachine } from "./prepare";
import { isAlive } from "./processes";
import { run } from "./run";
import type { RunOptions, RunResult } from "./run";
import { readState } from "./state";
import type { ProcessRecord } from "./state";
import { initialState, startLab } from "./up";

/** How a lab is made. */
export type LabOptions = {
  /** Several labs can run side by side under different names; default `ancho`. */
  readonly name?: string;
  /** Real nodes, n1 and up. */
  readonly nodes: number;
  /** Nodes without a kubelet, l1 and up: no pods run there. */
  readonly lightNodes?: number;
  readonly proxyMode?: ProxyMode;
  readonly dualStack?: boolean;
  /** Folder below which the lab keeps its state; default `.cache/lab/state`. */
  readonly stateRoot?: string;
};

/** A running lab. Every method throws an `Error` that says which lab, host or component is meant. */
export type Lab = {
  readonly name: string;
  /** Works from the machine: the API server is reached through a forwarder on 127.0.0.1. */
  readonly kubeconfig: string;
  /** The administrator's, for what runs on a host of the lab. */
  readonly lanKubeconfig: string;
  /** Real nodes, then light ones. */
  readonly nodes: readonly string[];
  readonly lightNodes: readonly string[];
  readonly client: Host;
  readonly ctl: Host;
  readonly addressing: typeof addressing;
  /** Runs a command on a host to its end. A timeout kills it and gives code 137. */
  exec(host: Host, argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Starts a command on a host and returns at once; the caller ends it (see `endChild`). */
  spawn(host: Host, argv: readonly string[], stdio?: StdioOptions): Promise<ChildProcess>;
  /** Starts a daemon of a host, such as `l1/announcer`: frozen with the host, and ended with the lab. */
  startDaemon(host: Host, name: string, argv: readonly string[]): Promise<void>;
  /** Ends a daemon, with SIGTERM unless told otherwise, and waits until it is gone. */
  endDaemon(name: string, signal?: NodeJS.Signals): Promise<void>;
  /** The full command line that runs `argv` on a host. */
  command(host: Host, argv: readonly string[]): Promise<readonly string[]>;
  /** Runs kubectl of the lab's version as the administrator. */
  kubectl(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** The full command line of `kubectl`, for a terminal. */
  kubectlCommand(args: readonly string[]): readonly string[];
  /** Power cut, as the network sees it: the node's switch port goes down. */
  cut(node: string): Promise<void>;
  heal(node: string): Promise<void>;
  /** Stops every process of a node where it stands, its pods' too; `thaw` lets them go on. */
  freeze(node: string): void;
  thaw(node: string): void;
  killControlPlane(component: ControlPlaneComponent, signal?: NodeJS.Signals): Promise<void>;
  startControlPlane(component: ControlPlaneComponent): Promise<void>;
  /** Loads an image archive into real nodes, all of them unless told which. */
  loadImage(archive: string, nodes?: readonly string[]): Promise<void>;
  /** The log of a process, such as `kube-apiserver` or `n1/kubelet`. */
  logs(process: string): string;
  /** Names of the lab's processes, as `logs` takes them. */
  processes(): readonly string[];
  /** Whether a process of the lab still runs. */
  isRunning(process: string): boolean;
};

/** Name of a lab when none is given. */
export const DEFAULT_LAB = "ancho";

function nodeNames(lab: LabContext, kind: "real" | "light"): readonly string[] {
  return lab.nodes.filter(node => node.kind === kind).map(node => node.name);
}

function checkNode(lab: LabContext, node: string): void {
  if (!lab.nodes.some(other => other.name === node)) {
    const names = lab.nodes.map(other => other.name).join(", ");
    throw new Error(`lab ${lab.name} has no node ${node}; its nodes are ${names}`);
  }
}

function daemonOf(lab: LabContext, name: string): ProcessRecord {
  const record = findDaemon(lab, name);
  if (record === undefined) {
    const names = lab.state().processes.map(other => other.name);
    throw new Error(`lab ${lab.name} has no process ${name}; there are ${names.join(", ")}`);
  }
  return record;
}

async function loadInto(
  lab: LabContext,
  archive: string,
  nodes?: readonly string[],
): Promise<void> {
  const targets = nodes ?? nodeNames(lab, "real");
  targets.forEach(node => {
    checkNode(lab, node);
  });
  await Promise.all(targets.map(node => importImage(lab, node, archive)));
}

function labOver(lab: LabContext): Lab {
  const port = async (node: string, up: boolean): Promise<void> => {
    checkNode(lab, node);
    await setPort(lab.name, node, up);
  };
  const freeze = (node: string, frozen: boolean): void => {
    checkNode(lab, node);
    setFrozen(lab.name, node, frozen);
  };
  return {
    name: lab.name,
    kubeconfig: lab.paths.kubeconfig,
    lanKubeconfig: writeComponentKubeconfig(lab.paths.pki, "admin"),
    nodes: [...nodeNames(lab, "real"), ...nodeNames(lab, "light")],
    lightNodes: nodeNames(lab, "light"),
    client: "client",
    ctl: "ctl",
    addressing,
    exec: async (host, argv, options) => run(await commandOn(lab, host, argv), options),
    spawn: async (host, argv, stdio = ["ignore", "pipe", "pipe"]) => {
      const [command = "", ...args] = await commandOn(lab, host, argv);
      return spawn(command, args, { stdio, detached: true });
    },
    startDaemon: async (host, name, argv) => {
      startDaemon(lab, { name, host, argv: await commandOn(lab, host, argv) });
    },
    endDaemon: async (name, signal = "SIGTERM") => {
      await endDaemon(daemonOf(lab, name), signal);
    },
    command: async (host, argv) => commandOn(lab, host, argv),
    kubectl: async (args, options) => run(kubectlArgv(lab.paths, args), options),
    kubectlCommand: args => kubectlArgv(lab.paths, args),
    cut: async node => port(node, false),
    heal: async node => port(node, true),
    freeze: node => {
      freeze(node, true);
    },
    thaw: node => {
      freeze(node, false);
    },
    killControlPlane: async (component, signal) => killComponent(lab, component, signal),
    startControlPlane: async component => restartComponent(lab, component),
    loadImage: async (archive, nodes) => loadInto(lab, archive, nodes),
    logs: name => readFileSync(daemonOf(lab, name).log, "utf8"),
    processes: () => lab.state().processes.map(record => record.name),
    isRunning: name => {
      const record = findDaemon(lab, name);
      return record !== undefined && isAlive(record);
    },
  };
}

/** Opens a lab that is up. Throws when there is none of that name or it has not come up. */
export function openLab(name: string = DEFAULT_LAB, stateRoot?: string): Promise<Lab> {
  checkLabName(name);
  const paths = labPaths(name, stateRoot);
  const state = readState(paths.state);
  if (state === undefined) {
    return Promise.reject(new Error(`there is no lab ${name}: start it with "lab up"`));
  }
  if (state.phase !== "up") {
    return Promise.reject(new Error(`lab ${name} is not up yet, or its "up" died: "lab down"`));
  }
  return Promise.resolve(labOver(createContext(paths, state, quietTask())));
}

/**
 * Brings a lab up and resolves when all nodes are Ready and kube-proxy works. A lab of that name that
 * is up already is an error; what a crashed `up` left is cleared away first. When anything fails
 * or `signal` is aborted, everything is taken down again before the promise rejects.
 */
export async function upLab(
  options: LabOptions,
  progress: Progress = () => undefined,
  signal: AbortSignal = new AbortController().signal,
): Promise<Lab> {
  const name = options.name ?? DEFAULT_LAB;
  checkLabName(name);
  const paths = labPaths(name, options.stateRoot);
  const images = await prepareMachine(progress, signal);
  await clearTheWay(name, options.stateRoot);
  const state = initialState({
    name,
    nodes: options.nodes,
    lightNodes: options.lightNodes ?? 0,
    proxyMode: options.proxyMode ?? "iptables",
    dualStack: options.dualStack ?? true,
  });
  try {
    return labOver(await startLab(paths, state, images, { progress, signal }));
  } catch (error) {
    await stopLab(name, paths);
    throw error;
  }
}

async function clearTheWay(name: string, stateRoot: string | undefined): Promise<void> {
  const paths = labPaths(name, stateRoot);
  if (!labExists(name, paths)) {
    return;
  }
  const state = readDamagedState(paths);
  if (state?.phase === "starting" && isAlive(state.owner)) {
    throw new Error(`lab ${name} is being started by process ${state.owner.pid}`);
  }
  if (state?.phase === "up") {
    throw new Error(`lab ${name} is up already: use it, or take it down with "lab down"`);
  }
  await stopLab(name, paths);
}

/** Takes a lab down: idempotent, and good for what a crashed `up` left. */
export async function downLab(name: string = DEFAULT_LAB, stateRoot?: string): Promise<void> {
  checkLabName(name);
  await stopLab(name, labPaths(name, stateRoot));
}
