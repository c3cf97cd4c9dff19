import { describe, expect, it } from "vitest";
import type { AddressRange } from "../address";
import { parseRange } from "../address";
import type { Pool } from "../pool";
import type { BgpAd } from "./advertisement";
import { localPrefConflict, sameRouterConflict } from "./conflicts";
import type { NodeLabels } from "./conflicts";
import type { BgpPeer } from "./peer";

const NODES: readonly NodeLabels[] = ["n1", "n2", "n3", "n4"].map(name => ({ name }));
const on = (...values: readonly string[]) => [
  { matchExpressions: [{ key: "name", operator: "In" as const, values: [...values] }] },
];
const pool = (...ranges: readonly string[]): Pool => ({
  ...{ name: "pool", autoAssign: true, avoidBuggyIPs: false, labels: {} },
  ranges: ranges.map(text => parseRange(text) as AddressRange),
  ...{ reclaimAfterMs: 0, sharing: "all" },
});
const ad = (name: string, localPref: number | undefined, over: Partial<BgpAd> = {}): BgpAd => ({
  ...{ name, pools: ["pool"], aggregationLength: { ipv4: 32, ipv6: 128 } },
  ...{ communities: [], largeCommunities: [], peers: [], nodeSelectors: [], serviceSelectors: [] },
  weighsEndpoints: false,
  ...(localPref === undefined ? {} : { localPref }),
  ...over,
});

describe("two local preferences for one prefix", () => {
  const V4 = pool("10.20.30.0/24");
  const DUAL = pool("10.20.30.0/24", "fd00::/112");
  const conflict = (
    one: Partial<BgpAd>,
    other: Partial<BgpAd>,
    of: {
      pool?: Pool;
      nodes?: readonly NodeLabels[];
      prefs?: readonly [number, number | undefined];
    } = {},
  ): boolean => {
    const [first, second] = of.prefs ?? [100, 200];
    const context = { pools: [of.pool ?? V4], nodes: of.nodes ?? NODES };
    const ads = [ad("a", first, one), ad("b", second, other)] as const;
    const found = localPrefConflict(ads[0], ads[1], context, "metallb-system");
    const reverse = localPrefConflict(ads[1], ads[0], context, "metallb-system");
    expect(found === undefined).toBe(reverse === undefined);
    return found !== undefined;
  };
  const lengths = (ipv4: number, ipv6 = 128): Partial<BgpAd> => ({
    aggregationLength: { ipv4, ipv6 },
  });

  it("metallb 31: are an error that names both", () => {
    const context = { pools: [V4], nodes: NODES };
    expect(localPrefConflict(ad("a", 100), ad("b", 200), context, "ns")).toMatchObject({
      object: "BGPAdvertisement ns/a",
      field: "spec.localPref",
      value: 100,
      problem: "contradicts 200 of BGPAdvertisement b for the same prefixes of IPAddressPool pool",
    });
  });

  it("metallb 32: are none where the aggregation lengths differ", () => {
    expect(conflict(lengths(24), lengths(32))).toBe(false);
    expect(conflict(lengths(24, 120), lengths(32, 128), { pool: DUAL })).toBe(false);
    expect(conflict(lengths(32, 120), lengths(32, 128))).toBe(true);
    expect(conflict(lengths(24, 128), lengths(24, 128), { pool: DUAL })).toBe(true);
  });

  it("metallb 33, 145: are none for nodes or peers that have nothing in common", () => {
    expect(conflict({ nodeSelectors: on("n1") }, { nodeSelectors: on("n2") })).toBe(false);
    expect(conflict({ peers: ["peer1"] }, { peers: ["peer2"] })).toBe(false);
  });

  it.each<[string, Partial<BgpAd>, Partial<BgpAd>]>([
    ["nodes of which one has more", { nodeSelectors: on("n1", "n2") }, { nodeSelectors: on("n1") }],
    ["peers of which one has more", { peers: ["p1", "p2"] }, { peers: ["p2"] }],
    ["peers that overlap", { peers: ["p1", "p2"] }, { peers: ["p2", "p3"] }],
    ["all peers for one of them", { peers: [] }, { peers: ["p1"] }],
    ["the same nodes and peers", {}, {}],
  ])("metallb 145: are an error for %s", (_, one, other) => {
    expect(conflict(one, other)).toBe(true);
  });

  it("metallb 145: are none when equal, when one is not set, or when no node is known", () => {
    expect(conflict({}, {}, { prefs: [100, 100] })).toBe(false);
    expect(conflict({}, {}, { prefs: [100, undefined] })).toBe(false);
    expect(conflict({}, {}, { nodes: [] })).toBe(false);
  });

  it("are none for other pools, nor where Services are selected", () => {
    expect(conflict({ pools: ["other"] }, {})).toBe(false);
    expect(conflict({ serviceSelectors: on("x") }, {})).toBe(false);
  });
});

describe("two peers for one router", () => {
  const peer = (name: string, over: Partial<BgpPeer> = {}): BgpPeer => ({
    ...{ name, myAsn: 64500, peerAsn: 64501, address: "10.0.0.1", port: 179 },
    ...{ holdTime: 90, families: ["ipv4"], nodeSelectors: [] },
    ...over,
  });
  const conflict = (one: Partial<BgpPeer>, other: Partial<BgpPeer>, nodes = NODES): boolean =>
    sameRouterConflict(peer("a", one), peer("b", other), nodes, "ns") !== undefined;

  it("metallb 50: are an error that names the other", () => {
    expect(sameRouterConflict(peer("a"), peer("b"), NODES, "ns")).toMatchObject({
      object: "BGPPeer ns/a",
      field: "spec.peerAddress",
      value: "10.0.0.1",
      problem: "is the router of BGPPeer b, too, on the same nodes",
    });
    expect(conflict({}, { address: "10.0.0.2" })).toBe(false);
    expect(conflict({}, { port: 1179 })).toBe(false);
    expect(conflict({}, { vrf: "red" })).toBe(false);
    expect(conflict({ vrf: "red" }, { vrf: "red" })).toBe(true);
    const on = (link: string): Partial<BgpPeer> => ({ address: "", interface: link });
    expect(conflict(on("eth0"), on("eth1"))).toBe(false);
    expect(conflict(on("eth0"), on("eth0"))).toBe(true);
  });

  it("metallb 51: are none on nodes that have nothing in common", () => {
    expect(conflict({ nodeSelectors: on("n1") }, { nodeSelectors: on("n2") })).toBe(false);
    expect(conflict({ nodeSelectors: on("n1", "n2") }, { nodeSelectors: on("n2", "n3") })).toBe(
      true,
    );
    expect(conflict({ nodeSelectors: on("n1") }, {})).toBe(true);
    const [left, right] = [
      [...on("n1"), ...on("n2")],
      [...on("n3"), ...on("n4")],
    ];
    expect(conflict({ nodeSelectors: left }, { nodeSelectors: right })).toBe(false);
    expect(conflict({ nodeSelectors: left }, { nodeSelectors: [...right, ...on("n2")] })).toBe(
      true,
    );
  });

  it("metallb 51: are an error while no nodes are known", () => {
    expect(conflict({ nodeSelectors: on("n1") }, { nodeSelectors: on("n2") }, [])).toBe(true);
  });
});
