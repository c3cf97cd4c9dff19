/**
 * The shell of a real node: a process whose namespaces (network, mounts, host name, processes) make a
 * machine of its own. It is PID 1 there, so when it dies the kernel ends everything on the node, and
 * the node's mounts and pod namespaces go with it: nothing of them is ever visible on the machine.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeHostCgroup } from "./cgroups";
import type { LabContext } from "./context";
import { checkAlive, findDaemon, startDaemon } from "./daemons";
import { kubeletSysctls } from "./kubelet";
import { inNetns } from "./net";
import { repoRoot } from "../repo";
import { binary, nodeDir } from "./paths";
import type { NodePlan } from "./plan";
import { childrenOf } from "./processes";
import type { ProcessRecord } from "./state";
import { waitUntil } from "../wait";

const START_TIMEOUT_MS = 10_000;

/** Folders of a node, as seen from the machine. */
export type MachineFolders = {
  readonly dir: string;
  readonly etc: string;
  readonly containerd: string;
  readonly kubelet: string;
  readonly log: string;
  readonly ready: string;
};

/** The folders of the node `name`. */
export function machineFolders(lab: LabContext, name: string): MachineFolders {
  const dir = nodeDir(lab.paths, name);
  return {
    dir,
    etc: join(dir, "etc"),
    containerd: join(dir, "containerd"),
    kubelet: join(dir, "kubelet"),
    log: join(dir, "log"),
    ready: join(dir, "ready"),
  };
}

/** Files that stand in for kernel settings kubelet would change for the whole machine. */
function fakeSysctls(folder: string): readonly string[] {
  return Object.entries(kubeletSysctls).flatMap(([setting, value]) => {
    const real = `/proc/sys/${setting}`;
    if (!existsSync(real) || readFileSync(real, "utf8").trim() === value) {
      return [];
    }
    const file = join(folder, setting.replaceAll("/", "."));
    writeFileSync(file, `${value}\n`);
    return [`mount --bind '${file}' '${real}'`];
  });
}

/** The repository stays visible where a folder above it is covered by an empty one. */
function coverFolder(folder: string): readonly string[] {
  const cover = `mount -t tmpfs -o mode=755 tmpfs ${folder}`;
  if (!repoRoot.startsWith(`${folder}/`)) {
    return [cover];
  }
  return [
    `mount --bind '${repoRoot}' /mnt`,
    cover,
    `mkdir -p '${repoRoot}'`,
    `mount --bind /mnt '${repoRoot}'`,
    "umount /mnt",
  ];
}

function setupScript(node: NodePlan, folders: MachineFolders): string {
  const holder = join(folders.dir, "holder");
  mkdirSync(holder, { recursive: true });
  return [
    "set -e",
    `hostname ${node.name}`,
    // /sys of this network namespace, with the cgroup mounts put back into it.
    `mount --rbind /sys/fs/cgroup '${holder}'`,
    "mount -t sysfs sysfs /sys",
    `mount --rbind '${holder}' /sys/fs/cgroup`,
    `umount -l '${holder}'`,
    // Folders that programs find by name, empty and the node's own.
    ...coverFolder("/run"),
    ...coverFolder("/var/lib"),
    "mkdir -p /run/lock /run/netns /run/containerd /var/lib/kubelet /var/lib/containerd",
    `mount --bind '${folders.containerd}' /var/lib/containerd`,
    `mount --bind '${folders.kubelet}' /var/lib/kubelet`,
    `mount --bind '${folders.log}' /var/log`,
    ...fakeSysctls(folders.dir),
    // Mounts that kubelet makes for a pod must reach the containers.
    "mount --make-rshared /",
    `touch '${folders.ready}'`,
    `exec '${binary("pause")}'`,
  ].join("\n");
}

const machineName = (node: string): string => `${node}/machine`;

/** Starts the namespaces of a node and waits until they are set up. */
export async function startMachine(lab: LabContext, node: NodePlan): Promise<void> {
  const folders = machineFolders(lab, node.name);
  for (const folder of [folders.etc, folders.containerd, folders.kubelet, folders.log]) {
    mkdirSync(folder, { recursive: true });
  }
  makeHostCgroup(lab.name, node.name);
  const namespaces = ["--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child"];
  const record = startDaemon(lab, {
    name: machineName(node.name),
    host: node.name,
    argv: [
      ...inNetns(lab.name, node.name),
      ...["unshare", ...namespaces, "--mount-proc", "--", "/bin/sh", "-c"],
      setupScript(node, folders),
    ],
  });
  await waitUntil(() => existsSync(folders.ready), {
    what: `the namespaces of node ${node.name}`,
    timeoutMs: START_TIMEOUT_MS,
    intervalMs: 20,
    signal: lab.task.signal,
    check: () => {
      checkAlive(record);
    },
  });
}

/** PID 1 of a node as the machine numbers it. */
function initPid(record: ProcessRecord, node: string): number {
  const [pid] = childrenOf(record.pid);
  if (pid === undefined) {
    throw new Error(`node ${node} does not run any more`);
  }
  return pid;
}

/** Prefix of a command that runs on a real node: in all of its namespaces. */
export function inMachine(lab: LabContext, node: string): readonly string[] {
  const record = findDaemon(lab, machineName(node));
  if (record === undefined) {
    throw new Error(`lab ${lab.name} has no real node ${node}`);
  }
  const target = String(initPid(record, node));
  return ["nsenter", "-t", target, "--mount", "--uts", "--ipc", "--net", "--pid", "--"];
}
