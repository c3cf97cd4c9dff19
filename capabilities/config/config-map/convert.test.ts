import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatConfigError } from "../config-error";
import { convertConfigMap } from "./convert";
import type { Conversion } from "./convert";
import { kubernetesName } from "./pieces";

const configMap = (config: string): object => ({
  metadata: { name: "config", namespace: "metallb-system" },
  data: { config },
});
const convert = (config: string): Conversion => convertConfigMap(configMap(config));
const sentences = (config: string): readonly string[] =>
  convert(config).errors.map(formatConfigError);
const specs = ({ resources, errors }: Conversion): readonly (readonly unknown[])[] => {
  expect(errors).toEqual([]);
  return resources.map(({ kind, object }) => [kind, object.metadata.name, object.spec]);
};

describe("the ConfigMap that tutorials show", () => {
  it("layer 2: a pool and its advertisement", () => {
    const text = `
address-pools:
- {name: default, protocol: layer2, addresses: [10.77.1.220-10.77.1.240]}
`;
    expect(specs(convert(text))).toEqual([
      ["IPAddressPool", "default", { addresses: ["10.77.1.220-10.77.1.240"] }],
      ["L2Advertisement", "l2advertisement1", { ipAddressPools: ["default"] }],
    ]);
  });

  it("BGP: a peer, two advertisements of a pool, and a named community", () => {
    const text = `
peers:
- {peer-address: 10.0.0.1, peer-asn: 64501, my-asn: 64500}
address-pools:
- name: default
  protocol: bgp
  addresses: [198.51.100.0/24]
  bgp-advertisements:
  - {aggregation-length: 32, localpref: 100, communities: [no-advertise]}
  - {aggregation-length: 24}
bgp-communities: {no-advertise: "65535:65282"}
`;
    const pool = { ipAddressPools: ["default"] };
    expect(specs(convert(text))).toEqual([
      [
        "BGPPeer",
        "peer1",
        { myASN: 64500, peerASN: 64501, peerAddress: "10.0.0.1", holdTime: "90s" },
      ],
      ["IPAddressPool", "default", { addresses: ["198.51.100.0/24"] }],
      [
        "BGPAdvertisement",
        "bgpadvertisement1",
        { aggregationLength: 32, localPref: 100, communities: ["no-advertise"], ...pool },
      ],
      ["BGPAdvertisement", "bgpadvertisement2", { aggregationLength: 24, ...pool }],
      [
        "Community",
        "communities",
        { communities: [{ name: "no-advertise", value: "65535:65282" }] },
      ],
    ]);
  });

  it("BGP: a peer of some nodes only, and a pool that is not given away by itself", () => {
    const text = `
peers:
- peer-address: 10.0.0.1
  peer-asn: 64501
  my-asn: 64500
  source-address: 10.0.0.2
  node-selectors:
  - match-labels: {rack: frontend}
    match-expressions: [{key: network-speed, operator: NotIn, values: [slow]}]
  - match-expressions: [{key: kubernetes.io/hostname, operator: In, values: [hostA, hostB]}]
address-pools:
- {name: cheap, protocol: bgp, addresses: [192.168.144.0/20]}
- {name: expensive, protocol: bgp, addresses: [42.176.25.64/30], auto-assign: false}
`;
    const slow = { key: "network-speed", operator: "NotIn", values: ["slow"] };
    const hosts = { key: "kubernetes.io/hostname", operator: "In", values: ["hostA", "hostB"] };
    expect(specs(convert(text))).toEqual([
      [
        "BGPPeer",
        "peer1",
        {
          myASN: 64500,
          peerASN: 64501,
          peerAddress: "10.0.0.1",
          sourceAddress: "10.0.0.2",
          holdTime: "90s",
          nodeSelectors: [
            { matchLabels: { rack: "frontend" }, matchExpressions: [slow] },
            { matchExpressions: [hosts] },
          ],
        },
      ],
      ["IPAddressPool", "cheap", { addresses: ["192.168.144.0/20"] }],
      ["IPAddressPool", "expensive", { addresses: ["42.176.25.64/30"], autoAssign: false }],
      ["BGPAdvertisement", "bgpadvertisement1", { ipAddressPools: ["cheap"] }],
      ["BGPAdvertisement", "bgpadvertisement2", { ipAddressPools: ["expensive"] }],
    ]);
  });
});

describe("metallb 159: the ConfigMap's conversion", () => {
  it("gives BFD profiles, and every field of a peer", () => {
    const text = `
bfd-profiles:
- {name: Fast_1, receive-interval: 50, transmit-interval: 60, detect-multiplier: 4, echo-interval: 70,
   echo-mode: yes, passive-mode: off, minimum-ttl: 200}
peers:
- {peer-address: "2001:db8::1", peer-asn: 1, my-asn: 2, peer-port: 1179, hold-time: 30s, keepalive-time: 10s,
   router-id: 10.0.0.9, password: 0123, bfd-profile: Fast_1, ebgp-multihop: true}
`;
    expect(specs(convert(text))).toEqual([
      [
        "BGPPeer",
        "peer1",
        {
          ...{ myASN: 2, peerASN: 1, peerAddress: "2001:db8::1", peerPort: 1179 },
          ...{ holdTime: "30s", keepaliveTime: "10s", routerID: "10.0.0.9" },
          ...{ password: "0123", bfdProfile: "fast-1", ebgpMultiHop: true },
        },
      ],
      [
        "BFDProfile",
        "fast-1",
        {
          ...{ receiveInterval: 50, transmitInterval: 60, detectMultiplier: 4, echoInterval: 70 },
          ...{ echoMode: true, passiveMode: false, minimumTtl: 200 },
        },
      ],
    ]);
  });

  it.each([
    ["My_Ip_Space", "my-ip-space"],
    ["1-2_Rack", "rack"],
    ["_x", "x"],
    ["a".repeat(70), "a".repeat(63)],
  ])("names %s as Kubernetes allows it: %s", (name, expected) => {
    expect(kubernetesName(name)).toBe(expected);
  });

  it("puts the objects into the ConfigMap's namespace, and notes where they come from", () => {
    const text = "address-pools:\n- {name: a, protocol: layer2, addresses: [10.0.0.0/30]}";
    const [pool] = convert(text).resources;
    expect(pool).toMatchObject({
      place: "address-pools[0]",
      object: {
        apiVersion: "metallb.io/v1beta1",
        metadata: {
          namespace: "metallb-system",
          annotations: {
            "ancho.dev/origin": "address-pools[0] of ConfigMap metallb-system/config",
          },
        },
      },
    });
  });

  it.each(["", "{}", "address-pools:", "address-pools: []", "# nothing yet\n"])(
    "finds nothing in %j",
    text => {
      expect(convert(text)).toEqual({ resources: [], errors: [] });
    },
  );

  it("finds nothing where there is no ConfigMap", () => {
    expect(convertConfigMap(undefined)).toEqual({ resources: [], errors: [] });
  });
});

const POOL = "name: a, protocol: layer2, addresses: [10.0.0.0/30]";
const PEER = "peer-address: 10.0.0.1, peer-asn: 1, my-asn: 2";

describe("what is wrong in the ConfigMap", () => {
  it.each([
    [
      "an unknown field at the top",
      "adress-pools: []",
      "adress-pools [] is not a field of MetalLB's configuration; remove it, or write one of peers, bgp-communities, address-pools, bfd-profiles.",
    ],
    [
      "an unknown field of a pool",
      `address-pools: [{${POOL}, autoAssign: false}]`,
      'address-pools[0].autoAssign "false" is not a field of MetalLB\'s configuration; remove it, or write one of name, protocol, addresses, auto-assign, avoid-buggy-ips, bgp-advertisements.',
    ],
    [
      "an address",
      "address-pools: [{name: a, protocol: layer2, addresses: [10.0.0.1]}]",
      'address-pools[0].addresses[0] "10.0.0.1" is a single address, not a range; write "10.0.0.1/32".',
    ],
    [
      "no protocol",
      "address-pools: [{name: a, addresses: [10.0.0.0/30]}]",
      "address-pools[0].protocol is missing; write layer2 or bgp.",
    ],
    [
      "another protocol",
      "address-pools: [{name: a, protocol: ospf, addresses: [10.0.0.0/30]}]",
      'address-pools[0].protocol "ospf" is not one of the allowed values; write layer2 or bgp.',
    ],
    [
      "no name",
      "address-pools: [{protocol: bgp, addresses: [10.0.0.0/30]}]",
      "address-pools[0].name is missing; give it a name of letters.",
    ],
    [
      "a name of digits",
      "bfd-profiles: [{name: '42'}]",
      'bfd-profiles[0].name "42" has no letter that a name could begin with; give it a name of letters.',
    ],
    [
      "BGP advertisements in layer 2",
      `address-pools: [{${POOL}, bgp-advertisements: [{localpref: 1}]}]`,
      "address-pools[0].bgp-advertisements stands in a pool whose protocol is layer2; remove it, or write protocol: bgp.",
    ],
    [
      "an aggregation length",
      "address-pools: [{name: a, protocol: bgp, addresses: [10.0.0.0/30], bgp-advertisements: [{aggregation-length: 33}]}]",
      "address-pools[0].bgp-advertisements[0].aggregation-length 33 is too big; write at most 32.",
    ],
    [
      "a number",
      `peers: [{${PEER}, peer-port: bgp}]`,
      'peers[0].peer-port "bgp" is not a whole number; write digits only.',
    ],
    [
      "a truth value",
      `peers: [{${PEER}, ebgp-multihop: 2}]`,
      'peers[0].ebgp-multihop "2" is neither true nor false; write true or false.',
    ],
    [
      "a node selector's operator",
      `peers: [{${PEER}, node-selectors: [{match-expressions: [{key: a, operator: near, values: [b]}]}]}]`,
      'peers[0].node-selectors[0].match-expressions[0].operator "near" is not one of the allowed values',
    ],
    [
      "a hold time below the least",
      `peers: [{${PEER}, hold-time: 1s}]`,
      'peers[0].hold-time "1s" is too short; write 0s or at least 3s.',
    ],
    [
      "no AS number",
      "peers: [{peer-address: 10.0.0.1, peer-asn: 1}]",
      "peers[0].my-asn is missing; add it, as a number.",
    ],
    ["a community", "bgp-communities: {x: '65536:1'}", "bgp-communities.x"],
    [
      "a list that is none",
      "peers: {a: b}",
      'peers {"a":"b"} is not a list; begin each element with "- ".',
    ],
    ["a text in place of all", "hello", 'config "hello" is not a map'],
    ["a key twice", "peers: []\npeers: []", "data.config is no YAML that can be read: "],
    ["no YAML", "peers: [", "data.config is no YAML that can be read: "],
    ["deep nesting", "[".repeat(50) + "]".repeat(50), "nested more than 32 levels deep"],
  ])("%s is named with its place, value and remedy", (_, text, sentence) => {
    const [first, ...more] = sentences(text);
    expect(first).toContain("ConfigMap metallb-system/config: ");
    expect(first).toContain(sentence);
    expect(more).toEqual([]);
  });

  it("leaves out the element that is wrong, and no other", () => {
    const text = `
address-pools:
- {name: good, protocol: layer2, addresses: [10.0.0.0/30]}
- {name: bad, protocol: layer2, addresses: [10.0.0.0/33]}
- {name: odd, protocol: layer2, addresses: [10.0.1.0/30], color: red}
`;
    const { resources, errors } = convert(text);
    const pools = resources.filter(({ kind }) => kind === "IPAddressPool");
    expect(pools.map(({ object }) => object.metadata.name)).toEqual(["good"]);
    expect(errors.map(({ field }) => field)).toEqual([
      "address-pools[2].color",
      "address-pools[1].addresses[0]",
    ]);
  });

  it("never shows a password", () => {
    const text = `peers: [{${PEER}, password: [hunter2]}, {${PEER}, password: {a: hunter2}}]`;
    expect(sentences(text)).toHaveLength(2);
    expect(sentences(text).join()).not.toContain("hunter2");
  });

  it("is said when the key is missing", () => {
    const { errors } = convertConfigMap({ metadata: { name: "config" }, data: {} });
    expect(errors.map(formatConfigError)).toEqual([
      "ConfigMap config: data.config is missing; write MetalLB's configuration there, or delete the ConfigMap.",
    ]);
  });

  it("is not a billion laughs", () => {
    const levels = Array.from(
      { length: 12 },
      (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`,
    );
    const [sentence] = sentences(["a0: &a0 [x]", ...levels].join("\n"));
    expect(sentence).toContain("data.config is no YAML that can be read");
  });

  it("is never an exception, whatever the text", () => {
    const word = fc.constantFrom(
      "peers",
      "address-pools",
      "name",
      "- ",
      ": ",
      "\n",
      "{",
      "}",
      "[",
      "]",
      "&a",
      "*a",
      "<<",
      "10.0.0.0/24",
      "__proto__",
      "!!int",
    );
    const texts = fc.oneof(
      fc.string(),
      fc.array(word).map(words => words.join("")),
    );
    fc.assert(
      fc.property(texts, text => {
        for (const sentence of sentences(text)) expect(sentence).toMatch(/^ConfigMap .*\.$/s);
      }),
      { numRuns: 2_000 },
    );
  });

  it("is never an exception, whatever the object", () => {
    fc.assert(
      fc.property(fc.anything(), object => {
        expect(Array.isArray(convertConfigMap(object).errors)).toBe(true);
      }),
    );
  });
});
