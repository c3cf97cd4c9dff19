import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startBird } from "../../../hack/interop/bird";
import type { Bird } from "../../../hack/interop/bird";
import { startFrr } from "../../../hack/interop/frr";
import type { Frr } from "../../../hack/interop/frr";
import { createLan, enterNamespace } from "../../../hack/interop/netns";
import type { Lan } from "../../../hack/interop/netns";
import { settleAll, waitFor } from "../../../hack/wait";
import type { BgpPeer } from "../../config/bgp/peer";
import { createSessions } from "../bgp/sessions";
import type { BgpSessions, SessionNews } from "../bgp/sessions";
import { node } from "../fixtures";

const sysctls = ["net.ipv6.conf.default.accept_dad=0"];
const host = (number: number) => ({
  addresses: [`10.9.0.${number}/24`, `fd00:9::${number}/64`],
  sysctls,
});
const HOSTS = {
  us: host(1),
  tor: host(101),
  mid: {
    addresses: ["10.9.0.200/24", "10.10.0.200/24"],
    sysctls: [...sysctls, "net.ipv4.ip_forward=1"],
  },
  far: { addresses: ["10.10.0.1/24"], sysctls },
};
const ME = node("n1", { addresses: ["10.9.0.1", "fd00:9::1"] });
const V4 = "192.0.2.1/32";
const V6 = "2001:db8:1::1/128";
const silent = { debug: () => undefined, info: () => undefined };
const log = { ...silent, warn: () => undefined, error: () => undefined };

/** What fields of a BGPPeer mean to real routers, whose own tables are the evidence. */
describe("the sessions that a BGPPeer asks for", () => {
  let lan: Lan<keyof typeof HOSTS>;
  let frr: Frr;
  let far: Bird;
  let sessions: BgpSessions | undefined;
  let news: SessionNews[];
  let leave: () => void;
  const stops: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    lan = await createLan("bgp-peers", HOSTS);
    leave = enterNamespace(lan.namespace("us"));
    await lan.run("us", "ip", "route", "add", "10.10.0.0/24", "via", "10.9.0.200");
    await lan.run("far", "ip", "route", "add", "10.9.0.0/24", "via", "10.10.0.200");
    frr = await startFrr(FRR, lan.inside("tor"));
    stops.push(() => frr.stop());
    far = await startBird(BIRD, lan.inside("far"));
    stops.push(() => far.stop());
  });

  afterAll(async () => {
    await sessions?.stop("the tests are over");
    await settleAll(stops.map(stop => stop()));
    leave();
    await lan.remove();
  });

  beforeEach(async () => {
    await sessions?.stop("the test is over");
    sessions = undefined;
    news = [];
  });

  function apply(
    over: Partial<BgpPeer>,
    prefixes: readonly string[] = [V4],
    communities: readonly string[] = [],
  ): void {
    const peer: BgpPeer = {
      ...{ name: "tor", myAsn: 64_500, peerAsn: 65_101, address: "10.9.0.101", port: 179 },
      ...{ holdTime: 9, families: ["ipv4", "ipv6"], nodeSelectors: [], ...over },
    };
    sessions ??= createSessions({ log, onNews: one => news.push(one) });
    const routes = new Map(prefixes.map(prefix => [prefix, { communities }]));
    sessions.apply([{ peer, routes, carried: new Set() }], ME);
  }

  type Path = { readonly stale?: boolean; readonly nexthops: readonly { readonly ip: string }[] };
  const paths = async (prefix: string): Promise<readonly Path[]> => {
    const family = prefix.includes(":") ? "ipv6" : "ipv4";
    const command = `show bgp ${family} unicast ${prefix} json`;
    return (await frr.json<{ paths?: readonly Path[] }>(command)).paths ?? [];
  };
  const has = (prefix: string, what: (path: Path) => boolean): Promise<unknown> =>
    waitFor(`${prefix} at FRR`, async () => (await paths(prefix)).some(what));
  const gone = (prefix: string): Promise<unknown> =>
    waitFor(`no ${prefix} at FRR`, async () => (await paths(prefix)).length === 0);
  const failure = (): string =>
    news.flatMap(({ change }) => (change.type === "down" ? change.reason : [])).join("; ");

  it("keep the routes over a restart, also at a router that knows its neighbors by their network", async () => {
    apply({ hasGracefulRestart: true }, [V4, "192.0.2.2/32"]);
    await has(V4, ({ stale }) => stale !== true);
    await sessions?.stop("a restart", { isRestart: true });
    await has(V4, ({ stale }) => stale === true);
    sessions = undefined;
    apply({ hasGracefulRestart: true });
    await has(V4, ({ stale }) => stale !== true);
    await gone("192.0.2.2/32");
  });

  it("come back after an edit, though FRR knows its neighbors by their network only", async () => {
    for (const holdTime of [9, 12, 15]) {
      apply({ holdTime });
      await has(V4, () => true);
      await waitFor(`hold time ${holdTime}`, async () =>
        (await frr.ask("show bgp neighbors 10.9.0.1 json")).includes(
          `"bgpTimerHoldTimeMsecs":${holdTime}000`,
        ),
      );
    }
  });

  it("are never new ones for other routes: a hundred edits, and a thousand Services at once", async () => {
    type Stats = {
      readonly connectionsDropped: number;
      readonly messageStats: { readonly updatesRecv: number };
    };
    const stats = async (): Promise<Stats> => {
      const answer = await frr.json<Record<string, Stats>>("show bgp neighbors 10.9.0.1 json");
      return answer["10.9.0.1"]!;
    };
    apply({});
    await has(V4, () => true);
    const { connectionsDropped } = await stats();
    for (let edit = 1; edit <= 100; edit += 1) {
      apply({}, [V4], [`64500:${edit}`]);
      await new Promise(setImmediate);
    }
    await waitFor("the last edit", async () =>
      (await frr.ask(`show bgp ipv4 unicast ${V4} json`)).includes("64500:100"),
    );
    const before = (await stats()).messageStats.updatesRecv;
    const thousand = Array.from({ length: 1000 }, (_, n) => `198.18.${n >> 8}.${n & 255}/32`);
    apply({}, [V4, ...thousand], ["64500:100"]);
    await has(thousand[999]!, () => true);
    const after = await stats();
    // 4096 octets hold about 810 addresses.
    expect(after.messageStats.updatesRecv - before).toBe(2);
    expect(after.connectionsDropped).toBe(connectionsDropped);
  });

  it("are on the device that is named as the VRF, or none", async () => {
    apply({ vrf: "lo" });
    await waitFor("a failure", () => Promise.resolve(failure() !== ""));
    expect(await paths(V4)).toEqual([]);
    apply({ vrf: "eth0" });
    await has(V4, () => true);
  });

  it("reach a router of another AS that is a hop away with ebgpMultiHop, and say so without it", async () => {
    const there = { address: "10.10.0.1", peerAsn: 65_102 };
    apply(there);
    await waitFor("a failure", () =>
      Promise.resolve(failure().includes("needs ebgpMultiHop: true")),
    );
    apply({ ...there, isMultihop: true });
    await waitFor("the route at BIRD", async () =>
      (await far.ask(`show route ${V4}`)).includes("10.9.0.1"),
    );
  });

  it("are with the router on an interface, whatever its addresses are", async () => {
    apply({ address: "", interface: "eth0", peerAsn: "external" }, [V4, V6]);
    const isLinkLocal = ({ nexthops }: Path): boolean =>
      nexthops.every(({ ip }) => ip.startsWith("fe80:"));
    await has(V4, isLinkLocal);
    await has(V6, isLinkLocal);
  });
});

/** Helps neighbors that restart, as it does by default. */
const FRR = `
interface eth0
 ipv6 nd ra-interval 1
 no ipv6 nd suppress-ra
exit
router bgp 65101
 bgp router-id 10.9.0.101
 no bgp ebgp-requires-policy
 neighbor nodes peer-group
 neighbor nodes remote-as external
 bgp listen range 10.9.0.0/24 peer-group nodes
 neighbor eth0 interface remote-as external
 neighbor eth0 capability extended-nexthop
 neighbor eth0 timers connect 1
 address-family ipv6 unicast
  neighbor nodes activate
  neighbor eth0 activate
 exit-address-family
`;
const BIRD = `
router id 10.10.0.1;
protocol device { }
protocol bgp node {
  local 10.10.0.1 as 65102; neighbor 10.9.0.1 as 64500; multihop 2; passive on;
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  ipv4 { import all; export none; };
}`;
