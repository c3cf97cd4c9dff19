/** Starts and restarts the components of the control plane. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createLabApi } from "./api";
import { apiServerArgv } from "./apiserver";
import { makeHostCgroup } from "./cgroups";
import { kubeconfigFor } from "./certs";
import type { LabContext } from "./context";
import { controllerManagerArgv, schedulerArgv } from "./controllers";
import { checkAlive, endDaemon, findDaemon, startDaemon } from "./daemons";
import { etcdArgv } from "./etcd";
import { inNetns, netnsFile } from "./net";
import { binary } from "./paths";
import { addressing } from "./plan";
import { isAlive } from "./processes";
import type { ProcessRecord } from "./state";
import { waitUntil } from "../wait";

/** Components that can be killed and started again. */
export type ControlPlaneComponent =
  | "etcd"
  | "kube-apiserver"
  | "kube-controller-manager"
  | "kube-scheduler";

const CTL = "ctl";
const READY_TIMEOUT_MS = 60_000;

function startOnCtl(lab: LabContext, name: string, argv: readonly string[]): ProcessRecord {
  return startDaemon(lab, { name, host: CTL, argv: [...inNetns(lab.name, CTL), ...argv] });
}

/** Starts etcd and kube-apiserver, and the forwarder through which the machine reaches them. */
export async function startApi(lab: LabContext): Promise<void> {
  const { paths } = lab;
  const { dualStack } = lab.state();
  makeHostCgroup(lab.name, CTL);
  startOnCtl(lab, "etcd", etcdArgv(paths));
  startOnCtl(lab, "kube-apiserver", apiServerArgv(paths, dualStack));
  const target = `${addressing.apiServer4}:6443`;
  const forwarder = startDaemon(lab, {
    name: "forward",
    host: CTL,
    argv: [binary("forward"), netnsFile(lab.name, CTL), target, paths.apiPort],
  });
  await waitUntil(() => existsSync(paths.apiPort), {
    what: "the loopback forwarder's port",
    timeoutMs: 5_000,
    intervalMs: 20,
    signal: lab.task.signal,
    check: () => {
      checkAlive(forwarder);
    },
  });
  const port = readFileSync(paths.apiPort, "utf8");
  writeFileSync(paths.kubeconfig, kubeconfigFor(paths.pki, "admin", `https://127.0.0.1:${port}`), {
    mode: 0o600,
  });
}

/** Waits until kube-apiserver serves requests. */
export async function waitForApi(lab: LabContext): Promise<void> {
  const api = createLabApi(lab.paths);
  await waitUntil(async () => (await api({ path: "/readyz" })).status === 200, {
    what: "kube-apiserver to be ready",
    timeoutMs: READY_TIMEOUT_MS,
    signal: lab.task.signal,
    check: () => {
      for (const name of ["etcd", "kube-apiserver"]) {
        const record = findDaemon(lab, name);
        if (record !== undefined) {
          checkAlive(record);
        }
      }
    },
  });
}

/** Starts kube-controller-manager and kube-scheduler. */
export function startControllers(lab: LabContext): void {
  const state = lab.state();
  startOnCtl(lab, "kube-controller-manager", controllerManagerArgv(lab.paths, state));
  startOnCtl(lab, "kube-scheduler", schedulerArgv(lab.paths));
}

function componentRecord(lab: LabContext, name: ControlPlaneComponent): ProcessRecord {
  const record = findDaemon(lab, name);
  if (record === undefined) {
    throw new Error(`lab ${lab.name} has no component ${name}`);
  }
  return record;
}

/** Ends a component with a signal (SIGKILL unless told otherwise) and waits until it is gone. */
export async function killComponent(
  lab: LabContext,
  name: ControlPlaneComponent,
  signal: NodeJS.Signals = "SIGKILL",
): Promise<void> {
  await endDaemon(componentRecord(lab, name), signal);
}

/** Starts a component again with the arguments it had; resolves when the API server is ready. */
export async function restartComponent(
  lab: LabContext,
  name: ControlPlaneComponent,
): Promise<void> {
  const { argv, host, ...record } = componentRecord(lab, name);
  if (!isAlive(record)) {
    startDaemon(lab, { name, host, argv });
  }
  await waitForApi(lab);
}
