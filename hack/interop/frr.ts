/** A real FRR router for interop tests. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../process";
import { waitFor } from "../wait";
import { here, startDaemon } from "./daemon";
import type { Daemon, Inside } from "./daemon";
import { unpack } from "./debian";

export type FrrDaemon = "zebra" | "staticd" | "bfdd" | "bgpd";

/** A running router. */
export type Frr = {
  /** What vtysh answers to one or more commands, e.g. `show bgp summary`. */
  ask(...commands: readonly string[]): Promise<string>;
  /** The same for a command that ends in `json`. */
  json<T>(command: string): Promise<T>;
  /** Lines of configuration more, as one would type them after `configure terminal`. */
  configure(lines: string): Promise<void>;
  log(daemon: FrrDaemon): Promise<string>;
  /** Ends one of its daemons without a word, as a crash would. */
  crash(daemon: FrrDaemon): Promise<void>;
  /** Starts it again, with the configuration that the router was started with. */
  revive(daemon: FrrDaemon): Promise<void>;
  stop(): Promise<void>;
};

/** In the order in which they are to start: the others talk to zebra. */
const DAEMONS: readonly FrrDaemon[] = ["zebra", "staticd", "bfdd", "bgpd"];

/**
 * FRR changes to a user of its own and vtysh asks PAM, both of which only an installation brings. So
 * its processes see files of ours in /etc, and only they do.
 */
const MOUNTS =
  'mount --bind "$0/passwd" /etc/passwd && mount --bind "$0/group" /etc/group && mount --bind "$0/pam.d" /etc/pam.d && exec "$@"';

/**
 * Starts zebra, staticd, bfdd and bgpd with this configuration and waits until it is in force.
 *
 * @param inside turns a command into one that runs elsewhere, as in a network namespace
 * @throws Error with FRR's own words when it does not accept the configuration.
 */
export async function startFrr(configuration: string, inside: Inside = here): Promise<Frr> {
  const { root, env } = await unpack("frr", ["frr"]);
  const folder = await mkdtemp(join(tmpdir(), "frr-"));
  const file = (name: string): string => join(folder, name);
  await prepare(root, folder);
  await writeFile(file("frr.conf"), configuration);
  const daemons = new Map<FrrDaemon, Daemon>();
  const mounted = (argv: readonly string[]): readonly string[] => [
    ...["unshare", "--mount", "--propagation", "private", "sh", "-c", MOUNTS, folder],
    ...argv,
  ];

  async function start(name: FrrDaemon): Promise<void> {
    const modules = join(env["LD_LIBRARY_PATH"]?.split(":")[1] ?? "", "modules");
    const argv = [
      ...[join(root, "usr/lib/frr", name), "-A", "127.0.0.1", "-P", "0"],
      ...["--vty_socket", folder, "-z", file("zserv.api"), "-i", file(`${name}.pid`)],
      ...["-f", file("none.conf"), "--log", `file:${file(`${name}.log`)}`, "--moduledir", modules],
      ...(name === "bfdd" ? ["--bfdctl", file("bfdd.sock")] : []),
    ];
    const daemon = await startDaemon(mounted(argv), inside, env);
    daemons.set(name, daemon);
    await waitFor(`${name} to answer`, async () => {
      if (!daemon.isRunning()) return true;
      return (await vtysh(["-d", name, "-c", "show version"])).includes("FRRouting");
    });
    if (!daemon.isRunning()) throw new Error(`${name} does not run: ${daemon.output()}`);
  }

  async function vtysh(args: readonly string[]): Promise<string> {
    const client = [join(root, "usr/bin/vtysh"), "--vty_socket", folder, "--config_dir", folder];
    return run(await inside(mounted([...client, ...args])), env);
  }

  const ask: Frr["ask"] = (...commands) => vtysh(commands.flatMap(command => ["-c", command]));
  const configure = async (path: string): Promise<void> => {
    const answer = await vtysh(["-f", path]);
    // That echo mode may not work by IPv6 is no refusal.
    if (/^% (?!Echo mode works)/m.test(answer))
      throw new Error(`FRR does not accept its configuration: ${answer}`);
  };
  const stop = async (): Promise<void> => {
    await Promise.all([...daemons.values()].map(daemon => daemon.stop()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    for (const name of DAEMONS) await start(name);
    await configure(file("frr.conf"));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ask,
    json: async <T>(command: string) => JSON.parse(await ask(command)) as T,
    configure: async lines => {
      await writeFile(file("more.conf"), lines);
      await configure(file("more.conf"));
    },
    log: name => readFile(file(`${name}.log`), "utf8"),
    crash: async name => daemons.get(name)?.stop("SIGKILL"),
    revive: async name => {
      await start(name);
      await configure(file("frr.conf"));
    },
    stop,
  };
}

async function prepare(root: string, folder: string): Promise<void> {
  const add = async (name: string, lines: string): Promise<void> => {
    await writeFile(join(folder, name), `${await readFile(join("/etc", name), "utf8")}${lines}`);
  };
  await add("passwd", "frr:x:0:0::/:/bin/false\n");
  await add("group", "frr:x:0:\nfrrvty:x:0:\n");
  await mkdir(join(folder, "pam.d"));
  const pam = await readFile(join(root, "etc/pam.d/frr"), "utf8");
  await writeFile(join(folder, "pam.d/frr"), `${pam}\naccount sufficient pam_permit.so\n`);
  for (const name of ["none.conf", "vtysh.conf"]) await writeFile(join(folder, name), "");
}
