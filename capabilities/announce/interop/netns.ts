import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** Two hosts, `node` and `peer`, each a network namespace, on a switch that is a bridge in a third one. */
export type Lan = {
  /** Runs a command on a host and returns its output; rejects if it fails. */
  run(host: Host, command: string, ...args: readonly string[]): Promise<string>;
  /** The command line that runs something on a host. */
  command(host: Host, ...argv: readonly string[]): readonly [string, readonly string[]];
  remove(): Promise<void>;
};

export type Host = "node" | "peer" | "sw";

export const NODE_MAC = "02:00:00:00:00:11";

const PREFIX = "ancho-ann-it-";
const HOSTS = ["node", "peer"] as const;
const ADDRESSES = {
  node: { mac: NODE_MAC, v4: "172.30.0.11/24", v6: "fd00:30::11/64" },
  peer: { mac: "02:00:00:00:00:22", v4: "172.30.0.200/24", v6: "fd00:30::200/64" },
} as const;

/** Builds the LAN. Several test runs may each have one; what crashed runs left is removed first. */
export async function createLan(): Promise<Lan> {
  const name = (host: Host): string => `${PREFIX}${process.pid}-${host}`;
  await removeLeftovers();
  await ip("netns", "add", name("sw"));
  await ip("-n", name("sw"), "link", "add", "br0", "type", "bridge");
  await ip("-n", name("sw"), "link", "set", "br0", "up");
  for (const host of HOSTS) {
    const { mac, v4, v6 } = ADDRESSES[host];
    const on = ["-n", name(host)];
    await ip("netns", "add", name(host));
    const peer = ["peer", "name", host, "netns", name("sw")];
    await ip(...on, "link", "add", "eth0", "address", mac, "type", "veth", ...peer);
    await ip("-n", name("sw"), "link", "set", host, "master", "br0", "up");
    await ip(...on, "link", "set", "lo", "up");
    await ip(...on, "link", "set", "eth0", "up");
    await ip(...on, "addr", "add", v4, "dev", "eth0");
    await ip(...on, "addr", "add", v6, "dev", "eth0", "nodad");
  }
  const command: Lan["command"] = (host, ...argv) => ["ip", ["netns", "exec", name(host), ...argv]];
  return {
    run: (host, ...argv) => run(...command(host, ...argv)),
    command,
    remove: async () => {
      for (const host of ["sw", ...HOSTS] as const) await ip("netns", "del", name(host));
    },
  };
}

async function removeLeftovers(): Promise<void> {
  for (const line of (await ip("netns", "list")).split("\n")) {
    const [name = ""] = line.split(" ");
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) await ip("netns", "del", name);
  }
}

function ip(...args: readonly string[]): Promise<string> {
  return run("ip", args);
}

async function run(file: string, args: readonly string[]): Promise<string> {
  const { stdout } = await execute(file, [...args], { timeout: 10_000 });
  return stdout;
}
