import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsers } from "./parsers";
import type { ValidatedKind } from "./parsers";
import { refusalOf } from "./verdict";

const NAMESPACE = "metallb-system";
const kinds = Object.keys(parsers) as ValidatedKind[];

const GOOD: Readonly<Record<ValidatedKind, object>> = {
  IPAddressPool: { addresses: ["10.0.0.0/24"] },
  L2Advertisement: {},
  BGPAdvertisement: {},
  BGPPeer: { myASN: 64500, peerASN: 64501, peerAddress: "10.0.0.1" },
  BFDProfile: {},
  Community: {},
};

const object = (kind: ValidatedKind, spec: object = GOOD[kind], metadata: object = {}) => ({
  kind,
  metadata: { name: "x", namespace: NAMESPACE, ...metadata },
  spec,
});

describe("refusalOf", () => {
  it.each(kinds)("lets a good %s pass", kind => {
    expect(refusalOf(kind, object(kind), NAMESPACE)).toBeUndefined();
  });

  it.each(kinds)(
    "metallb 158: refuses a %s in another namespace, and says in which it belongs",
    kind => {
      expect(refusalOf(kind, object(kind, GOOD[kind], { namespace: "default" }), NAMESPACE)).toBe(
        `${kind} default/x: metadata.namespace "default" is not the namespace that Ancho reads its configuration from; create it in namespace ${NAMESPACE}.`,
      );
    },
  );

  it.each(kinds)(
    "lets a %s that is being deleted pass, wherever it is and whatever it holds",
    kind => {
      const doomed = object(
        kind,
        { addresses: 1 },
        { namespace: "default", deletionTimestamp: "2026-01-01T00:00:00Z" },
      );
      expect(refusalOf(kind, doomed, NAMESPACE)).toBeUndefined();
    },
  );

  it.each<[string, ValidatedKind, object]>([
    ["pools", "L2Advertisement", { ipAddressPools: ["later"] }],
    ["pools and peers", "BGPAdvertisement", { ipAddressPools: ["later"], peers: ["later"] }],
    ["the alias of a community", "BGPAdvertisement", { communities: ["later"] }],
    ["a BFD profile", "BGPPeer", { ...GOOD.BGPPeer, bfdProfile: "later" }],
    ["a Secret", "BGPPeer", { ...GOOD.BGPPeer, passwordSecret: { name: "later" } }],
  ])("metallb 52: lets pass what refers to %s that may come later", (_, kind, spec) => {
    expect(refusalOf(kind, object(kind, spec), NAMESPACE)).toBeUndefined();
  });

  it.each<[string, ValidatedKind, object, string]>([
    [
      "a pool's address",
      "IPAddressPool",
      { addresses: ["10.0.0.1"] },
      'spec.addresses[0] "10.0.0.1" is a single address, not a range; write "10.0.0.1/32".',
    ],
    [
      "an advertisement's pools",
      "L2Advertisement",
      { ipAddressPools: ["a", "a"] },
      'spec.ipAddressPools[1] "a" repeats spec.ipAddressPools[0]; remove one of them.',
    ],
    [
      "metallb 6: an aggregation length",
      "BGPAdvertisement",
      { aggregationLength: 34 },
      "spec.aggregationLength 34 is too big; write at most 32.",
    ],
    [
      "metallb 34: a community twice",
      "BGPAdvertisement",
      { communities: ["1:2", "1:2"] },
      'spec.communities[1] "1:2" repeats',
    ],
    [
      "metallb 34: a peer twice",
      "BGPAdvertisement",
      { peers: ["a", "a"] },
      'spec.peers[1] "a" repeats',
    ],
    [
      "metallb 18: a peer's address",
      "BGPPeer",
      { myASN: 1, peerASN: 2, peerAddress: "1.2.3.400" },
      'spec.peerAddress "1.2.3.400" is not an IP address; write an address like "192.0.2.1".',
    ],
    [
      "metallb 21: a peer's routerID",
      "BGPPeer",
      { myASN: 1, peerASN: 2, peerAddress: "1.2.3.4", routerID: "oh god how do I BGP" },
      'spec.routerID "oh god how do I BGP" is not an IP address',
    ],
    [
      "metallb 22: a peer's node selector",
      "BGPPeer",
      {
        myASN: 1,
        peerASN: 2,
        peerAddress: "1.2.3.4",
        nodeSelectors: [{ matchExpressions: [{ key: "a", operator: "surrounds", values: ["b"] }] }],
      },
      'spec.nodeSelectors[0].matchExpressions[0].operator "surrounds" is not one of the allowed values',
    ],
    [
      "metallb 18: no myASN",
      "BGPPeer",
      { peerASN: 2, peerAddress: "1.2.3.4" },
      "spec.myASN is missing; add it, as a number.",
    ],
    [
      "metallb 27: a receiveInterval",
      "BFDProfile",
      { receiveInterval: 9 },
      "spec.receiveInterval 9 is too small; write at least 10.",
    ],
    [
      "metallb 36: a community",
      "Community",
      { communities: [{ name: "a", value: "99999999:1" }] },
      'spec.communities[0].value "99999999:1"',
    ],
    [
      "metallb 36: an alias twice",
      "Community",
      {
        communities: [
          { name: "bar", value: "1:2" },
          { name: "bar", value: "1:3" },
        ],
      },
      "spec.communities[1]",
    ],
    [
      "metallb#1.2: a large community beyond 32 bits",
      "Community",
      { communities: [{ name: "a", value: "large:1:2:4294967296" }] },
      "is not a BGP community",
    ],
  ])("refuses %s, and names object, field, value and remedy", (_, kind, spec, sentence) => {
    const refusal = refusalOf(kind, object(kind, spec), NAMESPACE);
    expect(refusal).toContain(`${kind} ${NAMESPACE}/x: `);
    expect(refusal).toContain(sentence);
  });

  it("never throws, and refuses what is no object", () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.anything(), (kind, anything) => {
        const refusal = refusalOf(kind, { metadata: anything, spec: anything }, NAMESPACE);
        expect(["string", "undefined"]).toContain(typeof refusal);
        expect(typeof refusalOf(kind, "text", NAMESPACE)).toBe("string");
      }),
    );
  });

  it("answers in a sentence even where the check itself fails", () => {
    const trap = {
      get metadata(): never {
        throw new Error("boom");
      },
    };
    expect(refusalOf("Community", trap, NAMESPACE)).toContain(
      "Community could not be checked (boom)",
    );
  });
});
