/** Commands that use a running lab. */
import type { Command } from "commander";
import { openLab } from "../lab";
import { runAttached } from "../run";
import { nameOption } from "./lifecycle";

type NameFlag = { readonly name: string };

/** What comes after `--`, which the argument parser passes through. */
const afterDashes = (words: readonly string[]): readonly string[] =>
  words[0] === "--" ? words.slice(1) : words;

/** `exec HOST -- CMD…` */
export function declareExec(program: Command): void {
  program
    .command("exec")
    .description("run a command on a host: n1…, client, ctl, sw or pod/NAMESPACE/NAME")
    .argument("<host>")
    .argument("<command...>", "after --")
    .addOption(nameOption())
    .passThroughOptions()
    .action(async (host: string, command: string[], flags: NameFlag) => {
      const lab = await openLab(flags.name);
      process.exitCode = await runAttached(await lab.command(host, afterDashes(command)));
    });
}

/** `kubectl -- ARGS…` */
export function declareKubectl(program: Command): void {
  program
    .command("kubectl")
    .description("run kubectl as the lab's administrator")
    .argument("<args...>", "after --")
    .addOption(nameOption())
    .passThroughOptions()
    .action(async (args: string[], flags: NameFlag) => {
      const lab = await openLab(flags.name);
      process.exitCode = await runAttached(lab.kubectlCommand(afterDashes(args)));
    });
}

/** `kubeconfig` */
export function declareKubeconfig(program: Command): void {
  program
    .command("kubeconfig")
    .description("print the path of the lab's kubeconfig")
    .addOption(nameOption())
    .action(async (flags: NameFlag) => {
      process.stdout.write(`${(await openLab(flags.name)).kubeconfig}\n`);
    });
}

/** `load-image TAR` */
export function declareLoadImage(program: Command): void {
  program
    .command("load-image")
    .description("load an image archive into the real nodes")
    .argument("<archive>", "docker-archive or OCI archive")
    .option("--nodes <names...>", "only these nodes")
    .addOption(nameOption())
    .action(async (archive: string, flags: NameFlag & { readonly nodes?: string[] }) => {
      const lab = await openLab(flags.name);
      await lab.loadImage(archive, flags.nodes);
    });
}

/** `logs NAME` */
export function declareLogs(program: Command): void {
  program
    .command("logs")
    .description("print the log of a process, or the names of all processes")
    .argument("[process]", "such as kube-apiserver or n1/kubelet")
    .addOption(nameOption())
    .action(async (process_: string | undefined, flags: NameFlag) => {
      const lab = await openLab(flags.name);
      process.stdout.write(
        process_ === undefined ? `${lab.processes().join("\n")}\n` : lab.logs(process_),
      );
    });
}

/** `cut NODE` */
export function declareCut(program: Command): void {
  program
    .command("cut")
    .description("cut a node's power, as the network sees it: its switch port goes down")
    .argument("<node>")
    .addOption(nameOption())
    .action(async (node: string, flags: NameFlag) => (await openLab(flags.name)).cut(node));
}

/** `heal NODE` */
export function declareHeal(program: Command): void {
  program
    .command("heal")
    .description("end a power cut")
    .argument("<node>")
    .addOption(nameOption())
    .action(async (node: string, flags: NameFlag) => (await openLab(flags.name)).heal(node));
}
