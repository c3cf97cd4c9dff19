/** What all routers have in common: a process that runs somewhere until it is stopped. */
import { spawn } from "node:child_process";
import { once } from "node:events";

/** Turns a command into one that runs elsewhere, as in a network namespace. */
export type Inside = (argv: readonly string[]) => Promise<readonly string[]>;

export const here: Inside = argv => Promise.resolve(argv);

/** A running process. */
export type Daemon = {
  readonly pid: number;
  isRunning(): boolean;
  /** What it wrote to its output. */
  output(): string;
  /** Resolves when it is gone; no matter if it was before. */
  stop(signal?: NodeJS.Signals): Promise<void>;
};

export async function startDaemon(
  argv: readonly string[],
  inside: Inside,
  env: Readonly<Record<string, string>> = {},
): Promise<Daemon> {
  const [command = "", ...args] = await inside(argv);
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  }
  const exited = once(child, "exit").catch((error: unknown) => (output += String(error)));
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  return {
    pid: child.pid ?? 0,
    isRunning: () => isRunning() && child.pid !== undefined,
    output: () => output,
    stop: async (signal = "SIGTERM") => {
      if (isRunning()) child.kill(signal);
      await exited;
    },
  };
}
