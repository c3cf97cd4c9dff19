import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../process";
import { settleAll, waitFor } from "../wait";
import { startBird } from "./bird";
import { EXABGP_API, startExabgp } from "./exabgp";
import type { Exabgp } from "./exabgp";
import { startFrr } from "./frr";
import type { Frr } from "./frr";
import { startGobgp } from "./gobgp";
import { createLan, enterNamespace } from "./netns";
import type { Lan } from "./netns";

const host = (number: number) => ({
  addresses: [`10.9.0.${number}/24`, `fd00:9::${number}/64`],
  sysctls: ["net.ipv6.conf.default.accept_dad=0"],
});
const HOSTS = { frr: host(1), bird: host(2), gobgp: host(3), exabgp: host(4) };

/** The routers that other tests talk to, with each other: what they say themselves is the evidence. */
describe("routers in network namespaces", () => {
  let lan: Lan<keyof typeof HOSTS>;
  let frr: Frr;
  let exabgp: Exabgp;
  const stops: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    lan = await createLan("routers", HOSTS);
    const start = async <R extends { stop(): Promise<void> }>(starting: Promise<R>): Promise<R> => {
      const router = await starting;
      stops.push(() => router.stop());
      return router;
    };
    await settleAll<unknown>([
      start(startFrr(FRR, lan.inside("frr"))).then(router => (frr = router)),
      start(startBird(BIRD, lan.inside("bird"))),
      start(startGobgp(GOBGP, lan.inside("gobgp"))),
      start(startExabgp(EXABGP, lan.inside("exabgp"))).then(router => (exabgp = router)),
    ]);
  });

  afterAll(async () => {
    await settleAll(stops.map(stop => stop()));
    await lan.remove();
  });

  it("have sessions and routes with FRR as their hub", async () => {
    const summary = await waitFor("three sessions", async () => {
      const { ipv4Unicast } = await frr.json<Summary>("show bgp summary json");
      const peers = Object.entries(ipv4Unicast.peers);
      return peers.length === 3 && peers.every(([, { state }]) => state === "Established") && peers;
    });
    expect(summary.map(([address]) => address).sort()).toEqual([
      "10.9.0.2",
      "10.9.0.3",
      "10.9.0.4",
    ]);
    const states = (await exabgp.events()).map(({ neighbor }) => neighbor.state);
    expect(states).toContain("up");
    for (const prefix of ["192.0.2.2/32", "192.0.2.4/32"]) {
      await waitFor(prefix, async () => (await frr.ask("show bgp ipv4 unicast")).includes(prefix));
    }
  });

  it("crash and come back one daemon at a time", async () => {
    await frr.crash("bgpd");
    await frr.revive("bgpd");
    await frr.configure("router bgp 65001\n neighbor 10.9.0.99 remote-as 65099\n");
    const { ipv4Unicast } = await frr.json<Summary>("show bgp summary json");
    expect(Object.keys(ipv4Unicast.peers)).toContain("10.9.0.99");
  });

  it("say why they do not accept a configuration", async () => {
    await expect(startBird("protocol nonsense;", lan.inside("bird"))).rejects.toThrow(/syntax/);
    await expect(frr.configure("router nonsense\n")).rejects.toThrow(/nonsense|Unknown command/);
    await expect(startGobgp("[global", lan.inside("exabgp"))).rejects.toThrow(/does not run/);
  });

  it("can be joined by this process", async () => {
    const leave = enterNamespace(lan.namespace("frr"));
    const inside = await lan.run("sw", "true").then(() => readAddresses());
    leave();
    expect(inside).toContain("10.9.0.1/24");
    expect(await readAddresses()).not.toContain("10.9.0.1/24");
  });
});

type Summary = {
  readonly ipv4Unicast: { readonly peers: Readonly<Record<string, { readonly state: string }>> };
};

async function readAddresses(): Promise<string> {
  return run(["ip", "-4", "addr"]);
}

const FRR = `
router bgp 65001
 bgp router-id 10.9.0.1
 no bgp ebgp-requires-policy
 neighbor LAN peer-group
 neighbor LAN remote-as external
 bgp listen range 10.9.0.0/24 peer-group LAN
`;
const BIRD = `
router id 10.9.0.2;
protocol device { }
protocol static { ipv4; route 192.0.2.2/32 unreachable; }
protocol bgp hub {
  local 10.9.0.2 as 65002; neighbor 10.9.0.1 as 65001;
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  ipv4 { import all; export all; next hop self; };
}`;
const GOBGP = `
[global.config]
  as = 65003
  router-id = "10.9.0.3"
[[neighbors]]
  [neighbors.config]
    neighbor-address = "10.9.0.1"
    peer-as = 65001
  [neighbors.timers.config]
    connect-retry = 1
`;
const EXABGP = `
neighbor 10.9.0.1 {
  router-id 10.9.0.4; local-address 10.9.0.4; local-as 65004; peer-as 65001;
  family { ipv4 unicast; }
  ${EXABGP_API}
  static { route 192.0.2.4/32 next-hop self; }
}`;
