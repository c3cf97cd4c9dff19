import { describe, expect, it } from "vitest";
import type { VirtualIP } from "../../config/kinds/virtual-ip";
import { advertisers, bgpEntriesPatch, joinedPatch } from "./virtual-ip-bgp";

const IP = "198.51.100.1";
const NOW = "2026-01-02T03:04:05.000Z";
const entry = (...peers: readonly string[]) => ({ peers: [...peers], since: "before" });
const vip = (status: VirtualIP["status"] = {}): VirtualIP => ({
  metadata: { name: IP },
  spec: { address: IP, pool: "p", reason: "", holders: [] },
  status,
});
const ready = (...nodes: readonly string[]): ReadonlySet<string> => new Set(nodes);
const entries = (
  status: VirtualIP["status"],
  me: string,
  peers: readonly string[],
  nodes: ReadonlySet<string>,
) => bgpEntriesPatch(vip(status), me, { peers, readyNodes: nodes }, NOW);

describe("bgpEntriesPatch", () => {
  it("each node says which of its peers know the address, and since when", () => {
    expect(entries({}, "n1", ["tor"], ready("n1"))).toEqual({ n1: { peers: ["tor"], since: NOW } });
    const said = { bgp: { n1: entry("tor") } };
    expect(entries(said, "n1", ["tor"], ready("n1"))).toEqual({});
    expect(entries(said, "n1", ["spine", "tor"], ready("n1"))).toEqual({
      n1: entry("spine", "tor"),
    });
    expect(entries(said, "n1", [], ready("n1"))).toEqual({ n1: null });
    expect(entries({}, "n1", [], ready("n1"))).toEqual({});
  });

  it("the first Ready node takes away what others cannot: their power is off, or they are no more", () => {
    const said = { bgp: { n1: entry("tor"), n2: entry("tor"), n3: entry("tor") } };
    expect(entries(said, "n2", ["tor"], ready("n2", "n3"))).toEqual({ n1: null });
    expect(entries(said, "n3", ["tor"], ready("n2", "n3"))).toEqual({});
  });

  it("a node that is not Ready does not write its entry against the first one", () => {
    expect(entries({}, "n1", ["tor"], ready("n2"))).toEqual({});
  });

  it("advertisers are the nodes with an entry", () => {
    expect(advertisers(vip({ bgp: { n2: entry("a"), n1: entry("a") } }))).toEqual(["n1", "n2"]);
    expect(advertisers(undefined)).toEqual([]);
  });
});

describe("joinedPatch", () => {
  const owner = { node: "n1", mac: "m", interface: "eth0" };
  const mine = { n1: entry("tor") };

  it("writes nothing when nothing is to be said", () => {
    expect(joinedPatch(vip(), "n1", { layer2: {}, bgp: {} })).toBeUndefined();
    const status = { protocol: "bgp", bgp: mine };
    expect(joinedPatch(vip(status), "n1", { layer2: {}, bgp: {} })).toBeUndefined();
  });

  it("the owner of layer 2 says the protocol, whoever else advertises", () => {
    const takeover = { layer2: { protocol: "layer2", intendedOwner: owner }, bgp: {} };
    expect(joinedPatch(vip(), "n1", takeover)).toEqual({
      status: { intendedOwner: owner, protocol: "layer2" },
    });
    const both = { intendedOwner: owner, protocol: "layer2", bgp: { n2: entry("tor") } };
    expect(joinedPatch(vip(both), "n2", { layer2: {}, bgp: {} })).toBeUndefined();
    expect(joinedPatch(vip(both), "n1", { layer2: {}, bgp: {} })).toEqual({
      status: { protocol: "layer2,bgp" },
    });
  });

  it("without one, the first node that advertises says it", () => {
    expect(joinedPatch(vip(), "n1", { layer2: {}, bgp: mine })).toEqual({
      status: { bgp: mine, protocol: "bgp" },
    });
    const later = { n2: entry("tor") };
    const status = { protocol: "bgp", bgp: mine };
    expect(joinedPatch(vip(status), "n2", { layer2: {}, bgp: later })).toEqual({
      status: { bgp: later },
    });
  });

  it("the last one takes it away, and layer 2 that goes leaves BGP's", () => {
    const status = { protocol: "bgp", bgp: mine };
    expect(joinedPatch(vip(status), "n1", { layer2: {}, bgp: { n1: null } })).toEqual({
      status: { bgp: { n1: null }, protocol: null },
    });
    const both = { intendedOwner: owner, protocol: "layer2,bgp", bgp: mine };
    const gone = { layer2: { protocol: null, intendedOwner: null }, bgp: {} };
    expect(joinedPatch(vip(both), "n1", gone)).toEqual({
      status: { intendedOwner: null, protocol: "bgp" },
    });
  });
});
