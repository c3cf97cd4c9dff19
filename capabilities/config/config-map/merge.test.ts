import { describe, expect, it } from "vitest";
import { formatConfigError, parseConfig } from "../config";
import { mergeConfigMap } from "./merge";

const metadata = (name: string): object => ({ name, namespace: "metallb-system" });
const pool = (name: string, ...addresses: readonly string[]): object => ({
  kind: "IPAddressPool",
  metadata: { ...metadata(name), creationTimestamp: "2026-01-01T00:00:00Z" },
  spec: { addresses },
});
const l2Ad = (name: string, spec: object = {}): object => ({ metadata: metadata(name), spec });
const CONFIG_MAP = {
  metadata: metadata("config"),
  data: {
    config: `
peers:
- {peer-address: 10.0.0.1, peer-asn: 1, my-asn: 2}
address-pools:
- {name: one, protocol: layer2, addresses: [10.0.0.0/30]}
- {name: two, protocol: layer2, addresses: [10.0.1.0/30]}
bfd-profiles: [{name: fast}]
`,
  },
};

describe("parseConfig with a ConfigMap", () => {
  const names = (list: readonly { readonly name: string }[]): string[] => list.map(one => one.name);

  it("serves the ConfigMap's pools alone", () => {
    const parsed = parseConfig({ pools: [], l2Ads: [], configMap: CONFIG_MAP });
    expect(parsed).toMatchObject({ ok: true, notices: [] });
    expect(names(parsed.config.pools)).toEqual(["one", "two"]);
    expect(parsed.config.l2Ads.map(ad => ad.pools)).toEqual([["one"], ["two"]]);
  });

  it("serves the ConfigMap's pools beside those of resources", () => {
    const pools = [pool("three", "10.0.2.0/30")];
    const parsed = parseConfig({ pools, l2Ads: [], configMap: CONFIG_MAP });
    expect(names(parsed.config.pools)).toEqual(["one", "three", "two"]);
  });

  it("lets the pool of a resource take the place of the ConfigMap's, and says so without an error", () => {
    const pools = [pool("one", "10.0.0.0/24")];
    const parsed = parseConfig({ pools, l2Ads: [], configMap: CONFIG_MAP });
    expect(parsed.ok).toBe(true);
    expect(parsed.config.pools[0]).toMatchObject({ name: "one", ranges: [{ last: 0x0a0000ffn }] });
    expect(parsed.notices.map(formatConfigError)).toEqual([
      "ConfigMap metallb-system/config: address-pools[0] is not used, because IPAddressPool metallb-system/one is in its place; delete it from the ConfigMap.",
    ]);
  });

  it("keeps the resource where a pool of another name has its addresses, and says which element is wrong", () => {
    const pools = [pool("wide", "10.0.0.0/24")];
    const parsed = parseConfig({ pools, l2Ads: [], configMap: CONFIG_MAP });
    expect(names(parsed.config.pools)).toEqual(["two", "wide"]);
    expect(parsed.ok ? [] : parsed.errors.map(formatConfigError)).toEqual([
      'IPAddressPool metallb-system/one (address-pools[0] of ConfigMap metallb-system/config): spec.addresses[0] "10.0.0.0/30" overlaps 10.0.0.0/24 of IPAddressPool wide; take the addresses out of one of the two pools.',
    ]);
  });

  it("goes on announcing a pool that became a resource, until an L2Advertisement does", () => {
    const pools = [pool("one", "10.0.0.0/24")];
    const announced = (...l2Ads: object[]) =>
      parseConfig({ pools, l2Ads, configMap: CONFIG_MAP }).config.l2Ads.map(ad => ad.pools);
    expect(announced()).toEqual([["one"], ["two"]]);
    expect(announced(l2Ad("mine", { ipAddressPools: ["one"], interfaces: ["eth1"] }))).toEqual([
      ["two"],
      ["one"],
    ]);
  });

  it("gives way with the names that it made up", () => {
    const l2Ads = [l2Ad("l2advertisement1", { ipAddressPools: ["three"] })];
    const parsed = parseConfig({ pools: [], l2Ads, configMap: CONFIG_MAP });
    expect(parsed.ok).toBe(true);
    expect(names(parsed.config.l2Ads)).toEqual([
      "l2advertisement1",
      "l2advertisement1-config",
      "l2advertisement2",
    ]);
  });

  it("reports what is wrong in the ConfigMap beside what is wrong elsewhere", () => {
    const configMap = { ...CONFIG_MAP, data: { config: "pools: []" } };
    const parsed = parseConfig({ pools: [pool("x", "nowhere")], l2Ads: [], configMap });
    expect(parsed.ok ? [] : parsed.errors.map(({ object }) => object)).toEqual([
      "ConfigMap metallb-system/config",
      "IPAddressPool metallb-system/x",
    ]);
  });
});

describe("mergeConfigMap", () => {
  it("knows peers by their address and BFD profiles by their name", () => {
    const peer = { metadata: metadata("tor"), spec: { peerAddress: "10.0.0.1" } };
    const given = { BGPPeer: [peer], BFDProfile: [{ metadata: metadata("fast") }] };
    const { resources, notices } = mergeConfigMap(given, CONFIG_MAP);
    expect(resources).toEqual(given);
    expect(notices.map(({ field }) => field)).toEqual(["peers[0]", "bfd-profiles[0]"]);
  });

  it("gives only the kinds that were asked for, and leaves the given objects as they are", () => {
    const peer = { metadata: metadata("peer1"), spec: { peerAddress: "10.0.0.2" } };
    const { resources } = mergeConfigMap({ BGPPeer: [peer] }, CONFIG_MAP);
    expect(Object.keys(resources)).toEqual(["BGPPeer"]);
    expect(resources.BGPPeer[0]).toBe(peer);
    expect(resources.BGPPeer[1]).toMatchObject({ metadata: { name: "peer1-config" } });
  });
});
