/** Those who are compared, each as a process that is given its prefixes before any session can come up. */
import { existsSync } from "node:fs";
import { startBird } from "../../hack/interop/bird";
import type { BirdVersion } from "../../hack/interop/bird";
import { here, startDaemon } from "../../hack/interop/daemon";
import { run } from "../../hack/process";
import { inRepo } from "../../hack/repo";
import { waitFor } from "../../hack/wait";
import { announcerAddress, announcerAs, prefixAt, receiverAs } from "./load";
import type { Load } from "./load";

/** A process that has all prefixes and keeps dialling. */
export type Announcer = { readonly pid: number; stop(): Promise<void> };

export type StartAnnouncer = (load: Load) => Promise<Announcer>;

/**
 * BIRD with static routes. Its timers are the shortest that it takes, so that nobody waits for a second attempt.
 */
export function bird(version: BirdVersion): StartAnnouncer {
  return async load => {
    const daemon = await startBird(birdConfiguration(load), here, version);
    await waitFor(`BIRD ${version} to have its routes`, async () =>
      (await daemon.ask("show route count")).includes(`${load.prefixes} of`),
    );
    return daemon;
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
    if (!daemon.isRunning()) throw new Error(`GoBGP does not run: ${daemon.output()}`);
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
