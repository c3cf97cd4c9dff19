import { describe, expect, it } from "vitest";
import { settings, theirOpen } from "./fixtures";
import { negotiate, openFor } from "./negotiation";
import type { Offer } from "./negotiation";
import type { Capability } from "./wire/capability";
import { toHex } from "./wire/hex";
import { decodeOpen, encodeOpen } from "./wire/open";
import type { Open } from "./wire/open";

const { offer } = settings;

function withCapabilities(...capabilities: readonly Capability[]): Open {
  return { ...theirOpen, capabilities };
}

/** What was agreed, or the NOTIFICATION. */
function agree(ours: Partial<Offer>, theirs: Partial<Open> = {}, isPlain = false) {
  const result = negotiate({ ...offer, ...ours }, isPlain, { ...theirOpen, ...theirs });
  return result.ok
    ? result.value
    : `${result.error.code}/${result.error.subcode} ${toHex(result.error.data)}`.trim();
}

describe("our OPEN", () => {
  it("names the families that are configured, and only these", () => {
    const kinds = openFor({ ...offer, families: ["ipv6"] }, false).capabilities;
    expect(kinds).toEqual([
      { kind: "multiprotocol", afi: 2, safi: 1 },
      { kind: "routeRefresh" },
      { kind: "fourOctetAs", as: 65_001 },
      { kind: "enhancedRouteRefresh" },
    ]);
  });

  it("offers what is asked for", () => {
    const { capabilities } = openFor(
      {
        ...offer,
        ipv4OverIpv6: true,
        role: { own: 3, isRequired: false },
        gracefulRestart: { restartTime: 120, isRestarting: true, isForwarding: true },
      },
      false,
    );
    expect(capabilities).toContainEqual({
      kind: "extendedNextHop",
      families: [{ afi: 1, safi: 1, nextHopAfi: 2 }],
    });
    expect(capabilities).toContainEqual({ kind: "role", role: 3 });
    expect(capabilities).toContainEqual({
      kind: "gracefulRestart",
      isRestarting: true,
      hasNotification: true,
      restartTime: 120,
      families: [
        { afi: 1, safi: 1, isForwarding: true },
        { afi: 2, safi: 1, isForwarding: true },
      ],
    });
  });

  it("bgp 73: does without the N bit if told to (RFC 8538 2)", () => {
    const gracefulRestart = { restartTime: 120, isRestarting: false, isForwarding: true };
    const without = { ...offer, gracefulRestart: { ...gracefulRestart, hasNotification: false } };
    const { capabilities } = openFor(without, false);
    expect(capabilities.find(({ kind }) => kind === "gracefulRestart")).toMatchObject({
      hasNotification: false,
    });
    const theirs = openFor({ ...offer, localAs: 65_002, identifier: 9, gracefulRestart }, false);
    const agreed = (ours: typeof offer): boolean => {
      const result = negotiate({ ...ours, peerAs: "external" }, false, theirs);
      return result.ok && result.value.hasRestartNotification;
    };
    expect(agreed({ ...offer, gracefulRestart })).toBe(true);
    expect(agreed(without)).toBe(false);
  });

  it("bgp 45: has AS_TRANS where a long AS number does not fit (RFC 6793 4.1)", () => {
    const open = openFor({ ...offer, localAs: 4_200_000_001 }, false);
    expect(open.myAs).toBe(23_456);
    expect(open.capabilities).toContainEqual({ kind: "fourOctetAs", as: 4_200_000_001 });
    expect(decodeOpen(encodeOpen(open))).toEqual({ ok: true, value: open });
  });

  it("has no capabilities for a peer that refused them (RFC 5492 3)", () => {
    expect(openFor(offer, true).capabilities).toEqual([]);
  });
});

describe("negotiate", () => {
  it("bgp 4: takes the smaller hold time, and 0 from either side (RFC 4271 4.2)", () => {
    expect(agree({ holdTime: 90 }, { holdTime: 9 })).toMatchObject({ holdTime: 9 });
    expect(agree({ holdTime: 0 }, { holdTime: 9 })).toMatchObject({ holdTime: 0 });
    expect(agree({ holdTime: 90 }, { holdTime: 0 })).toMatchObject({ holdTime: 0 });
  });

  it.each<[string, Partial<Offer>, boolean]>([
    ["the number", { peerAs: 65_002 }, true],
    ["another number", { peerAs: 65_003 }, false],
    ["external", { peerAs: "external" }, true],
    ["internal", { peerAs: "internal" }, false],
    ["internal, and it is", { peerAs: "internal", localAs: 65_002 }, true],
    ["external, and it is not", { peerAs: "external", localAs: 65_002 }, false],
  ])("expects an AS: %s", (_name, ours, isAgreed) => {
    expect(agree(ours)).toEqual(isAgreed ? expect.anything() : "2/2");
    expect(typeof agree(ours) === "object").toBe(isAgreed);
  });

  it("refuses its own identifier in its own AS only (RFC 6286 2.2)", () => {
    const identifier = offer.identifier;
    expect(agree({ peerAs: "internal", localAs: 65_002 }, { identifier })).toBe("2/3");
    expect(agree({}, { identifier })).toMatchObject({ isInternal: false });
  });

  it("takes a peer that names no family for IPv4 (RFC 4760 8)", () => {
    const four: Capability = { kind: "fourOctetAs", as: 65_002 };
    expect(agree({}, withCapabilities(four))).toMatchObject({ families: ["ipv4"] });
    expect(agree({ families: ["ipv6"] }, withCapabilities(four))).toBe("2/7 010400020001");
  });

  it("has the families of both, and ignores those that we don't know", () => {
    const evpn: Capability = { kind: "multiprotocol", afi: 25, safi: 70 };
    const v6: Capability = { kind: "multiprotocol", afi: 2, safi: 1 };
    expect(agree({}, withCapabilities(evpn, v6))).toMatchObject({ families: ["ipv6"] });
    expect(agree({}, withCapabilities(evpn))).toBe("2/7 010400010001010400020001");
  });

  it("speaks two octets per AS to who says nothing else", () => {
    expect(agree({}, withCapabilities())).toMatchObject({ fourOctetAs: false, peerAs: 65_002 });
    expect(agree({}, {}, true)).toMatchObject({ fourOctetAs: false, families: ["ipv4"] });
  });

  it("bgp 43: sends IPv4 over IPv6 only if both want it (RFC 8950 4)", () => {
    const theirs = withCapabilities(...theirOpen.capabilities, {
      kind: "extendedNextHop",
      families: [{ afi: 1, safi: 1, nextHopAfi: 2 }],
    });
    expect(agree({ ipv4OverIpv6: true }, theirs)).toMatchObject({ hasIpv4OverIpv6: true });
    expect(agree({ ipv4OverIpv6: true })).toMatchObject({ hasIpv4OverIpv6: false });
    expect(agree({}, theirs)).toMatchObject({ hasIpv4OverIpv6: false });
  });

  it.each([
    [3, [0], true],
    [0, [3], true],
    [1, [2], true],
    [2, [1], true],
    [4, [4], true],
    [3, [3], false],
    [3, [4], false],
    [4, [0], false],
    [3, [0, 1], false],
    [3, [0, 0], true],
  ])("with role %i meets %j: %s (RFC 9234 4.2)", (own, roles, isAgreed) => {
    const said = roles.map(role => ({ kind: "role" as const, role }));
    const theirs = withCapabilities(...theirOpen.capabilities, ...said);
    const result = agree({ role: { own, isRequired: false } }, theirs);
    expect(result === "2/11").toBe(!isAgreed);
  });

  it("insists on a role only when told so, and never within the AS", () => {
    expect(agree({ role: { own: 3, isRequired: false } })).toMatchObject({ peerAs: 65_002 });
    expect(agree({ role: { own: 3, isRequired: true } })).toBe("2/11");
    const inside = {
      role: { own: 3, isRequired: true },
      peerAs: "internal",
      localAs: 65_002,
    } as const;
    expect(agree(inside)).toMatchObject({ isInternal: true });
  });
});
