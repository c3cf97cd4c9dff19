import { describe, expect, it } from "vitest";
import { formatAddress } from "../config/address";
import { serviceOf } from "./fixtures";
import { checkFamilies, parseRequest } from "./request";

const IPS = "metallb.io/loadBalancerIPs";
const LEGACY_IPS = "metallb.universe.tf/loadBalancerIPs";
const ASSIGNED = "ancho.dev/assigned";
const one = { families: ["ipv4"], all: true } as const;
const both = { families: ["ipv4", "ipv6"], all: true } as const;
const preferBoth = { ...both, all: false } as const;

type Parts = NonNullable<Parameters<typeof serviceOf>[1]>;

function read(parts: Parts) {
  const result = parseRequest(serviceOf("shop/web", parts));
  return result.ok
    ? { ...result.request, addresses: result.request.addresses.map(formatAddress) }
    : result.refusal.code;
}

describe("what a Service asks for", () => {
  it.each<[string, Parts, string[]]>([
    ["nothing", {}, []],
    ["metallb 81: spec.loadBalancerIP", { spec: { loadBalancerIP: "1.2.3.1" } }, ["1.2.3.1"]],
    ["metallb 81: the annotation", { annotations: { [IPS]: "1.2.3.1" } }, ["1.2.3.1"]],
    ["the annotation's old name", { annotations: { [LEGACY_IPS]: "1.2.3.1" } }, ["1.2.3.1"]],
    [
      "the new name wins over the old one",
      { annotations: { [IPS]: "1.2.3.1", [LEGACY_IPS]: "1.2.3.2" } },
      ["1.2.3.1"],
    ],
    [
      "metallb 99: one of each family, with spaces",
      { annotations: { [IPS]: "1.2.3.1, 1000::1" } },
      ["1.2.3.1", "1000::1"],
    ],
    [
      "what we wrote ourselves is no request",
      { spec: { loadBalancerIP: "1.2.3.1" }, annotations: { [ASSIGNED]: "1.2.3.1" } },
      [],
    ],
    [
      "what we wrote ourselves for two families is no request",
      { annotations: { [IPS]: "1.2.3.1,1000::1", [ASSIGNED]: "1.2.3.1,1000::1" } },
      [],
    ],
    [
      "another address than ours is a request",
      { spec: { loadBalancerIP: "1.2.3.2" }, annotations: { [ASSIGNED]: "1.2.3.1" } },
      ["1.2.3.2"],
    ],
    [
      "the user's annotation beside our own field is a request",
      {
        spec: { loadBalancerIP: "1.2.3.1" },
        annotations: { [ASSIGNED]: "1.2.3.1", [IPS]: "1.2.3.2" },
      },
      ["1.2.3.2"],
    ],
  ])("%s", (_, parts, addresses) => {
    expect(read(parts)).toMatchObject({ addresses });
  });

  it.each<[string, Parts, string]>([
    [
      "metallb 82: both places",
      { spec: { loadBalancerIP: "1.2.3.1" }, annotations: { [IPS]: "1.2.3.2" } },
      "ContradictoryRequest",
    ],
    ["metallb 83: no address in spec", { spec: { loadBalancerIP: "nope" } }, "MalformedAddress"],
    [
      "metallb 83: no address in the annotation",
      { annotations: { [IPS]: "1.2.3.1,nope" } },
      "MalformedAddress",
    ],
    [
      "metallb 85: two of one family",
      { annotations: { [IPS]: "1.2.3.1,1.2.3.2" } },
      "TooManyAddresses",
    ],
  ])("refuses %s", (_, parts, code) => {
    expect(read(parts)).toBe(code);
  });

  it("reads pool and sharing key under both names", () => {
    const annotations = {
      "metallb.universe.tf/address-pool": "gold",
      "metallb.io/allow-shared-ip": "key",
    };
    expect(read({ annotations })).toMatchObject({ pool: "gold", sharingKey: "key" });
  });
});

describe("families of what is asked for", () => {
  it.each([
    ["metallb 93: IPv6 for an IPv4 Service", "1000::1", one, "WrongFamily"],
    [
      "metallb 93: IPv4 for an IPv6 Service",
      "1.2.3.1",
      { families: ["ipv6"], all: true } as const,
      "WrongFamily",
    ],
    ["metallb 99: one address where two are required", "1.2.3.1", both, "WrongFamily"],
    ["metallb 99: two addresses for one family", "1.2.3.1,1000::1", one, "WrongFamily"],
    ["metallb 99: two addresses for two families", "1.2.3.1,1000::1", both, undefined],
    ["one address where two are only preferred", "1000::1", preferBoth, undefined],
    ["nothing asked for", "", both, undefined],
  ])("%s", (_, text, want, code) => {
    const parsed = parseRequest(serviceOf("shop/web", { annotations: { [IPS]: text } }));
    expect(parsed.ok && checkFamilies(parsed.request, want)?.code).toBe(code);
  });
});
