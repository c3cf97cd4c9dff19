import { describe, expect, it } from "vitest";
import { parseConfig } from "../config";
import type { ParsedConfig } from "../config";

const object = (name: string, spec: object): object => ({
  metadata: { name, namespace: "metallb-system" },
  spec,
});
const ROUTER = { myASN: 64500, peerASN: 64501, peerAddress: "10.0.0.1" };
const pool = (...addresses: readonly string[]): object => object("pool", { addresses });

type Raw = Partial<Parameters<typeof parseConfig>[0]>;
const parse = (raw: Raw): ParsedConfig => parseConfig({ pools: [], l2Ads: [], ...raw });
const peer = (spec: object): ReturnType<typeof parse> =>
  parse({ bgpPeers: [object("router", { ...ROUTER, ...spec })] });
const problems = (parsed: ParsedConfig): readonly string[] =>
  parsed.ok ? [] : parsed.errors.map(({ field, problem }) => `${field} ${problem}`);

describe("BGPPeers of a configuration", () => {
  it("metallb 17: need AS numbers and an address, and have MetalLB's defaults", () => {
    expect(peer({}).config.bgpPeers).toEqual([
      {
        ...{ name: "router", myAsn: 64500, peerAsn: 64501, address: "10.0.0.1", port: 179 },
        ...{ holdTime: 90, families: ["ipv4"], nodeSelectors: [] },
      },
    ]);
  });

  it.each([
    [{ holdTime: "180s" }, 180],
    [{ holdTime: "3m" }, 180],
    [{ keepaliveTime: "60s" }, 180],
    [{ holdTime: "30s", keepaliveTime: "5s" }, 30],
    [{ holdTime: "0s", keepaliveTime: "0s" }, 0],
  ])("metallb 20: %j give a hold time of %i s", (spec, holdTime) => {
    expect(peer(spec).config.bgpPeers[0]?.holdTime).toBe(holdTime);
  });

  it("keep what else is said of the session", () => {
    const [one] = peer({
      ...{ peerASN: 0, dynamicASN: "external", localASN: 64510, peerPort: 0 },
      ...{ sourceAddress: "10.0.0.9", routerID: "10.0.0.8", connectTime: "10s" },
      ...{ dualStackAddressFamily: true, nodeSelectors: [{ matchLabels: { rack: "1" } }] },
    }).config.bgpPeers;
    expect(one).toMatchObject({
      ...{ peerAsn: "external", localAsn: 64510, port: 179 },
      ...{ sourceAddress: "10.0.0.9", routerId: "10.0.0.8", connectTime: 10 },
      ...{ families: ["ipv4", "ipv6"], nodeSelectors: [{ matchLabels: { rack: "1" } }] },
    });
    expect(peer({ peerAddress: "fd00::1" }).config.bgpPeers[0]?.families).toEqual(["ipv6"]);
  });

  it("keep where the router is, and how far away it may be", () => {
    const [plain] = peer({}).config.bgpPeers;
    for (const field of ["vrf", "interface", "isMultihop", "hasGracefulRestart"])
      expect(plain).not.toHaveProperty(field);
    expect(peer({ vrf: "red", ebgpMultiHop: true }).config.bgpPeers[0]).toMatchObject({
      ...{ vrf: "red", isMultihop: true },
    });
    expect(peer({ enableGracefulRestart: true }).config.bgpPeers[0]).toMatchObject({
      hasGracefulRestart: true,
    });
  });

  it("metallb 29: on an interface have no address, and carry both families", () => {
    expect(peer({ peerAddress: "", interface: "eth0" }).config.bgpPeers[0]).toMatchObject({
      ...{ address: "", interface: "eth0", families: ["ipv4", "ipv6"] },
    });
  });

  it("are no others with disableMP, which MetalLB ignores, too", () => {
    const [one] = peer({ disableMP: true, dualStackAddressFamily: true }).config.bgpPeers;
    expect(one).toEqual(peer({ dualStackAddressFamily: true }).config.bgpPeers[0]);
  });
});

describe("BFDProfiles of BGPPeers", () => {
  const profile = (spec: object, name = "fast"): object => ({
    ...{ metadata: { name, namespace: "metallb-system" }, spec },
  });
  const watched = (bfdProfiles: readonly object[], spec: object = {}): ParsedConfig =>
    parseConfig({
      ...{ pools: [], l2Ads: [], bfdProfiles },
      bgpPeers: [
        {
          metadata: { name: "tor", namespace: "metallb-system" },
          spec: {
            ...{ myASN: 64500, peerASN: 64501, peerAddress: "10.0.0.1", bfdProfile: "fast" },
            ...spec,
          },
        },
      ],
    });

  it("metallb 27: give what they say, and leave the rest to BFD", () => {
    const [one] = watched([profile({})]).config.bgpPeers;
    expect(one?.bfd).toEqual({ isPassive: false, isMultihop: false });
    const spec = { receiveInterval: 50, transmitInterval: 60, detectMultiplier: 4 };
    const more = { passiveMode: true, minimumTtl: 250 };
    const [other] = watched([profile({ ...spec, ...more })], { ebgpMultiHop: true }).config
      .bgpPeers;
    expect(other?.bfd).toEqual({ ...spec, isPassive: true, minimumTtl: 250, isMultihop: true });
  });

  it.each<[string, object, object]>([
    ["an interval alone is of what we take", { echoInterval: 70 }, { echoReceiveInterval: 70 }],
    [
      "the mode is both ways, at the interval",
      { echoMode: true, echoInterval: 70 },
      { echoReceiveInterval: 70, echoTransmitInterval: 70 },
    ],
    [
      "or at FRR's 50 ms",
      { echoMode: true },
      { echoReceiveInterval: 50, echoTransmitInterval: 50 },
    ],
    ["and off it is as if it were not there", { echoMode: false }, {}],
  ])("metallb 28: of echo: %s", (_what, spec, echo) => {
    const parsed = watched([profile(spec)]);
    expect(problems(parsed)).toEqual([]);
    expect(parsed.config.bgpPeers[0]?.bfd).toEqual({
      isPassive: false,
      isMultihop: false,
      ...echo,
    });
  });

  it("metallb 26: that are missing or double leave the peer out, and say so", () => {
    expect(problems(watched([]))).toEqual(["spec.bfdProfile is no BFDProfile of this namespace"]);
    expect(watched([]).config.bgpPeers).toEqual([]);
    expect(problems(watched([profile({}), profile({})]))).toHaveLength(1);
  });
});

describe("passwords of BGPPeers", () => {
  const secret = (data: Record<string, string>, type = "kubernetes.io/basic-auth"): object => ({
    ...{ metadata: { name: "tor", namespace: "metallb-system" }, type },
    data: Object.fromEntries(
      Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString("base64")]),
    ),
  });
  const named = (...secrets: readonly object[]): ParsedConfig =>
    parse({
      bgpPeers: [object("router", { ...ROUTER, passwordSecret: { name: "tor" } })],
      secrets,
    });

  it("metallb 24, 143: are the field's or the Secret's", () => {
    expect(peer({ password: "s3cret" }).config.bgpPeers[0]?.password).toBe("s3cret");
    expect(named(secret({ password: "s3cret" })).config.bgpPeers[0]?.password).toBe("s3cret");
    expect(peer({ password: "" }).config.bgpPeers[0]).not.toHaveProperty("password");
  });

  it.each<[string, readonly object[], string]>([
    ["that is absent", [], "is no Secret here"],
    [
      "of another type",
      [secret({ password: "x" }, "Opaque")],
      'is no Secret of type kubernetes.io/basic-auth with the key "password"',
    ],
    [
      "without the key",
      [secret({ username: "x" })],
      'is no Secret of type kubernetes.io/basic-auth with the key "password"',
    ],
    [
      "with more than TCP takes",
      [secret({ password: "x".repeat(81) })],
      "is a password of more than 80 bytes",
    ],
  ])("metallb 24: a Secret %s keeps the session from coming up", (_, secrets, problem) => {
    const parsed = named(...secrets);
    expect(problems(parsed)).toEqual([`spec.passwordSecret.name ${problem}`]);
    expect(parsed.config.bgpPeers).toEqual([]);
  });
});

describe("BGPAdvertisements of a configuration", () => {
  const ad = (spec: object, ...addresses: readonly string[]): ParsedConfig =>
    parse({
      pools: addresses.length > 0 ? [pool(...addresses)] : [],
      bgpAds: [object("ad", spec)],
      communities: [
        object("names", {
          communities: [
            { name: "no-export", value: "65535:65281" },
            { name: "site", value: "large:64500:1:2" },
          ],
        }),
      ],
    });

  it("metallb 30: advertise each address of all pools, from all nodes to all peers", () => {
    expect(ad({}, "10.0.0.0/24").config.bgpAds).toEqual([
      {
        ...{ name: "ad", pools: ["pool"], aggregationLength: { ipv4: 32, ipv6: 128 } },
        ...{ communities: [], largeCommunities: [], peers: [] },
        ...{ nodeSelectors: [], serviceSelectors: [], weighsEndpoints: false },
      },
    ]);
  });

  it.each<[string, object, readonly string[], readonly string[]]>([
    [
      "metallb 4: no wider than the pieces of a range",
      { aggregationLength: 26 },
      ["3.3.3.2-3.3.3.254"],
      [],
    ],
    [
      "metallb 4: wider than the pieces of a range",
      { aggregationLength: 24 },
      ["3.3.3.2-3.3.3.254"],
      ["spec.aggregationLength is wider than 3.3.3.2-3.3.3.254 of IPAddressPool pool"],
    ],
    [
      "metallb 5: wider than one entry of several",
      { aggregationLength: 26 },
      ["10.20.30.40/24", "1.2.3.0/28"],
      ["spec.aggregationLength is wider than 1.2.3.0/28 of IPAddressPool pool"],
    ],
    ["metallb 5: no wider than the only entry", { aggregationLength: 26 }, ["10.20.30.40/24"], []],
    [
      "the same for IPv6",
      { aggregationLengthV6: 64 },
      ["fd00::/120"],
      ["spec.aggregationLengthV6 is wider than fd00::/120 of IPAddressPool pool"],
    ],
    [
      "metallb 46: aggregation of selected Services",
      { aggregationLength: 24, serviceSelectors: [{ matchLabels: { a: "b" } }] },
      ["10.0.0.0/24"],
      ["spec.aggregationLength would carry Services that serviceSelectors leave out"],
    ],
    [
      "metallb 46: single addresses of selected Services",
      { aggregationLength: 32, serviceSelectors: [{ matchLabels: { a: "b" } }] },
      ["10.0.0.0/24"],
      [],
    ],
  ])("%s", (_, spec, addresses, expected) => {
    expect(problems(ad(spec, ...addresses))).toEqual(expected);
  });

  it("metallb 35, 37: know communities by value and by name, in both sizes, each once", () => {
    const communities = ["no-export", "64500:7", "site", "large:64500:1:2", "65535:65281"];
    expect(ad({ communities }).config.bgpAds[0]).toMatchObject({
      communities: ["65535:65281", "64500:7"],
      largeCommunities: ["64500:1:2"],
    });
  });

  it.each(["1234", "99999999:1", "1:99999999", "unknown", "1:2:3", "larg:1:2:3", "large:1:x:3"])(
    "metallb 35, 37: are left out for the community %s",
    text => {
      const parsed = ad({ communities: [text] });
      expect(problems(parsed)).toEqual([
        "spec.communities[0] is no community, and no Community object defines that name",
      ]);
      expect(parsed.config.bgpAds).toEqual([]);
    },
  );

  it("metallb 36: an alias belongs to the oldest Community that defines it", () => {
    const alias = (name: string, value: string, second: number): object => ({
      metadata: {
        ...{ name, namespace: "metallb-system" },
        creationTimestamp: `2026-01-01T00:00:0${second}Z`,
      },
      spec: { communities: [{ name: "bar", value }] },
    });
    const parsed = parse({
      communities: [alias("b", "1:2", 2), alias("a", "1:1", 1)],
      bgpAds: [object("ad", { communities: ["bar"] })],
    });
    expect(problems(parsed)).toEqual([
      "spec.communities[0].name is defined by another Community, too",
    ]);
    expect(parsed.config.bgpAds[0]?.communities).toEqual(["1:1"]);
  });

  it("says of the second of two objects with one name that it is left out", () => {
    const parsed = parse({ bgpPeers: [object("a", ROUTER), object("a", { ...ROUTER, myASN: 1 })] });
    expect(problems(parsed)).toEqual([
      "metadata.name is the name of another object of the same kind",
    ]);
    expect(parsed.config.bgpPeers).toHaveLength(1);
  });
});
