import { NAMESPACE, bad, denied, maker, ok, selector } from "./crds.case";
import type { CrdCase } from "./crds.case";

const bgpAd = maker("metallb.io/v1beta1", "BGPAdvertisement");
const peer = maker("metallb.io/v1beta2", "BGPPeer");
const oldPeer = maker("metallb.io/v1beta1", "BGPPeer");
const bfd = maker("metallb.io/v1beta1", "BFDProfile");
const community = maker("metallb.io/v1beta1", "Community");

/** BGPAdvertisement. */
export const BGP_ADS: readonly CrdCase[] = [
  ok("without a spec's field", bgpAd({})),
  ok(
    "every field",
    bgpAd({
      aggregationLength: 30,
      aggregationLengthV6: 126,
      localPref: 4294967295,
      communities: ["65535:65282", "large:64500:1:2", "no-advertise"],
      ipAddressPools: ["bgp-pool"],
      ipAddressPoolSelectors: [{ matchLabels: { zone: "east" } }],
      nodeSelectors: [{ matchLabels: { rack: "a" } }],
      peers: ["peer-a"],
    }),
  ),
  ok(
    "chosen Services by their own addresses",
    bgpAd({ aggregationLength: 32, serviceSelectors: [{ matchLabels: { a: "b" } }] }),
  ),
  bad(
    "chosen Services by an IPv4 prefix",
    /spec.*serviceSelectors need aggregationLength 32/s,
    bgpAd({ aggregationLength: 24, serviceSelectors: [{}] }),
  ),
  bad(
    "chosen Services by an IPv6 prefix",
    /spec.*serviceSelectors need aggregationLength 32/s,
    bgpAd({ aggregationLengthV6: 64, serviceSelectors: [{}] }),
  ),
  bad("an aggregationLength of 0", /spec\.aggregationLength/, bgpAd({ aggregationLength: 0 })),
  bad("an aggregationLength of 34", /spec\.aggregationLength/, bgpAd({ aggregationLength: 34 })),
  bad(
    "an aggregationLengthV6 of 129",
    /spec\.aggregationLengthV6/,
    bgpAd({ aggregationLengthV6: 129 }),
  ),
  bad("a localPref of 2^32", /spec\.localPref/, bgpAd({ localPref: 4294967296 })),
  denied("a peer twice", /spec\.peers\[1\] "a" repeats/, bgpAd({ peers: ["a", "a"] })),
];

/** BGPPeer, in both versions. */
export const PEERS: readonly CrdCase[] = [
  ok("the least there can be", peer({ myASN: 64500, peerASN: 64501, peerAddress: "10.0.0.1" })),
  ok(
    "AS numbers of four octets",
    peer({ myASN: 4200000000, peerASN: 4294967295, peerAddress: "fd00::1" }),
  ),
  ok(
    "unnumbered, in a dynamic AS",
    peer({ myASN: 64500, dynamicASN: "external", interface: "eth0" }),
  ),
  ok(
    "every field",
    peer({
      myASN: 64500,
      peerASN: 64501,
      localASN: 64499,
      peerAddress: "172.30.0.3",
      sourceAddress: "172.30.0.11",
      peerPort: 180,
      holdTime: "1m30s",
      keepaliveTime: "30s",
      connectTime: "10s",
      routerID: "10.10.10.10",
      nodeSelectors: [
        {
          matchLabels: { rack: "frontend" },
          matchExpressions: [{ key: "network-speed", operator: "NotIn", values: ["slow"] }],
        },
      ],
      passwordSecret: { name: "peer-password", namespace: NAMESPACE },
      bfdProfile: "testbfdprofile",
      enableGracefulRestart: true,
      ebgpMultiHop: true,
      vrf: "red",
      disableMP: false,
      dualStackAddressFamily: true,
    }),
  ),
  ok(
    "v1beta1",
    oldPeer({
      myASN: 64500,
      peerASN: 64501,
      peerAddress: "10.0.0.1",
      peerPort: 0,
      holdTime: "90s",
      password: "x",
      nodeSelectors: [selector("In", ["a"])],
    }),
  ),
  bad(
    "v1beta1 without an address",
    /spec\.peerAddress: Required value/,
    oldPeer({ myASN: 64500, peerASN: 64501 }),
  ),
  bad("no myASN", /spec\.myASN: Required value/, peer({ peerASN: 64501, peerAddress: "10.0.0.1" })),
  bad(
    "a myASN of 0",
    /spec.*myASN must be set/s,
    peer({ myASN: 0, peerASN: 64501, peerAddress: "10.0.0.1" }),
  ),
  bad(
    "a myASN of 2^32",
    /spec\.myASN/,
    peer({ myASN: 4294967296, peerASN: 64501, peerAddress: "10.0.0.1" }),
  ),
  bad(
    "neither peerASN nor dynamicASN",
    /exactly one of peerASN and dynamicASN/,
    peer({ myASN: 64500, peerAddress: "10.0.0.1" }),
  ),
  bad(
    "both peerASN and dynamicASN",
    /exactly one of peerASN and dynamicASN/,
    peer({ myASN: 64500, peerASN: 1, dynamicASN: "internal", peerAddress: "10.0.0.1" }),
  ),
  bad(
    "an unknown dynamicASN",
    /spec\.dynamicASN: Unsupported value: "any"/,
    peer({ myASN: 64500, dynamicASN: "any", peerAddress: "10.0.0.1" }),
  ),
  bad(
    "neither address nor interface",
    /exactly one of peerAddress and interface/,
    peer({ myASN: 64500, peerASN: 64501 }),
  ),
  bad(
    "both address and interface",
    /exactly one of peerAddress and interface/,
    peer({ myASN: 64500, peerASN: 64501, peerAddress: "10.0.0.1", interface: "eth0" }),
  ),
  bad(
    "multi-hop inside an AS",
    /ebgpMultiHop is for a peer in another AS/,
    peer({ myASN: 64500, peerASN: 64500, peerAddress: "10.0.0.1", ebgpMultiHop: true }),
  ),
  bad(
    "two passwords",
    /only one of password and passwordSecret/,
    peer({
      myASN: 64500,
      peerASN: 64501,
      peerAddress: "10.0.0.1",
      password: "a",
      passwordSecret: { name: "b" },
    }),
  ),
  bad(
    "a holdTime of 1s",
    /spec\.holdTime.*must be 0s or at least 3s/s,
    peer({ myASN: 64500, peerASN: 64501, peerAddress: "10.0.0.1", holdTime: "1s" }),
  ),
  bad(
    "a holdTime without a unit",
    /spec\.holdTime/,
    peer({ myASN: 64500, peerASN: 64501, peerAddress: "10.0.0.1", holdTime: "90" }),
  ),
  bad(
    "a keepaliveTime beyond the holdTime",
    /keepaliveTime must not be longer/,
    peer({
      myASN: 64500,
      peerASN: 64501,
      peerAddress: "10.0.0.1",
      holdTime: "30s",
      keepaliveTime: "90s",
    }),
  ),
  bad(
    "a connectTime of 0s",
    /spec\.connectTime.*between 1 seconds/s,
    peer({ myASN: 64500, peerASN: 64501, peerAddress: "10.0.0.1", connectTime: "0s" }),
  ),
  bad(
    "a connectTime of 1.5s",
    /spec\.connectTime.*whole number/s,
    peer({ myASN: 64500, peerASN: 64501, peerAddress: "10.0.0.1", connectTime: "1500ms" }),
  ),
  bad(
    "a port of 20000",
    /spec\.peerPort/,
    peer({ myASN: 64500, peerASN: 64501, peerAddress: "10.0.0.1", peerPort: 20000 }),
  ),
  denied(
    "an address that is none",
    /spec\.peerAddress "1\.2\.3\.400" is not an IP address/,
    peer({ myASN: 64500, peerASN: 64501, peerAddress: "1.2.3.400" }),
  ),
  denied(
    "a routerID that is none",
    /spec\.routerID "me" is not an IP address/,
    peer({ myASN: 64500, peerASN: 64501, peerAddress: "10.0.0.1", routerID: "me" }),
  ),
];

/** BFDProfile. */
export const BFD_PROFILES: readonly CrdCase[] = [
  ok("without a spec's field", bfd({})),
  ok(
    "every field",
    bfd({
      receiveInterval: 380,
      transmitInterval: 270,
      detectMultiplier: 3,
      echoInterval: 50,
      echoMode: true,
      passiveMode: true,
      minimumTtl: 254,
    }),
  ),
  ...[
    { receiveInterval: 9 },
    { transmitInterval: 60001 },
    { echoInterval: 9 },
    { detectMultiplier: 1 },
    { minimumTtl: 255 },
  ].map(spec =>
    bad(JSON.stringify(spec), new RegExp(`spec\\.${Object.keys(spec).join("")}`), bfd(spec)),
  ),
];

/** Community. */
export const COMMUNITIES: readonly CrdCase[] = [
  ok(
    "both forms",
    community({
      communities: [
        { name: "vpn1", value: "1234:1" },
        { name: "big", value: "large:64500:1:4294967295" },
      ],
    }),
  ),
  ...["1234", "99999999:1", "1:99999999", "larg:1:2:3", "large:12345:wrong:12345", "1:2:3"].map(
    value =>
      bad(
        `the value "${value}"`,
        /spec\.communities\[0\]\.value/,
        community({ communities: [{ name: "a", value }] }),
      ),
  ),
  denied(
    "a number beyond 32 bits",
    /spec\.communities\[0\]\.value "large:1:2:4294967296"/,
    community({ communities: [{ name: "a", value: "large:1:2:4294967296" }] }),
  ),
  denied(
    "a name twice",
    /spec\.communities\[1\] .* repeats/,
    community({
      communities: [
        { name: "a", value: "1:2" },
        { name: "a", value: "1:3" },
      ],
    }),
  ),
];
