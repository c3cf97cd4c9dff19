import { describe, expect, it } from "vitest";
import { parseConfig } from "../../config/config";
import { errorsHere } from "./elsewhere";

const object = (name: string, spec: object): object => ({
  metadata: { name, namespace: "metallb-system" },
  spec,
});
const ROUTER = { myASN: 64500, peerASN: 64501, peerAddress: "10.0.0.1" };
const on = (name: unknown): readonly object[] => [{ matchLabels: { name } }];

describe("mistakes of a configuration, for one node", () => {
  const here = (bgpPeers: readonly object[], bgpAds: readonly object[], name?: string) => {
    const parsed = parseConfig({ pools: [], l2Ads: [], bgpPeers, bgpAds });
    const errors = parsed.ok ? [] : parsed.errors;
    const labels = name === undefined ? undefined : { name };
    return errorsHere(errors, { bgpPeers, bgpAds }, labels).map(error => error.object);
  };
  const peers = [
    object("mine", { ...ROUTER, passwordSecret: { name: "x" }, nodeSelectors: on("n1") }),
    object("all", { ...ROUTER, passwordSecret: { name: "x" } }),
    object("other", { ...ROUTER, passwordSecret: { name: "x" }, nodeSelectors: on("n2") }),
  ];
  const ads = [object("other", { communities: ["nobody"], nodeSelectors: on("n2") })];

  it("metallb 155: are those of peers and advertisements that are for it", () => {
    expect(here(peers, ads, "n1")).toEqual([
      "BGPPeer metallb-system/all",
      "BGPPeer metallb-system/mine",
    ]);
    expect(here(peers, ads, "n2")).toEqual([
      "BGPAdvertisement metallb-system/other",
      "BGPPeer metallb-system/all",
      "BGPPeer metallb-system/other",
    ]);
  });

  it("are all while the node is not known", () => {
    expect(here(peers, ads)).toHaveLength(4);
  });

  it("metallb 155: are everybody's where the selectors are what is wrong", () => {
    const broken = [
      object("broken", { ...ROUTER, nodeSelectors: "n2" }),
      object("empty", { ...ROUTER, nodeSelectors: [null] }),
    ];
    expect(new Set(here(broken, [], "n1"))).toEqual(
      new Set(["BGPPeer metallb-system/broken", "BGPPeer metallb-system/empty"]),
    );
  });
});
