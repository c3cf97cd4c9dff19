import { describe, expect, it } from "vitest";
import type { BgpAd } from "../../config/bgp/advertisement";
import type { BgpPeer } from "../../config/bgp/peer";
import { LAN, localService, node, service } from "../fixtures";
import { bgpSilence } from "./silence";
import type { SilenceInput } from "./silence";

const peer = (over: Partial<BgpPeer> = {}): BgpPeer => ({
  ...{ name: "tor", myAsn: 64500, peerAsn: 64501, address: "10.0.0.1", port: 179 },
  ...{ holdTime: 90, families: ["ipv4"], nodeSelectors: [], ...over },
});
const ad = (over: Partial<BgpAd> = {}): BgpAd => ({
  ...{ name: "ad", pools: ["lan"], aggregationLength: { ipv4: 32, ipv6: 128 } },
  ...{ communities: [], largeCommunities: [], peers: [], nodeSelectors: [], serviceSelectors: [] },
  weighsEndpoints: false,
  ...over,
});
const web = service("web", ["10.20.30.1", "fd00::1"]);

describe("why no router knows of an address", () => {
  const ask = (
    over: { peers?: readonly BgpPeer[]; ads?: readonly BgpAd[] } = {},
    of = web,
    address = "10.20.30.1",
  ): string => {
    const { peers = [peer()], ads = [ad()] } = over;
    const input: SilenceInput = {
      config: { ...LAN, l2Ads: [], bgpPeers: peers, bgpAds: ads },
      ...{ nodes: [node("iris1"), node("iris2")], ignoreExcludeLabel: false },
    };
    return bgpSilence(input, of, address).reason;
  };

  it("is that no session is up, where one would carry it", () => {
    expect(ask()).toBe("noSession");
  });

  it("is that no BGPPeer is for any node", () => {
    expect(ask({ peers: [] })).toBe("noPeer");
    expect(ask({ peers: [peer({ nodeSelectors: [{ matchLabels: { name: "x" } }] })] })).toBe(
      "noPeer",
    );
  });

  it("is that no node may, by selectors, families, peers or endpoints", () => {
    expect(ask({ ads: [ad({ peers: ["other"] })] })).toBe("noEligibleNode");
    expect(ask({}, web, "fd00::1")).toBe("noEligibleNode");
    expect(ask({}, localService("web", ["10.20.30.1"], ["iris9"]))).toBe("noEligibleNode");
  });
});
