/** Those who are compared, each as a process that is given its prefixes before any session can come up. */
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { here, startDaemon } from "../../hack/interop/daemon";
import type { Daemon } from "../../hack/interop/daemon";
import { run } from "../../hack/process";
import { inRepo } from "../../hack/repo";
import { waitFor } from "../../hack/wait";
import { announcerAddress, announcerAs, prefixAt, receiverAs } from "./load";
import type { Load } from "./load";
import { birds, trixieRoot } from "./trixie";

/** A process that has all prefixes and keeps dialling. */
export type Announcer = { readonly pid: number; stop(): Promise<void> };

export type StartAnnouncer = (load: Load) => Promise<Announcer>;

/**
 * BIRD with static routes. Its timers are the shortest that it takes, so that nobody waits for a second attempt.
 */
export function bird(version: keyof typeof birds): StartAnnouncer {
  return async load => {
    const root = await trixieRoot();
    const folder = await mkdtemp(join(root, "tmp/bird-"));
    const inside = (name: string): string => join(folder.slice(root.length), name);
    await writeFile(join(folder, "bird.conf"), birdConfiguration(load));
    const argv = [
      ...["chroot", root, birds[version], "-f", "-c", inside("bird.conf")],
      ...["-s", inside("ctl"), "-P", inside("pid")],
    ];
    const daemon = await startDaemon(argv, here);
    const client = ["chroot", root, birds[version].replace(/bird$/, "birdc"), "-s", inside("ctl")];
    await waitFor(`${version} to have its routes`, async () => {
      mustRun(version, daemon);
      return (await run([...client, "show", "route", "count"])).includes(`${load.prefixes} of`);
    });
    return {
      pid: daemon.pid,
      stop: async () => {
        await daemon.stop();
        await rm(folder, { recursive: true });
      },
    };
  };
}

function birdConfiguration({ prefixes, peers, port }: Load): string {
  const routes = Array.from({ length: prefixes }, (_, i) => `route ${prefixAt(i)} blackhole;`);
  const sessions = peers.map(
    (peer, i) => `protocol bgp p${i} {
      local ${announcerAddress} as ${announcerAs};
      neighbor ${peer} port ${port} as ${receiverAs};
      multihop; connect delay time 1; connect retry time 1; error wait time 1, 1;
      ipv4 { import none; export all; next hop self; };
    }`,
  );
  return `router id ${announcerAddress};
    protocol device { }
    protocol static { ipv4; ${routes.join("\n")} }
    ${sessions.join("\n")}`;
}

/** GoBGP as a library, which is how MetalLB's kind of program uses it. */
export const gobgp: StartAnnouncer = async ({ prefixes, peers, port }) => {
  const program = await buildGobgp();
  const daemon = await startDaemon([program, String(prefixes), String(port), ...peers], here);
  await waitFor("GoBGP to have its routes", () => {
    mustRun("GoBGP", daemon);
    return Promise.resolve(daemon.output().includes("ready"));
  });
  return { pid: daemon.pid, stop: () => daemon.stop() };
};

async function buildGobgp(): Promise<string> {
  const program = inRepo(".cache/bench/gobgp-announcer");
  if (!existsSync(program)) {
    await run(["go", "-C", inRepo("bench/bgp/gobgp"), "build", "-o", program, "."]);
  }
  return program;
}

function mustRun(name: string, daemon: Daemon): void {
  if (!daemon.isRunning()) throw new Error(`${name} does not run: ${daemon.output()}`);
}
