/** Hosts for interop tests: network namespaces on one switch, which is a bridge in another one. */
import { existsSync, closeSync, openSync } from "node:fs";
import koffi from "koffi";
import { run } from "../process";
import type { Inside } from "./daemon";

/** How a host is on the LAN; its interface is `eth0`. */
export type HostOptions = {
  readonly mac?: string;
  /** With prefix lengths; usable at once, without duplicate address detection. */
  readonly addresses: readonly string[];
  /** E.g. `net.ipv6.conf.all.forwarding=1`, set before the interface is made. */
  readonly sysctls?: readonly string[];
};

/** Hosts on one switch, `sw`. */
export type Lan<H extends string> = {
  /** The namespace's name, as `ip netns` knows it. */
  namespace(host: H | "sw"): string;
  /** Runs a command on a host and returns its output; rejects if it fails. */
  run(host: H | "sw", ...argv: readonly string[]): Promise<string>;
  /** The command line that runs something on a host. */
  command(host: H | "sw", ...argv: readonly string[]): readonly [string, readonly string[]];
  /** The same for what starts routers. */
  inside(host: H): Inside;
  remove(): Promise<void>;
};

/**
 * Builds a LAN. Several test runs may each have one of a name; what crashed runs left is removed first.
 *
 * @param name - after `ancho-`, of the namespaces
 */
export async function createLan<H extends string>(
  name: string,
  hosts: Readonly<Record<H, HostOptions>>,
): Promise<Lan<H>> {
  const prefix = `ancho-${name}-`;
  const namespace = (host: H | "sw"): string => `${prefix}${process.pid}-${host}`;
  const names = Object.keys(hosts) as H[];
  await removeLeftovers(prefix);
  await ip("netns", "add", namespace("sw"));
  await ip("-n", namespace("sw"), "link", "add", "br0", "type", "bridge");
  await ip("-n", namespace("sw"), "link", "set", "br0", "up");
  for (const host of names) await addHost(host, hosts[host]);

  async function addHost(host: H, { mac, addresses, sysctls = [] }: HostOptions): Promise<void> {
    const on = ["-n", namespace(host)];
    await ip("netns", "add", namespace(host));
    for (const setting of sysctls) {
      await ip("netns", "exec", namespace(host), "sysctl", "-qw", setting);
    }
    const peer = ["peer", "name", host, "netns", namespace("sw")];
    const address = mac === undefined ? [] : ["address", mac];
    await ip(...on, "link", "add", "eth0", ...address, "type", "veth", ...peer);
    await ip("-n", namespace("sw"), "link", "set", host, "master", "br0", "up");
    await ip(...on, "link", "set", "lo", "up");
    await ip(...on, "link", "set", "eth0", "up");
    for (const one of addresses) {
      const flags = one.includes(":") ? ["nodad"] : [];
      await ip(...on, "addr", "add", one, "dev", "eth0", ...flags);
    }
  }

  const command: Lan<H>["command"] = (host, ...argv) => [
    "ip",
    ["netns", "exec", namespace(host), ...argv],
  ];
  return {
    namespace,
    run: (host, ...argv) => run(command(host, ...argv).flat()),
    command,
    inside: host => argv => Promise.resolve(command(host, ...argv).flat()),
    remove: async () => {
      for (const host of ["sw", ...names] as const) await ip("netns", "del", namespace(host));
    },
  };
}

async function removeLeftovers(prefix: string): Promise<void> {
  for (const line of (await ip("netns", "list")).split("\n")) {
    const [name = ""] = line.split(" ");
    const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) await ip("netns", "del", name);
  }
}

function ip(...args: readonly string[]): Promise<string> {
  return run(["ip", ...args]);
}

const CLONE_NEWNET = 0x4000_0000;

/**
 * Makes sockets of this thread from now on belong to a namespace, until the function that is returned
 * is called: how code under test runs on a host and in the test's process at once.
 */
export function enterNamespace(name: string): () => void {
  const home = openSync("/proc/thread-self/ns/net", "r");
  const there = openSync(`/run/netns/${name}`, "r");
  const setns = koffi.load(null).func("int setns(int fd, int kind)");
  const go = (fd: number): void => {
    if (Number(setns(fd, CLONE_NEWNET)) !== 0) throw new Error(`setns: errno ${koffi.errno()}`);
    closeSync(fd);
  };
  go(there);
  return () => {
    go(home);
  };
}
