import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { vi } from "vitest";
import type { AnswerCount } from "../layer2/packet-mode/packet-responder";
import type { Lan } from "./netns";
import type { Command } from "./responder-process";

export const WAIT = { timeout: 10_000, interval: 50 };

const TSX = fileURLToPath(new URL("../../../node_modules/.bin/tsx", import.meta.url));
const PROCESS = fileURLToPath(new URL("responder-process.ts", import.meta.url));
/** As in the DaemonSet's security context: root, of whose capabilities two are left. */
const AS_IN_POD = [
  "setpriv",
  "--no-new-privs",
  "--inh-caps=-all",
  "--bounding-set=-all,+net_admin,+net_raw",
];

/** A line of what the process says. */
export type Line = {
  readonly ready?: boolean;
  readonly done?: string;
  readonly adopted?: object;
  readonly cleaned?: readonly string[];
  readonly problem?: string;
  readonly outcome?: {
    readonly fresh: readonly string[];
    /** Each as `address interface mode`. */
    readonly modes: readonly string[];
    readonly unguarded: readonly { readonly address: string; readonly interfaceName: string }[];
    readonly problems: readonly string[];
  };
  readonly counts?: readonly AnswerCount[];
};

/** A responder process on the node, with no more rights than the pod has. */
export class Responder {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly lines: Line[] = [];

  constructor(lan: Lan, environment: Readonly<Record<string, string>> = {}) {
    const [file, args] = lan.command("node", ...AS_IN_POD, TSX, PROCESS);
    this.#child = spawn(file, [...args], {
      stdio: ["pipe", "pipe", "inherit"],
      detached: true,
      env: { ...process.env, ...environment },
    });
    createInterface({ input: this.#child.stdout }).on("line", line => {
      this.lines.push(JSON.parse(line) as Line);
    });
  }

  get #pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error("the responder process could not be started");
    return pid;
  }

  /** Waits for a line that this accepts, among those since the last command. */
  async line(accept: (line: Line) => unknown): Promise<Line> {
    return vi.waitFor(() => {
      const found = this.lines.find(accept);
      if (!found) throw new Error(`no such line among ${JSON.stringify(this.lines)}`);
      return found;
    }, WAIT);
  }

  async tell(command: Command, accept: (line: Line) => unknown): Promise<Line> {
    this.lines.length = 0;
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
    return this.line(accept);
  }

  /** The kernel's word for the capabilities that it has, and can ever have. */
  async capabilities(): Promise<readonly string[]> {
    const status = await readFile(`/proc/${this.#pid}/status`, "utf8");
    return ["CapEff", "CapBnd"].map(
      name => new RegExp(`${name}:\\s*(\\w+)`).exec(status)?.[1] ?? "",
    );
  }

  /** SIGKILL for the whole group: tsx and the process that it starts. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    process.kill(-this.#pid, "SIGKILL");
    await exit;
  }
}

/** Starts one and waits until it takes commands. */
export async function startResponder(
  lan: Lan,
  environment: Readonly<Record<string, string>> = {},
): Promise<Responder> {
  const process = new Responder(lan, environment);
  await process.line(line => line.ready);
  return process;
}

/** Who answers the peer's ARP request on a link, and how fast in ms; undefined for nobody. */
export async function arpOwner(
  lan: Lan,
  address: string,
  link = "eth0",
): Promise<{ mac: string; ms: number } | undefined> {
  const output = await lan
    .run("peer", "arping", "-C", "1", "-c", "2", "-w", "1", "-i", link, address)
    .catch(() => "");
  const [, mac, time, unit] = /from ([0-9a-f:]{17}).*time=([0-9.]+) (\w+)/.exec(output) ?? [];
  const scale = { usec: 0.001, msec: 1, sec: 1000 }[unit ?? ""] ?? 1;
  return mac === undefined ? undefined : { mac, ms: Number(time) * scale };
}

/**
 * Who answers the peer's neighbor solicitation on a link, by the peer's own kernel. (ndisc6 takes no answer
 * whose source is not the target, and a proxy's never is: RFC 4861 section 7.2.8.)
 */
export async function ndpOwner(
  lan: Lan,
  address: string,
  link = "eth0",
): Promise<string | undefined> {
  await lan.run("peer", "ip", "-6", "neigh", "flush", "to", address, "dev", link);
  await lan.run("peer", "ping", "-6", "-c", "1", "-W", "1", "-I", link, address).catch(() => "");
  const table = await lan.run("peer", "ip", "-6", "neigh", "show", "to", address, "dev", link);
  return /lladdr (\S+)/.exec(table)?.[1];
}
