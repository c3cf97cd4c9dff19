import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBird } from "../../../hack/interop/bird";
import type { Bird } from "../../../hack/interop/bird";
import { startFrr } from "../../../hack/interop/frr";
import type { Frr } from "../../../hack/interop/frr";
import { createLan, enterNamespace } from "../../../hack/interop/netns";
import type { Lan } from "../../../hack/interop/netns";
import { startTogether } from "../../../hack/interop/together";
import { settleAll, waitFor } from "../../../hack/wait";
import { createSpeaker } from "../index";
import type { Peer, PeerOptions, Speaker } from "../index";

const OUR_AS = 64_500;
const V4 = "192.0.2.1/32";
const V6 = "2001:db8:1::1/128";
/** No address but the link-local ones that the kernel makes. */
const host = { addresses: [], sysctls: ["net.ipv6.conf.default.accept_dad=0"] };
const HOSTS = { us: host, frr: host, bird: host };

/**
 * Sessions over links that have no addresses. Each router is at the other end of a link of its own, and all of them
 * find each other by router advertisements. The test's process is on the host `us`.
 */
describe.each([2, 3] as const)("without addresses (BIRD %i) the speaker and", version => {
  let lan: Lan<keyof typeof HOSTS>;
  let frr: Frr;
  let bird: Bird;
  let speaker: Speaker | undefined;
  let leave: (() => void) | undefined;
  const stops: (() => Promise<void>)[] = [];
  let peers: Readonly<Record<"frr" | "bird", Peer>>;

  /** A cable between us and a router, `NAME0` here and `us0` there. */
  async function connect(router: "frr" | "bird"): Promise<void> {
    const there = ["peer", "name", "us0", "netns", lan.namespace(router)];
    await lan.run("us", "ip", "link", "add", `${router}0`, "type", "veth", ...there);
    await lan.run("us", "ip", "link", "set", `${router}0`, "up");
    await lan.run(router, "ip", "link", "set", "us0", "up");
  }

  const add = (ours: Speaker, over: PeerOptions): Peer => {
    const peer = ours.addPeer({ ...{ retryTime: 0.5, maxRetryTime: 1, holdTime: 9 }, ...over });
    peer.announce([V4, V6], { communities: ["64500:7"] });
    return peer;
  };

  beforeAll(async () => {
    lan = await createLan(`bgp-unnum${version}`, HOSTS);
    await connect("frr");
    await connect("bird");
    leave = enterNamespace(lan.namespace("us"));
    const ours = createSpeaker({
      ...{ as: OUR_AS, routerId: "10.9.0.1" },
      listen: { address: "::", port: 179 },
    });
    speaker = ours;
    await ours.listening();
    peers = {
      frr: add(ours, { interface: "frr0", as: "external" }),
      bird: add(ours, { interface: "bird0", as: 65_102 }),
    };
    ({ frr, bird } = await startTogether(
      {
        frr: startFrr(FRR, lan.inside("frr")),
        bird: startBird(BIRD, lan.inside("bird"), version),
      },
      stops,
    ));
  });

  afterAll(async () => {
    await speaker?.stop();
    await settleAll(stops.map(stop => stop()));
    leave?.();
    await lan.remove();
  });

  const ownAddress = async (link: string): Promise<string> => {
    const text = await lan.run("us", "ip", "-6", "-j", "addr", "show", "dev", link);
    const [found] = JSON.parse(text) as { addr_info: { local: string }[] }[];
    return found!.addr_info[0]!.local;
  };

  it("bgp 43: FRR bring routes of both families across, with our link-local address as next hop", async () => {
    type Path = {
      readonly valid: boolean;
      readonly nexthops: readonly { readonly ip: string; readonly accessible: boolean }[];
    };
    const own = await ownAddress("frr0");
    for (const [family, prefix] of [
      ["ipv4", V4],
      ["ipv6", V6],
    ] as const) {
      const path = await waitFor(`${prefix} at FRR`, async () => {
        const command = `show bgp ${family} unicast ${prefix} json`;
        const { paths = [] } = await frr.json<{ paths?: readonly Path[] }>(command);
        return paths[0] ?? false;
      });
      expect(path.valid).toBe(true);
      for (const { ip, accessible } of path.nexthops) {
        expect({ ip, accessible }).toEqual({ ip: own, accessible: true });
      }
    }
    // What FRR makes of it is a route that its kernel can use.
    await waitFor("the kernel's route", async () =>
      (await lan.run("frr", "ip", "route", "show", V4)).includes(`via inet6 ${own} dev us0`),
    );
    expect(peers.frr.status()).toMatchObject({
      ...{ state: "Established", session: { hasIpv4OverIpv6: true, peerAs: 65_101 } },
      address: expect.stringMatching(/^fe80::.*%frr0$/) as unknown,
    });
  });

  it("bgp 43: BIRD do the same", async () => {
    const own = await ownAddress("bird0");
    for (const prefix of [V4, V6]) {
      const route = await waitFor(`${prefix} at BIRD`, async () => {
        const answer = await bird.ask(`show route ${prefix} all`);
        return answer.includes("BGP.next_hop") && answer;
      });
      expect(route).toMatch(new RegExp(`BGP\\.next_hop: .*${own}`));
      expect(route).toMatch(/via fe80::\S+ on us0/);
    }
  });

  it("come together again when the link was away", async () => {
    const isUp = (peer: Peer): boolean => peer.status().state === "Established";
    await lan.run("us", "ip", "link", "set", "frr0", "down");
    await waitFor("the end of the session", () => Promise.resolve(!isUp(peers.frr)), 30_000);
    expect(isUp(peers.bird)).toBe(true);
    await lan.run("us", "ip", "link", "set", "frr0", "up");
    await waitFor("the session again", () => Promise.resolve(isUp(peers.frr)), 60_000);
    await waitFor("the route again", async () =>
      (await lan.run("frr", "ip", "route", "show", V4)).includes("via inet6"),
    );
  });
});

const FRR = `
interface us0
 no ipv6 nd suppress-ra
 ipv6 nd ra-interval 1
exit
router bgp 65101
 bgp router-id 10.9.0.101
 no bgp ebgp-requires-policy
 neighbor us0 interface remote-as external
 neighbor us0 timers 3 9
 neighbor us0 timers connect 1
 neighbor us0 capability extended-nexthop
 address-family ipv6 unicast
  neighbor us0 activate
 exit-address-family
`;
const BIRD = `
router id 10.9.0.102;
protocol device { }
protocol radv { interface "us0" { max ra interval 4; min ra interval 3; }; }
protocol bgp node {
  local as 65102; interface "us0"; neighbor range fe80::/10 as 64500; dynamic name "node";
  connect delay time 1; connect retry time 1; error wait time 1, 2; hold time 9;
  ipv4 { import all; export none; extended next hop on; };
  ipv6 { import all; export none; };
}`;
