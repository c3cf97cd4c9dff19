/** Commands that make, end and describe a lab. */
import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import type { ProxyMode } from "../kube-proxy";
import { DEFAULT_LAB, downLab, openLab, upLab } from "../lab";
import type { Lab } from "../lab";
import type { Task } from "../context";
import { prepareMachine } from "../prepare";

type NameFlag = { readonly name: string };

type UpFlags = NameFlag & {
  readonly nodes: number;
  readonly lightNodes: number;
  readonly proxyMode: ProxyMode;
  readonly dualStack: boolean;
};

/** The `--name` flag that every command has. */
export const nameOption = (): Option =>
  new Option("--name <lab>", "which lab, for several side by side").default(DEFAULT_LAB);

function parseCount(text: string): number {
  if (!/^\d+$/.test(text)) {
    throw new InvalidArgumentError("not a whole number");
  }
  return Number(text);
}

/** Writes progress to stderr, each line with the seconds since the start. */
export function printProgress(): (message: string) => void {
  const started = Date.now();
  return message => {
    const seconds = ((Date.now() - started) / 1000).toFixed(1).padStart(6);
    process.stderr.write(`${seconds} s  ${message}\n`);
  };
}

const SIGNAL_EXIT: Partial<Record<NodeJS.Signals, number>> = { SIGINT: 130, SIGTERM: 143 };

/**
 * Runs `work` so that SIGINT and SIGTERM abort it: it cleans up and rejects, and the exit code is that
 * of the signal. A second signal ends the process at once, leaving the rest to `down`.
 */
async function abortedBySignals(work: (task: Task) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    process.exitCode = SIGNAL_EXIT[signal] ?? 1;
    process.stderr.write(`lab: ${signal}: cleaning up\n`);
    controller.abort(new Error(`ended by ${signal}`));
  };
  process.once("SIGINT", onSignal);
  process.once("SIGTERM", onSignal);
  try {
    await work({ progress: printProgress(), signal: controller.signal });
  } catch (error) {
    if (!controller.signal.aborted) {
      throw error;
    }
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
}

async function runUp(flags: UpFlags, task: Task): Promise<void> {
  const lab = await upLab(flags, task.progress, task.signal);
  task.progress(`lab ${lab.name} is up: ${lab.nodes.join(", ")}`);
  process.stdout.write(`export KUBECONFIG=${lab.kubeconfig}\n`);
}

/** `prepare` */
export function declarePrepare(program: Command): void {
  program
    .command("prepare")
    .description("install and build what a lab needs, without starting one")
    .action(() =>
      abortedBySignals(async task => {
        await prepareMachine(task.progress, task.signal);
      }),
    );
}

/** `up` */
export function declareUp(program: Command): void {
  program
    .command("up")
    .description("start a lab; the first time builds Kubernetes, which takes about 10 minutes")
    .addOption(nameOption())
    .option("--nodes <count>", "real nodes: kubelet, containerd, pods", parseCount, 3)
    .option("--light-nodes <count>", "nodes without a kubelet", parseCount, 0)
    .addOption(
      new Option("--proxy-mode <mode>", "how kube-proxy programs the kernel")
        .choices(["iptables", "nftables"])
        .default("iptables"),
    )
    .option("--dual-stack", "IPv4 and IPv6 (the default)", true)
    .option("--no-dual-stack", "IPv4 only")
    .action((flags: UpFlags) => abortedBySignals(task => runUp(flags, task)));
}

/** `down` */
export function declareDown(program: Command): void {
  program
    .command("down")
    .description("end a lab and remove everything of it, also after a crash of up")
    .addOption(nameOption())
    .action(async (flags: NameFlag) => downLab(flags.name));
}

async function describe(lab: Lab): Promise<string> {
  const nodes = await lab.kubectl(["get", "nodes", "-o", "wide"], { timeoutMs: 10_000 });
  const ended = lab.processes().filter(name => !lab.isRunning(name));
  return [
    `lab ${lab.name}, kubeconfig ${lab.kubeconfig}`,
    ended.length === 0 ? "all processes run" : `ENDED: ${ended.join(", ")}`,
    (nodes.code === 0 ? nodes.stdout : nodes.stderr).trimEnd(),
    "",
  ].join("\n");
}

/** `status` */
export function declareStatus(program: Command): void {
  program
    .command("status")
    .description("show a lab's nodes and whether its processes run")
    .addOption(nameOption())
    .action(async (flags: NameFlag) => {
      process.stdout.write(await describe(await openLab(flags.name)));
    });
}
