import { describe, expect, it } from "vitest";
import { bfdProfileDeletionRefusal, bgpRefusal } from "./review";
import type { BgpSurroundings, ReviewedKind } from "./review";

const object = (name: string, spec: object, second = 0): { metadata: object; spec: object } => ({
  metadata: {
    ...{ name, namespace: "metallb-system" },
    creationTimestamp: `2026-01-01T00:00:0${second}Z`,
  },
  spec,
});
const ROUTER = { myASN: 64500, peerASN: 64501, peerAddress: "10.0.0.1" };
const nothing: BgpSurroundings = {
  ...{ pools: [object("pool", { addresses: ["10.20.30.0/28"] })], bgpPeers: [], bgpAds: [] },
  ...{ communities: [], configMap: undefined, nodes: [{ name: "n1" }, { name: "n2" }] },
};
const refusal = (
  kind: ReviewedKind,
  raw: ReturnType<typeof object>,
  over: Partial<BgpSurroundings> = {},
): string | undefined => bgpRefusal(kind, raw, { ...nothing, ...over });

describe("a BGPAdvertisement beside the rest", () => {
  it("metallb 5, 177: is refused if it aggregates wider than a pool", () => {
    expect(refusal("BGPAdvertisement", object("ad", { aggregationLength: 26 }))).toBe(
      "BGPAdvertisement metallb-system/ad: spec.aggregationLength 26 is wider than 10.20.30.0/28 of IPAddressPool pool; write at least 28.",
    );
    expect(refusal("BGPAdvertisement", object("ad", { aggregationLength: 28 }))).toBeUndefined();
  });

  it("metallb 31: is refused if it contradicts another one, whichever is older", () => {
    const bgpAds = [object("z", { localPref: 200 }, 5)];
    expect(refusal("BGPAdvertisement", object("a", { localPref: 100 }), { bgpAds })).toContain(
      "spec.localPref 100 contradicts 200 of BGPAdvertisement z",
    );
    const aside = object("a", { localPref: 100, aggregationLength: 28 });
    expect(refusal("BGPAdvertisement", aside, { bgpAds })).toBeUndefined();
  });

  it("metallb 158: an update takes the place of what it was", () => {
    const bgpAds = [object("a", { localPref: 100 }), object("b", { localPref: 100 })];
    const changed = object("a", { localPref: 200 });
    expect(refusal("BGPAdvertisement", changed, { bgpAds })).toContain("contradicts 100");
    expect(refusal("BGPAdvertisement", changed, { bgpAds: bgpAds.slice(0, 1) })).toBeUndefined();
  });

  it("metallb 35, 52: waits for a Community that may come, but not for what is no community", () => {
    const ad = (community: string) => object("ad", { communities: [community] });
    expect(refusal("BGPAdvertisement", ad("later"))).toBeUndefined();
    expect(refusal("BGPAdvertisement", ad("99999999:1"))).toContain("is no community");
  });

  it("is not refused for what is wrong elsewhere", () => {
    const bgpAds = [object("wide", { aggregationLength: 8 })];
    expect(refusal("BGPAdvertisement", object("ad", {}), { bgpAds })).toBeUndefined();
  });
});

describe("a BGPPeer beside the rest", () => {
  it("metallb 50, 177: is refused if it is the router of another one", () => {
    const bgpPeers = [object("tor", ROUTER)];
    expect(refusal("BGPPeer", object("again", ROUTER), { bgpPeers })).toContain(
      'spec.peerAddress "10.0.0.1" is the router of BGPPeer tor, too, on the same nodes',
    );
    expect(refusal("BGPPeer", object("tor", { ...ROUTER, myASN: 1 }), { bgpPeers })).toBe(
      undefined,
    );
  });

  it("metallb 24, 52: waits for a Secret that may come", () => {
    const secret = object("tor", { ...ROUTER, passwordSecret: { name: "later" } });
    expect(refusal("BGPPeer", secret)).toBeUndefined();
  });
});

describe("a Community beside the rest", () => {
  const community = (name: string, alias: string, second = 0) =>
    object(name, { communities: [{ name: alias, value: "64500:1" }] }, second);

  it("metallb 36, 177: is refused if another one has its alias, whichever is older", () => {
    const communities = [community("first", "bar", 5)];
    expect(refusal("Community", community("second", "bar"), { communities })).toContain(
      'spec.communities[0].name "bar" is defined by another Community, too',
    );
    expect(refusal("Community", community("second", "foo"), { communities })).toBeUndefined();
    expect(refusal("Community", community("first", "bar"), { communities })).toBeUndefined();
  });
});

describe("a BFDProfile that is deleted", () => {
  it("metallb 158, 177: is kept while a BGPPeer uses it", () => {
    const profile = object("fast", {});
    const peers = [object("tor", { ...ROUTER, bfdProfile: "fast" }), object("other", ROUTER)];
    expect(bfdProfileDeletionRefusal(profile, peers)).toBe(
      "BFDProfile metallb-system/fast: is used by BGPPeer tor; take it out of there first.",
    );
    expect(bfdProfileDeletionRefusal(profile, peers.slice(1))).toBeUndefined();
  });
});
