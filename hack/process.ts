import { spawn } from "node:child_process";
import { repoRoot } from "./repo";

export type RunOptions = {
  readonly env?: Readonly<Record<string, string>>;
  /** Text for the command's standard input. */
  readonly input?: string;
  /** Show the output as it comes; else it is kept and shown only when the command fails. */
  readonly show?: boolean;
};

/**
 * Run a command in the checkout and return what it printed on standard output.
 * @throws Error with the command line, its exit code and the last of its output.
 */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const [command = "", ...args] = argv;
  const child = spawn(command, args, {
    cwd: repoRoot,
    env: { ...process.env, ...options.env },
    stdio: ["pipe", options.show ? "inherit" : "pipe", options.show ? "inherit" : "pipe"],
  });
  let stdout = "";
  let all = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    all += chunk.toString();
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    all += chunk.toString();
  });
  child.stdin?.end(options.input ?? "");
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) {
    throw new Error(`${argv.join(" ")} exited with ${code ?? "a signal"}\n${all.slice(-4000)}`);
  }
  return stdout;
}
