import { describe, expect, it } from "vitest";
import type { BgpPeer } from "../../config/bgp/peer";
import { node } from "../fixtures";
import { explained, optionsFor, termsOf } from "./session-options";

const ME = node("n1", { addresses: ["10.0.0.11", "fd00::11"] });
const PEER: BgpPeer = {
  ...{ name: "tor", myAsn: 64500, peerAsn: 64501, address: "10.0.0.1", port: 179 },
  ...{ holdTime: 90, families: ["ipv4"], nodeSelectors: [] },
};
const options = (over: Partial<BgpPeer>): object => termsOf({ ...PEER, ...over }, ME).options;

describe("the terms of a session", () => {
  it("are what the BGPPeer says, and the node's own addresses", () => {
    expect(termsOf(PEER, ME)).toEqual({
      identity: { as: 64500, routerId: "10.0.0.11" },
      options: {
        ...{ address: "10.0.0.1", port: 179, as: 64501, holdTime: 90, families: ["ipv4"] },
        nextHops: { ipv6: "fd00::11" },
      },
    });
    expect(options({ address: "fd00::1" })).toMatchObject({ nextHops: { ipv4: "10.0.0.11" } });
    expect(options({ localAsn: 64510, sourceAddress: "10.0.0.9", password: "x" })).toMatchObject({
      ...{ localAs: 64510, localAddress: "10.0.0.9", password: "x" },
    });
  });

  it("are one hop, unless ebgpMultiHop says otherwise", () => {
    expect(options({})).not.toHaveProperty("multihop");
    expect(options({ isMultihop: true })).toMatchObject({ multihop: 255 });
  });

  it("are on the device of the VRF, or with whoever is on the interface", () => {
    expect(options({ vrf: "red" })).toMatchObject({ address: "10.0.0.1", device: "red" });
    const unnumbered = options({ address: "", interface: "eth1", families: ["ipv4", "ipv6"] });
    expect(unnumbered).toMatchObject({ interface: "eth1", nextHops: {} });
    expect(unnumbered).not.toHaveProperty("address");
  });

  it("are the same when only what can change meanwhile does", () => {
    const bfd = { isPassive: false, isMultihop: false, transmitInterval: 50 };
    const one = { ...PEER, bfd, connectTime: 3 };
    const other = { ...PEER, bfd: { ...bfd, transmitInterval: 70 }, connectTime: 9 };
    expect(termsOf(one, ME)).toEqual(termsOf(other, ME));
    const begin = { idleHoldTime: 0.5, isRestarting: true };
    expect(optionsFor(termsOf(one, ME), one, begin)).toMatchObject({
      ...{ bfd, idleHoldTime: 0.5, retryTime: 1, maxRetryTime: 3 },
    });
  });

  it("ask for graceful restart if the BGPPeer does, but not to be kept when the node falls silent", () => {
    const peer: BgpPeer = { ...PEER, hasGracefulRestart: true };
    const begin = (isRestarting: boolean): unknown =>
      optionsFor(termsOf(peer, ME), peer, { idleHoldTime: 0, isRestarting }).gracefulRestart;
    const asked = { restartTime: 120, isForwarding: true, hasNotification: false };
    expect(begin(true)).toEqual({ ...asked, isRestarting: true });
    expect(begin(false)).toEqual({ ...asked, isRestarting: false });
    const unasked = optionsFor(termsOf(PEER, ME), PEER, { idleHoldTime: 0, isRestarting: true });
    expect(unasked).not.toHaveProperty("gracefulRestart");
  });
});

describe("why there is no session", () => {
  const lost = "connect EHOSTUNREACH 10.0.0.1:179";
  it("is told with what helps, where the router may be too far away", () => {
    expect(explained(PEER, lost)).toBe(
      `${lost}; a router of another AS that is not on a network of the node needs ebgpMultiHop: true`,
    );
    expect(explained(PEER, "no answer within 5 s")).toContain("ebgpMultiHop");
  });

  it.each([
    ["a router of the same AS", { peerAsn: 64500 }],
    ["one that is to be of the same AS", { peerAsn: "internal" }],
    ["one that sees us in its own AS", { localAsn: 64501 }],
    ["one that may be far away", { isMultihop: true }],
    ["one on an interface", { address: "", interface: "eth1" }],
  ] as const)("is told as it is for %s", (_, over) => {
    expect(explained({ ...PEER, ...over }, lost)).toBe(lost);
  });

  it("is told as it is where distance is not the matter", () => {
    expect(explained(PEER, "the peer says Cease")).toBe("the peer says Cease");
  });
});
