import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { run as runToEnd } from "./lab/run";
import { repoRoot } from "./repo";

/**
 * Run a command in the checkout and return what it printed on standard output.
 * @throws Error with the command line, its exit code and the last of its output.
 */
export async function run(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const result = await runToEnd(argv, { cwd: repoRoot, env: { ...process.env, ...env } });
  if (result.code !== 0) {
    const output = `${result.stdout}${result.stderr}`.slice(-4000);
    throw new Error(`${argv.join(" ")} exited with ${result.code}\n${output}`);
  }
  return result.stdout;
}

/** Run a command in the checkout on our own terminal, and return whether it succeeded. */
export async function show(argv: readonly string[]): Promise<boolean> {
  const [command = "", ...args] = argv;
  const child = spawn(command, args, { cwd: repoRoot, stdio: "inherit" });
  const [code] = (await once(child, "close")) as [number | null];
  return code === 0;
}

/** Ends a process of ours and waits until it has; one that has ended already is left alone. */
export async function endChild(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill(signal);
  await exit;
}
