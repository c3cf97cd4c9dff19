/** Where the lab keeps its files. Everything lives below `.cache/lab`, which git ignores. */
import { join } from "node:path";
import { repoRoot } from "../repo";

const cacheRoot = join(repoRoot, ".cache", "lab");

/** Binaries built once and shared by all labs. */
export const binDir = join(cacheRoot, "bin");

/** Image archives built once and shared by all labs. */
export const imagesDir = join(cacheRoot, "images");

/** Go sources and pins of what the lab builds. */
export const buildDir = join(repoRoot, "hack", "lab", "build");

/** Where labs keep their state unless told otherwise: one folder per lab. */
export const defaultStateRoot = join(cacheRoot, "state");

/** Path of a binary in the cache. */
export const binary = (name: string): string => join(binDir, name);

/** The files of one lab. */
export type LabPaths = {
  readonly root: string;
  readonly state: string;
  readonly pki: string;
  readonly logs: string;
  readonly kubeconfig: string;
  readonly apiPort: string;
  readonly etcd: string;
};

/** Paths of the lab `name`. */
export function labPaths(name: string, stateRoot: string = defaultStateRoot): LabPaths {
  const root = join(stateRoot, name);
  return {
    root,
    state: join(root, "state.json"),
    pki: join(root, "pki"),
    logs: join(root, "logs"),
    kubeconfig: join(root, "lab.kubeconfig"),
    apiPort: join(root, "api-port"),
    etcd: join(root, "etcd"),
  };
}

/** kubectl as the lab's administrator; its cache goes away with the lab. */
export const kubectlArgv = (paths: LabPaths, args: readonly string[]): readonly string[] => [
  binary("kubectl"),
  `--kubeconfig=${paths.kubeconfig}`,
  `--cache-dir=${join(paths.root, "kubectl-cache")}`,
  ...args,
];

/** The folder of one node. */
export const nodeDir = (paths: LabPaths, node: string): string => join(paths.root, node);
