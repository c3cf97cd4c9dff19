import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBird } from "../../../hack/interop/bird";
import type { Bird } from "../../../hack/interop/bird";
import { startFrr } from "../../../hack/interop/frr";
import type { Frr } from "../../../hack/interop/frr";
import { createLan } from "../../../hack/interop/netns";
import type { Lan } from "../../../hack/interop/netns";
import { startTogether } from "../../../hack/interop/together";
import { endChild } from "../../../hack/process";
import { inRepo } from "../../../hack/repo";
import { settleAll, waitFor } from "../../../hack/wait";

const host = (number: number) => ({ addresses: [`10.9.0.${number}/24`] });
const HOSTS = { us: host(1), frr: host(101), bird: host(102) };
const ROUTES = ["192.0.2.1/32", "192.0.2.2/32"];

/** `bgp-ts speak` as a process that comes and goes; the routers' own tables are the evidence. */
describe.each([2, 3] as const)("bgp-ts speak (BIRD %i)", version => {
  let lan: Lan<keyof typeof HOSTS>;
  let frr: Frr;
  let bird: Bird;
  let folder: string;
  let child: ChildProcess | undefined;
  let lines: string[];
  const stops: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    lan = await createLan(`bgp-restart${version}`, HOSTS);
    folder = await mkdtemp(join(tmpdir(), "bgp-ts-"));
    ({ frr, bird } = await startTogether(
      {
        frr: startFrr(FRR, lan.inside("frr")),
        bird: startBird(BIRD, lan.inside("bird"), version),
      },
      stops,
    ));
  });

  afterAll(async () => {
    await end("SIGKILL");
    await settleAll(stops.map(stop => stop()));
    await rm(folder, { recursive: true, force: true });
    await lan.remove();
  });

  async function start(prefixes: readonly string[], isRestarting = false): Promise<void> {
    const gracefulRestart = { restartTime: 60, isRestarting, isForwarding: true };
    const peer = { gracefulRestart, holdTime: 9, retryTime: 0.5, maxRetryTime: 1 };
    const peers = [
      { ...peer, address: "10.9.0.101", as: 65_101 },
      { ...peer, address: "10.9.0.102", as: 65_102 },
    ];
    const config = { as: 64_500, routerId: "10.9.0.1", peers, routes: [{ prefixes }] };
    await writeFile(join(folder, "config.json"), JSON.stringify(config));
    const [file, args] = lan.command(
      ...(["us", "node", "--import", "tsx", inRepo("capabilities/bgp/cli/main.ts")] as const),
      ...["speak", "--config", join(folder, "config.json")],
    );
    lines = [];
    child = spawn(file, [...args], { cwd: inRepo("."), stdio: ["ignore", "pipe", "inherit"] });
    child.stdout?.on("data", (chunk: Buffer) => lines.push(...chunk.toString().trim().split("\n")));
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (child) await endChild(child, signal);
  }

  const frrTable = async (): Promise<readonly string[]> => {
    const { routes } = await frr.json<{ routes: Record<string, unknown> }>(
      "show bgp ipv4 unicast json",
    );
    return Object.keys(routes).sort();
  };
  const birdTable = async (): Promise<readonly string[]> => {
    const text = await bird.ask("show route");
    return [...text.matchAll(/^(192\.0\.2\.\d+\/32)/gm)].map(([, prefix = ""]) => prefix).sort();
  };
  const bothHave = (prefixes: readonly string[]): Promise<unknown> =>
    waitFor(`both to have ${prefixes.join(" ")}`, async () => {
      const tables = await Promise.all([frrTable(), birdTable()]);
      return tables.every(table => table.join() === prefixes.join());
    });

  it("announces what its file says, and prints what happens", async () => {
    await start(ROUTES);
    await bothHave(ROUTES);
    await waitFor("both events", () => Promise.resolve(lines.length >= 2));
    expect(lines.map(line => JSON.parse(line) as object)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ event: "up", peer: "10.9.0.101", peerAs: 65_101, holdTime: 9 }),
        expect.objectContaining({ event: "up", peer: "10.9.0.102", peerAs: 65_102 }),
      ]),
    );
  });

  it.each(["SIGKILL", "SIGHUP"] as const)(
    "bgp 70, 71: leaves its routes with FRR and BIRD over a restart after %s",
    async signal => {
      await end(signal);
      const isDown = async (): Promise<boolean> =>
        !(await bird.ask("show protocols node")).includes("Established") &&
        !(await frr.ask("show bgp neighbors 10.9.0.1")).includes("BGP state = Established");
      await waitFor("both sessions to be over", isDown);
      expect(await frrTable()).toEqual(ROUTES);
      expect(await birdTable()).toEqual(ROUTES);
      await start(ROUTES.slice(1), true);
      await bothHave(ROUTES.slice(1));
      await end("SIGTERM");
      await bothHave([]);
      await start(ROUTES);
      await bothHave(ROUTES);
    },
  );

  it("bgp 74: takes its routes back when it is told to stop, and says why", async () => {
    await end("SIGTERM");
    await bothHave([]);
    const log = await bird.log();
    expect(log).toMatch(/Received: .*(Hard reset|Administrative shutdown)/i);
  });

  it("says what is wrong with its file", async () => {
    await writeFile(join(folder, "config.json"), '{ "as": 0 }');
    const main = ["--import", "tsx", inRepo("capabilities/bgp/cli/main.ts"), "speak", "--config"];
    await expect(lan.run("us", "node", ...main, join(folder, "config.json"))).rejects.toThrow(
      /exited with 2[^]*as: /,
    );
  });
});

const FRR = `
router bgp 65101
 bgp router-id 10.9.0.101
 no bgp ebgp-requires-policy
 bgp graceful-restart
 neighbor 10.9.0.1 remote-as 64500
 neighbor 10.9.0.1 passive
 neighbor 10.9.0.1 timers 3 9
`;
const BIRD = `
router id 10.9.0.102;
protocol device { }
protocol bgp node {
  local 10.9.0.102 as 65102; neighbor 10.9.0.1 as 64500; passive on;
  connect delay time 1; connect retry time 2; error wait time 1, 2; hold time 9;
  graceful restart on;
  ipv4 { import all; export none; };
}`;
