import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BgpAd } from "../../config/bgp/advertisement";
import type { BgpPeer } from "../../config/bgp/peer";
import type { Config } from "../../config/config";
import type { RouteAttributes } from "../../bgp/index";
import type { ServiceFacts } from "../facts";
import { LAN, localService, node, service } from "../fixtures";
import { withoutRivals } from "./rivals";
import { advertisedAddresses, wantedPeers } from "./routes";
import type { RouteInput } from "./routes";

const router: BgpPeer = {
  name: "router",
  myAsn: 64500,
  peerAsn: 64501,
  address: "10.0.0.1",
  port: 179,
  holdTime: 90,
  families: ["ipv4", "ipv6"],
  nodeSelectors: [],
};
const peer = (name: string, over: Partial<BgpPeer> = {}): BgpPeer => ({
  ...{ ...router, name, address: `10.0.0.${name.length}` },
  ...over,
});
const ad = (name: string, over: Partial<BgpAd> = {}): BgpAd => ({
  name,
  pools: ["lan"],
  aggregationLength: { ipv4: 32, ipv6: 128 },
  ...{ communities: [], largeCommunities: [], peers: [], nodeSelectors: [], serviceSelectors: [] },
  weighsEndpoints: false,
  ...over,
});
const config = (over: Partial<Config> = {}): Config => ({
  ...LAN,
  l2Ads: [],
  bgpPeers: [router],
  bgpAds: [ad("all")],
  ...over,
});
const web = service("web", ["10.20.30.1"]);
const onNode = (name: string): readonly { matchLabels: { name: string } }[] => [
  { matchLabels: { name } },
];

/** Prefixes by peer, as this node advertises them. */
function prefixes(over: Partial<RouteInput> = {}): Record<string, readonly string[]> {
  return Object.fromEntries(
    wanted(over).map(({ peer: { name }, routes }) => [name, [...routes.keys()]]),
  );
}

function wanted(over: Partial<RouteInput> = {}): ReturnType<typeof wantedPeers> {
  return wantedPeers({
    ...{ config: config(), services: [web], me: node("iris1"), ignoreExcludeLabel: false },
    ...over,
  });
}

describe("what a node advertises", () => {
  it("metallb 133: is nothing without Services, over a session", () => {
    expect(prefixes({ services: [] })).toEqual({ router: [] });
    expect(wanted({ me: undefined })).toEqual([]);
  });

  it("metallb 135: is each address for Cluster, and for Local where an endpoint is", () => {
    const remote = localService("web", ["10.20.30.1"], ["iris2"]);
    const here = localService("web", ["10.20.30.1"], ["iris1", "iris2"]);
    expect(prefixes()).toEqual({ router: ["10.20.30.1/32"] });
    expect(prefixes({ services: [remote] })).toEqual({ router: [] });
    expect(prefixes({ services: [here] })).toEqual({ router: ["10.20.30.1/32"] });
  });

  it("metallb 136: is nothing of a Service without an endpoint that serves", () => {
    expect(prefixes({ services: [{ ...web, hasEndpoint: false }] })).toEqual({ router: [] });
  });

  it("metallb 137: is a route for each advertisement, with its own attributes", () => {
    const bgpAds = [
      ad("a", { localPref: 100, communities: ["0:2345", "0:1234"] }),
      ad("b", { aggregationLength: { ipv4: 24, ipv6: 64 }, localPref: 1000 }),
    ];
    const [one] = wanted({ config: config({ bgpAds }) });
    expect([...(one?.routes ?? [])]).toEqual([
      [
        "10.20.30.1/32",
        { localPref: 100, communities: ["0:1234", "0:2345"], largeCommunities: [] },
      ],
      ["10.20.30.0/24", { localPref: 1000, communities: [], largeCommunities: [] }],
    ]);
  });

  it("joins communities where advertisements give the same prefix, and takes the first local preference", () => {
    const bgpAds = [
      ad("a", { communities: ["0:2"] }),
      ad("b", { communities: ["0:1", "0:2"], largeCommunities: ["1:2:3"], localPref: 7 }),
      ad("c", { localPref: 8 }),
    ];
    expect(wanted({ config: config({ bgpAds }) })[0]?.routes.get("10.20.30.1/32")).toEqual({
      localPref: 7,
      communities: ["0:1", "0:2"],
      largeCommunities: ["1:2:3"],
    });
  });

  it("metallb 138: goes by the nodes and peers of the advertisement (bgp 51)", () => {
    const bgpPeers = [peer("peer1"), peer("peer2", { address: "10.0.1.2" })];
    const elsewhere = [ad("x", { nodeSelectors: onNode("iris2") })];
    const first = [ad("x", { peers: ["peer1"] })];
    expect(prefixes({ config: config({ bgpPeers, bgpAds: elsewhere }) })).toEqual({
      peer1: [],
      peer2: [],
    });
    expect(prefixes({ config: config({ bgpPeers, bgpAds: first }) })).toEqual({
      peer1: ["10.20.30.1/32"],
      peer2: [],
    });
  });

  it("metallb 139: goes to all peers; a shared address is one route until its last user goes", () => {
    const bgpPeers = [peer("peer1"), peer("peer2", { address: "10.0.1.2" })];
    const sharer = service("api", ["10.20.30.1"]);
    for (const services of [[web, sharer], [web], [sharer]]) {
      expect(prefixes({ services, config: config({ bgpPeers }) })).toEqual({
        peer1: ["10.20.30.1/32"],
        peer2: ["10.20.30.1/32"],
      });
    }
  });

  it("metallb 141: goes to peers whose selectors match the node, any of several", () => {
    const bgpPeers = [
      peer("here", { nodeSelectors: [...onNode("iris9"), ...onNode("iris1")] }),
      peer("there", { nodeSelectors: onNode("iris2") }),
    ];
    expect(prefixes({ config: config({ bgpPeers }) })).toEqual({ here: ["10.20.30.1/32"] });
  });

  it("metallb 50: goes to a router once, though two peers of the node are that router", () => {
    const bgpPeers = [
      peer("a", { address: "10.0.0.1" }),
      peer("b", { address: "10.0.0.1" }),
      peer("c", { address: "10.0.0.1", nodeSelectors: onNode("iris2") }),
      peer("d", { address: "10.0.0.1", port: 1179 }),
    ];
    expect(Object.keys(prefixes({ config: config({ bgpPeers }) }))).toEqual(["a", "d"]);
    expect(withoutRivals(bgpPeers, "ns").errors).toMatchObject([
      { object: "BGPPeer ns/b", problem: "is the router of BGPPeer a, too, on the same nodes" },
      { object: "BGPPeer ns/c" },
    ]);
  });

  it("metallb 142: is nothing from a node with the exclude label, unless that is ignored", () => {
    const labels = { "node.kubernetes.io/exclude-from-external-load-balancers": "" };
    const me = node("iris1", { labels });
    const local = localService("web", ["10.20.30.1"], ["iris1"]);
    for (const services of [[web], [local]]) {
      expect(prefixes({ me, services })).toEqual({ router: [] });
      expect(prefixes({ me, services, ignoreExcludeLabel: true })).toEqual({
        router: ["10.20.30.1/32"],
      });
    }
  });

  it("is nothing from a node without network, and nothing of addresses outside the pools", () => {
    expect(prefixes({ me: node("iris1", { isNetworkUnavailable: true }) })).toEqual({ router: [] });
    expect(prefixes({ services: [service("web", ["192.0.2.1"])] })).toEqual({ router: [] });
  });

  it("has the families of the session only", () => {
    const dual = service("web", ["10.20.30.1", "fd00::1"]);
    const bgpPeers = [peer("four", { families: ["ipv4"] }), peer("families")];
    expect(prefixes({ services: [dual], config: config({ bgpPeers }) })).toEqual({
      four: ["10.20.30.1/32"],
      families: ["10.20.30.1/32", "fd00::1/128"],
    });
  });

  it("is chosen by the labels of Services", () => {
    const bgpAds = [ad("x", { serviceSelectors: [{ matchLabels: { tier: "front" } }] })];
    const front = service("front", ["10.20.30.2"], { labels: { tier: "front" } });
    expect(prefixes({ services: [web, front], config: config({ bgpAds }) })).toEqual({
      router: ["10.20.30.2/32"],
    });
    expect(advertisedAddresses([web, front], config({ bgpAds }))).toEqual(
      new Set(["default/front 10.20.30.2"]),
    );
    expect(advertisedAddresses([web, front], config({ bgpAds: [] }))).toEqual(new Set());
  });

  it("says whose the routes are", () => {
    const sharer = service("api", ["10.20.30.1"]);
    const bgpPeers = [peer("four", { families: ["ipv4"] }), peer("theSix", { families: ["ipv6"] })];
    const [four, six] = wanted({ services: [web, sharer], config: config({ bgpPeers }) });
    expect([...four!.carried]).toEqual(["default/web 10.20.30.1", "default/api 10.20.30.1"]);
    expect([...six!.carried]).toEqual([]);
  });

  it("says how many endpoints the node has, where the advertisement weighs them", () => {
    const local = (count: number) => ({
      ...localService("web", ["10.20.30.1"], ["iris1"]),
      endpointCounts: new Map([["iris1", count]]),
    });
    const route = (of: ServiceFacts, weighsEndpoints = true): RouteAttributes | undefined =>
      wanted({
        services: [of],
        config: config({ bgpAds: [ad("a", { weighsEndpoints })] }),
      })[0]?.routes.get("10.20.30.1/32");
    // Type 4, subtype 4, AS 64500, and 125 and 375 MB/s as floats.
    expect(route(local(1))?.extendedCommunities).toEqual(["0004fbf44cee6b28"]);
    expect(route(local(3))?.extendedCommunities).toEqual(["0004fbf44db2d05e"]);
    expect(route(local(3), false)?.extendedCommunities).toBeUndefined();
    expect(route({ ...local(3), isLocal: false })?.extendedCommunities).toBeUndefined();
  });

  it("is the last choice of routers while the node goes away", () => {
    const bgpAds = [ad("a", { communities: ["0:1"], localPref: 200 })];
    const [one] = wanted({ config: config({ bgpAds }), isLeaving: true });
    expect(one?.routes.get("10.20.30.1/32")).toMatchObject({
      ...{ localPref: 0, communities: ["0:1", "65535:0"] },
    });
  });

  it("holds every address, and nothing that no Service has, whatever the lengths (bgp 52)", () => {
    const hosts = fc.uniqueArray(fc.integer({ min: 0, max: 255 }), { maxLength: 30 });
    fc.assert(
      fc.property(hosts, fc.integer({ min: 24, max: 32 }), (numbers, length) => {
        const services = numbers.map(n => service(`s${n}`, [`10.20.30.${n}`]));
        const bgpAds = [ad("x", { aggregationLength: { ipv4: length, ipv6: 128 } })];
        const size = 2 ** (32 - length);
        const expected = new Set(
          numbers.map(n => `10.20.30.${Math.floor(n / size) * size}/${length}`),
        );
        const found = prefixes({ services, config: config({ bgpAds }) })["router"];
        expect(new Set(found)).toEqual(expected);
        expect(found).toHaveLength(expected.size);
      }),
    );
  });
});
