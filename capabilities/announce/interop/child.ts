import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { vi } from "vitest";
import type { Host, Lan } from "./netns";

const TSX = fileURLToPath(new URL("../../../node_modules/.bin/tsx", import.meta.url));

/** A program of this folder on a host: takes JSON commands, says JSON lines. */
export class Child<Line extends { readonly ready?: boolean }, Command> {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly lines: Line[] = [];

  constructor(lan: Lan, host: Host, file: string) {
    const path = fileURLToPath(new URL(file, import.meta.url));
    const [command, args] = lan.command(host, TSX, path);
    this.#process = spawn(command, [...args], {
      stdio: ["pipe", "pipe", "inherit"],
      detached: true,
    });
    createInterface({ input: this.#process.stdout }).on("line", line => {
      this.lines.push(JSON.parse(line) as Line);
    });
  }

  /** Waits for a line that this accepts, among those since the last command. */
  async line(accept: (line: Line) => unknown): Promise<Line> {
    return vi.waitFor(
      () => {
        const found = this.lines.find(accept);
        if (!found) throw new Error(`no such line among ${JSON.stringify(this.lines)}`);
        return found;
      },
      { timeout: 10_000, interval: 20 },
    );
  }

  tell(command: Command): void {
    this.lines.length = 0;
    this.#process.stdin.write(`${JSON.stringify(command)}\n`);
  }

  /** SIGKILL for the whole group: tsx and the process that it starts. */
  async kill(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#process;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    const exit = once(this.#process, "exit");
    process.kill(-pid, "SIGKILL");
    await exit;
  }
}
