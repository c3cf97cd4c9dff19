import { describe, expect, it } from "vitest";
import { refusalOf } from "./verdict";

const PEER = { myASN: 64500, peerASN: 64501, peerAddress: "10.0.0.1" };
const refusal = (spec: object): string | undefined =>
  refusalOf(
    "BGPPeer",
    { metadata: { name: "tor", namespace: "metallb-system" }, spec },
    "metallb-system",
  );

describe("a BGPPeer", () => {
  it("metallb 17: is right with the two AS numbers and an address", () => {
    expect(refusal(PEER)).toBeUndefined();
  });

  it.each([
    ["metallb 18: myASN 0", { ...PEER, myASN: 0 }, "spec.myASN 0 is no AS number"],
    [
      "metallb 18: neither peerASN nor dynamicASN",
      { ...PEER, peerASN: 0 },
      "spec.peerASN 0 is missing",
    ],
    [
      "metallb 18: both peerASN and dynamicASN",
      { ...PEER, dynamicASN: "external" },
      "spec.peerASN 64501 is given beside dynamicASN; remove one of them.",
    ],
    [
      "metallb 19: ebgpMultiHop within one AS",
      { ...PEER, peerASN: 64500, ebgpMultiHop: true },
      "spec.ebgpMultiHop true is for a router of another AS",
    ],
    [
      "metallb 20: a hold time below the keepalive time",
      { ...PEER, holdTime: "30s", keepaliveTime: "90s" },
      'spec.keepaliveTime "90s" is longer than the hold time 30s',
    ],
    [
      "metallb 20: a hold time of one second",
      { ...PEER, holdTime: "1s" },
      'spec.holdTime "1s" is too short; write 0s or at least 3s.',
    ],
    [
      "metallb 24: password and passwordSecret",
      { ...PEER, password: "hunter2", passwordSecret: { name: "s" } },
      "spec.password is given beside passwordSecret; remove one of them.",
    ],
    [
      "metallb 29: neither address nor interface",
      { myASN: 1, peerASN: 2 },
      "spec.peerAddress is missing; write the router's address.",
    ],
    [
      "metallb 29: address and interface",
      { ...PEER, interface: "eth0" },
      'spec.peerAddress "10.0.0.1" is given beside interface; remove one of them.',
    ],
  ])("%s: is refused", (_, spec, sentence) => {
    expect(refusal(spec)).toContain(sentence);
  });

  it.each([
    ["metallb 20: only a hold time", { ...PEER, holdTime: "180s" }],
    ["metallb 20: only a keepalive time", { ...PEER, keepaliveTime: "1m" }],
    ["metallb 20: both zero", { ...PEER, holdTime: "0s", keepaliveTime: "0s" }],
    ["metallb 20: mixed units", { ...PEER, holdTime: "1m30s", keepaliveTime: "30000ms" }],
    ["metallb 29: an interface in place of the address", { myASN: 1, peerASN: 2, interface: "e" }],
    ["metallb 18: a dynamic AS number", { myASN: 1, dynamicASN: "internal", peerAddress: "::1" }],
    ["metallb 29: disableMP and localASN", { ...PEER, disableMP: true, localASN: 64999 }],
  ])("%s: is right", (_, spec) => {
    expect(refusal(spec)).toBeUndefined();
  });
});
