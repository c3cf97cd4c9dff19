/** What the lab cannot install itself: Linux, root, Go, br_netfilter. */
import { existsSync } from "node:fs";
import { run } from "./run";

/** Throws a sentence that says what to do when this machine cannot run the lab. */
export function checkMachine(): void {
  if (process.platform !== "linux") {
    throw new Error(`the lab needs Linux (network namespaces), this is ${process.platform}`);
  }
  if (process.getuid?.() !== 0) {
    throw new Error("the lab needs root (network namespaces, mounts, cgroups): run it with sudo");
  }
}

/** Throws when there is no Go toolchain. */
export async function checkGo(): Promise<void> {
  const found = await run(["go", "version"]).catch(() => undefined);
  if (found?.code !== 0) {
    throw new Error(
      "the lab builds Kubernetes from source and needs Go 1.24 or later on PATH: see https://go.dev/doc/install",
    );
  }
}

/** Bridged packets between two pods of a node must meet kube-proxy's rules on their way back. */
export async function ensureBridgeFilter(): Promise<void> {
  if (!existsSync("/proc/sys/net/bridge")) {
    await run(["modprobe", "br_netfilter"]).catch(() => undefined);
  }
  if (!existsSync("/proc/sys/net/bridge")) {
    throw new Error(
      "the kernel lacks br_netfilter, so pods could not reach Services whose pod is on their own node: load or enable it",
    );
  }
}
