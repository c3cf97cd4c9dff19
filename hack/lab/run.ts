/** Runs a command to its end. */
import { spawn } from "node:child_process";
import type { ChildProcess, StdioOptions } from "node:child_process";

/** What a command left behind. `code` is 128 + the signal's number when a signal ended it. */
export type RunResult = {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
};

/** How to run a command. */
export type RunOptions = {
  readonly input?: string | Buffer;
  /** After this many milliseconds the command and its children are killed; the code is then 137. */
  readonly timeoutMs?: number;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Aborting kills the command and its children, too. */
  readonly signal?: AbortSignal;
};

const SIGNAL_EXIT_BASE = 128;
const SIGNAL_NUMBERS: Partial<Record<NodeJS.Signals, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGKILL: 9,
  SIGTERM: 15,
};

function exitCode(code: number | null, signal: NodeJS.Signals | null): number {
  if (code !== null) {
    return code;
  }
  return SIGNAL_EXIT_BASE + ((signal !== null ? SIGNAL_NUMBERS[signal] : undefined) ?? 0);
}

function collect(child: ChildProcess): { stdout: () => string; stderr: () => string } {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
  return {
    stdout: () => Buffer.concat(out).toString("utf8"),
    stderr: () => Buffer.concat(err).toString("utf8"),
  };
}

/** Kills a process group; one that is gone already is fine. */
export function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Gone already.
  }
}

/** Kills the command on timeout or abort; returns what ends the watching. */
function watchForEnd(child: ChildProcess, options: RunOptions): () => void {
  const { signal, timeoutMs } = options;
  const kill = (): void => {
    if (child.pid !== undefined) {
      killGroup(child.pid, "SIGKILL");
    }
  };
  const timer = timeoutMs === undefined ? undefined : setTimeout(kill, timeoutMs);
  signal?.addEventListener("abort", kill);
  return () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", kill);
  };
}

/** Runs `argv` and resolves with what it printed, whatever its exit code; rejects if it cannot start. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  options.signal?.throwIfAborted();
  const [command = "", ...args] = argv;
  // A group of its own, so that a timeout reaches what the command started, too.
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const output = collect(child);
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  const stopWatching = watchForEnd(child, options);
  return new Promise((resolve, reject) => {
    child.on("error", error => {
      stopWatching();
      reject(new Error(`cannot run ${command}: ${error.message}`));
    });
    child.on("close", (code, signal) => {
      stopWatching();
      resolve({
        code: exitCode(code, signal),
        stdout: output.stdout(),
        stderr: output.stderr(),
      });
    });
  });
}

/** Like `run`, but an exit code other than 0 is an error that shows what the command said. */
export async function must(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await run(argv, options);
  if (result.code !== 0) {
    const said = (result.stderr || result.stdout).trim();
    throw new Error(`${argv.join(" ")}: exit code ${result.code}${said ? `: ${said}` : ""}`);
  }
  return result.stdout;
}

/** Runs `argv` on the caller's terminal and resolves with its exit code. */
export async function runAttached(
  argv: readonly string[],
  stdio: StdioOptions = "inherit",
): Promise<number> {
  const [command = "", ...args] = argv;
  const child = spawn(command, args, { stdio });
  return new Promise((resolve, reject) => {
    child.on("error", error => {
      reject(new Error(`cannot run ${command}: ${error.message}`));
    });
    child.on("close", (code, signal) => {
      resolve(exitCode(code, signal));
    });
  });
}
