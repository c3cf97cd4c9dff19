import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startGobgp } from "../../../hack/interop/gobgp";
import type { Gobgp } from "../../../hack/interop/gobgp";
import { createLan, enterNamespace } from "../../../hack/interop/netns";
import type { Lan } from "../../../hack/interop/netns";
import { settleAll, waitFor } from "../../../hack/wait";
import { createSpeaker } from "../index";
import type { Peer, PeerOptions, Speaker, SpeakerOptions } from "../index";

/** The kernel makes the link-local addresses; `us` and `near` have a cable of their own, too. */
const sysctls = ["net.ipv6.conf.default.accept_dad=0"];
const HOSTS = {
  us: { addresses: ["10.9.0.1/24"], sysctls },
  near: { addresses: ["10.9.0.103/24"], sysctls },
  mid: { addresses: ["10.9.0.200/24", "10.10.0.200/24"], sysctls: ["net.ipv4.ip_forward=1"] },
  far: { addresses: ["10.10.0.103/24"] },
};
const OUR_AS = 64_500;
const GOBGP_AS = 65_103;
const NEAR = { address: "10.9.0.103", as: GOBGP_AS };
const FAR = { address: "10.10.0.103", as: GOBGP_AS };
const OURS = ["192.0.2.1/32", "192.0.2.2/32"];
const OLD = "198.51.100.0/25";
const NEW = "198.51.100.128/25";

type Attribute = { readonly type: number; readonly nexthop?: string };
type Path = { readonly stale?: boolean; readonly attrs: readonly Attribute[] };
type Rib = Readonly<Record<string, readonly Path[]>>;

/** What GoBGP needs a configuration of its own for; its own JSON is the evidence. The rest is in the matrix. */
describe("GoBGP and the speaker", () => {
  let lan: Lan<keyof typeof HOSTS>;
  let gobgp: Gobgp | undefined;
  let speaker: Speaker | undefined;
  let leave: (() => void) | undefined;

  beforeAll(async () => {
    lan = await createLan("bgp-gobgp", HOSTS);
    leave = enterNamespace(lan.namespace("us"));
    await lan.run("us", ..."ip route add 10.10.0.0/24 via 10.9.0.200".split(" "));
    await lan.run("far", ..."ip route add 10.9.0.0/24 via 10.10.0.200".split(" "));
    const there = ["peer", "name", "us0", "netns", lan.namespace("near")];
    await lan.run("us", "ip", "link", "add", "near0", "type", "veth", ...there);
    await lan.run("us", "ip", "link", "set", "near0", "up");
    await lan.run("near", "ip", "link", "set", "us0", "up");
  });

  afterEach(async () => {
    await settleAll([speaker?.stop(), gobgp?.stop()]);
    [speaker, gobgp] = [undefined, undefined];
  });

  afterAll(async () => {
    leave?.();
    await lan.remove();
  });

  async function start(host: "near" | "far", neighbor: string, ...options: string[]) {
    const configuration = `[global.config]\n as = ${GOBGP_AS}\n router-id = "10.9.0.103"\n${neighbor}`;
    gobgp = await startGobgp(configuration, lan.inside(host), options);
    return gobgp;
  }

  function call(options: PeerOptions, more: Partial<SpeakerOptions> = {}): Peer {
    speaker = createSpeaker({ as: OUR_AS, routerId: "10.9.0.1", ...more });
    const timers = { retryTime: 0.5, maxRetryTime: 1, dialTime: 2, holdTime: 9 };
    return speaker.addPeer({ ...timers, ...options });
  }

  const rib = (family = "ipv4"): Promise<Rib> => gobgp!.json<Rib>(`global rib -a ${family}`);
  const until = (what: string, is: () => boolean): Promise<unknown> =>
    waitFor(what, () => Promise.resolve(is()));
  const routes = (peer: Peer): string => [...peer.routes()].map(({ prefix }) => prefix).join();

  it("bgp 78: meet over two hops with a TTL of 2, and not with 1", async () => {
    await start("far", neighborOf("10.9.0.1", MULTIHOP));
    const close = call(FAR);
    await until("a failure", () => close.status().lastError !== undefined);
    await speaker?.stop();
    call({ ...FAR, multihop: 2 }).announce(OURS);
    await waitFor("both routes", async () => {
      const known = await rib();
      return OURS.every(route => route in known);
    });
  });

  it("bgp 70, 71: GoBGP keeps our routes while we restart, and drops those that we say no more", async () => {
    await start("near", neighborOf("10.9.0.1", RESTART));
    const gracefulRestart = { restartTime: 60, isRestarting: false, isForwarding: true };
    const before = call({ ...NEAR, gracefulRestart });
    before.announce(OURS);
    const has = async (what: string, ...stale: readonly (boolean | undefined)[]): Promise<void> => {
      await waitFor(what, async () => {
        const known = await rib();
        return OURS.every((route, at) => known[route]?.[0]?.stale === stale[at]);
      });
    };
    await has("both routes", false, false);
    await speaker?.stop({ isRestart: true });
    await has("both to be stale", true, true);
    const after = call({
      ...NEAR,
      gracefulRestart: { ...gracefulRestart, isRestarting: true },
    });
    after.announce(OURS.slice(0, 1));
    after.complete();
    await has("one that is told again, and not the other", false, undefined);
  });

  it("bgp 71: we keep GoBGP's routes through its crash, until it is back and tells others", async () => {
    const neighbor = neighborOf("10.9.0.1", RESTART);
    const first = await start("near", neighbor);
    await first.ask(`global rib add ${OLD}`);
    const peer = call({
      ...{ ...NEAR, importFilter: () => true },
      gracefulRestart: { restartTime: 60, isRestarting: false, isForwarding: true },
    });
    await until("the route", () => routes(peer) === OLD);
    await first.stop("SIGKILL");
    await until("the end of the session", () => peer.status().state !== "Established");
    expect(routes(peer)).toBe(OLD);
    const second = await start("near", neighbor, "--graceful-restart");
    await second.ask(`global rib add ${NEW}`);
    await until("the other route", () => routes(peer) === NEW);
  });

  it("bgp 43: meet without addresses, and bring routes of both families across", async () => {
    const own = await linkLocal("us", "near0");
    const router = await linkLocal("near", "us0");
    // GoBGP takes its neighbor's address from the kernel, which has to have heard of it.
    await waitFor("a ping", async () => {
      return (await lan.run("near", "ping", "-c", "1", `${own}%us0`)).includes(" 0% packet loss");
    });
    await start("near", UNNUMBERED);
    // It does not advertise itself as a router, so that it has to call.
    const listen = { address: "::", port: 179 };
    const peer = call({ interface: "near0", as: "external" }, { listen });
    peer.announce([...OURS, "2001:db8:1::1/128"]);
    for (const [family, prefix] of [
      ["ipv4", OURS[0]!],
      ["ipv6", "2001:db8:1::1/128"],
    ] as const) {
      const path = await waitFor(prefix, async () => (await rib(family))[prefix]?.[0]);
      expect(path.attrs.find(({ type }) => type === 14 || type === 3)?.nexthop).toBe(own);
    }
    expect(peer.status()).toMatchObject({
      ...{ address: `${router}%near0`, session: { hasIpv4OverIpv6: true, peerAs: GOBGP_AS } },
    });
  });

  async function linkLocal(host: "us" | "near", link: string): Promise<string> {
    const text = await lan.run(host, "ip", "-6", "-j", "addr", "show", "dev", link);
    const [found] = JSON.parse(text) as { addr_info: { local: string }[] }[];
    return found!.addr_info[0]!.local;
  }
});

function neighborOf(address: string, more: string): string {
  return `
[[neighbors]]
  [neighbors.config]
    neighbor-address = "${address}"
    peer-as = ${OUR_AS}
  [neighbors.transport.config]
    passive-mode = true
${more}`;
}
const MULTIHOP = "  [neighbors.ebgp-multihop.config]\n    enabled = true\n    multihop-ttl = 2\n";
const RESTART = `
  [neighbors.graceful-restart.config]
    enabled = true
    restart-time = 60
    deferral-time = 5
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv4-unicast"
    [neighbors.afi-safis.mp-graceful-restart.config]
      enabled = true
`;
const UNNUMBERED = `
[[neighbors]]
  [neighbors.config]
    neighbor-interface = "us0"
    peer-as = ${OUR_AS}
  [neighbors.timers.config]
    connect-retry = 1
    idle-hold-time-after-reset = 1
`;
