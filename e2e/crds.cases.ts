import { BFD_PROFILES, BGP_ADS, COMMUNITIES, PEERS } from "./crds.bgp-cases";
import { NAMESPACE, bad, denied, maker, ok, selector } from "./crds.case";
import type { CrdCase, KindCases } from "./crds.case";

const pool = maker("metallb.io/v1beta1", "IPAddressPool");
const l2Ad = maker("metallb.io/v1beta1", "L2Advertisement");
const vip = maker("ancho.dev/v1alpha1", "VirtualIP", "");

const addresses = (...entries: readonly string[]): { addresses: readonly string[] } => ({
  addresses: entries,
});
const POOLS: readonly CrdCase[] = [
  ok("a range, as MetalLB 0.13.9 documents it", pool(addresses("192.11.182.222-192.11.182.226"))),
  ok("a CIDR", pool(addresses("198.51.100.0/24"))),
  ok("a CIDR with host bits", pool(addresses("198.51.100.77/24"))),
  ok("ranges with space around the dash", pool(addresses("198.51.100.1 - 198.51.100.9"))),
  ok(
    "both families",
    pool(addresses("198.51.100.0/28", "2001:db8::/120", "2001:db8:1::1-2001:db8:1::9")),
  ),
  ok(
    "every field",
    pool({
      ...addresses("198.51.100.0/24"),
      autoAssign: false,
      avoidBuggyIPs: true,
      serviceAllocation: {
        priority: 50,
        namespaces: ["namespace-a", "namespace-b"],
        namespaceSelectors: [{ matchLabels: { foo: "bar" } }],
        serviceSelectors: [selector("In", ["a"]), selector("Exists")],
      },
    }),
  ),
  bad("no addresses field", /spec\.addresses: Required value/, pool({})),
  bad("no addresses", /spec\.addresses: Invalid value/, pool(addresses())),
  bad(
    "addresses that are no list",
    /spec\.addresses.*array/s,
    pool({ addresses: "198.51.100.0/24" }),
  ),
  ...[
    "100.200.300.400/24",
    "1.2.3.0/33",
    "1.2.3.4",
    "1.2.3.4-fd00::1",
    "fd00::/129",
    "pool",
    "",
  ].map(entry =>
    bad(
      `the address "${entry}"`,
      /spec\.addresses\[1\].*must be a CIDR/s,
      pool(addresses("198.51.100.0/28", entry)),
    ),
  ),
  bad(
    "a CIDR after a space",
    /spec\.addresses\[0\].*must not begin with a space/s,
    pool(addresses(" 10.0.0.0/8")),
  ),
  bad(
    "autoAssign as text",
    /spec\.autoAssign.*boolean/s,
    pool({ ...addresses("198.51.100.0/24"), autoAssign: "no" }),
  ),
  bad(
    "a priority that is no number",
    /spec\.serviceAllocation\.priority.*integer/s,
    pool({ ...addresses("198.51.100.0/24"), serviceAllocation: { priority: "high" } }),
  ),
  bad(
    "an unknown operator",
    /spec\.serviceAllocation\.serviceSelectors\[0\]\.matchExpressions\[0\]\.operator: Unsupported value: "surrounds"/,
    pool({
      ...addresses("198.51.100.0/24"),
      serviceAllocation: { serviceSelectors: [selector("surrounds", ["a"])] },
    }),
  ),
  denied(
    "a range from its end to its start",
    /spec\.addresses\[0\] "1\.2\.3\.10-1\.2\.3\.1" starts at/,
    pool(addresses("1.2.3.10-1.2.3.1")),
  ),
  denied(
    "an address twice",
    /spec\.addresses\[1\] .* overlaps spec\.addresses\[0\]/,
    pool(addresses("198.51.100.0/24", "198.51.100.7/32")),
  ),
  denied(
    "a namespace twice",
    /spec\.serviceAllocation\.namespaces\[1\] "a" repeats/,
    pool({ ...addresses("198.51.100.0/24"), serviceAllocation: { namespaces: ["a", "a"] } }),
  ),
  denied(
    "another namespace",
    /metadata\.namespace "default" is not the namespace/,
    pool(addresses("198.51.100.0/24"), { namespace: "default" }),
  ),
];

const L2_ADS: readonly CrdCase[] = [
  ok("without a spec's field", l2Ad({})),
  ok("for a pool, as MetalLB 0.13.9 documents it", l2Ad({ ipAddressPools: ["ip-pool"] })),
  ok(
    "every field",
    l2Ad({
      ipAddressPools: ["first-pool"],
      ipAddressPoolSelectors: [{ matchLabels: { zone: "east" } }],
      nodeSelectors: [
        { matchLabels: { "kubernetes.io/hostname": "NodeA" } },
        selector("DoesNotExist"),
      ],
      interfaces: ["eth0"],
      serviceSelectors: [{ matchLabels: { app: "web" } }],
      preferredNodeSelectors: [{ weight: 100, preference: { matchLabels: { role: "edge" } } }],
    }),
  ),
  bad(
    "pools that are no list",
    /spec\.ipAddressPools.*array/s,
    l2Ad({ ipAddressPools: "ip-pool" }),
  ),
  bad(
    "a weight of 0",
    /spec\.preferredNodeSelectors\[0\]\.weight.*greater than or equal to 1/s,
    l2Ad({ preferredNodeSelectors: [{ weight: 0, preference: {} }] }),
  ),
  bad(
    "an unknown operator",
    /spec\.nodeSelectors\[0\].*operator: Unsupported value/s,
    l2Ad({ nodeSelectors: [selector("Is", ["a"])] }),
  ),
  denied(
    "a pool twice",
    /spec\.ipAddressPools\[1\] "a" repeats/,
    l2Ad({ ipAddressPools: ["a", "a"] }),
  ),
  denied(
    "In without values",
    /spec\.nodeSelectors\[0\]\.matchExpressions\[0\]\.values is empty/,
    l2Ad({ nodeSelectors: [selector("In")] }),
  ),
  denied("another namespace", /metadata\.namespace "default"/, l2Ad({}, { namespace: "default" })),
];

const claim = (address: string): object => ({
  address,
  pool: "ip-pool",
  reason: "the first free address of the pool",
  holders: [
    {
      namespace: "default",
      name: "web",
      claimedAt: "2026-01-02T03:04:05Z",
      ports: [{ protocol: "TCP", port: 80 }],
    },
  ],
});

const VIPS: readonly CrdCase[] = [
  ok("IPv4", vip(claim("172.30.0.240"), { name: "172.30.0.240" })),
  ok("IPv6", vip(claim("fd00:30::240"), { name: "fd00-0030-0000-0000-0000-0000-0000-0240" })),
  bad(
    "named by another address",
    /must be named by its address/,
    vip(claim("172.30.0.240"), { name: "172.30.0.241" }),
  ),
  bad(
    "named by a short IPv6 address",
    /eight groups/,
    vip(claim("fd00:30::240"), { name: "fd00-30-240" }),
  ),
  bad(
    "no pool",
    /spec\.pool: Required value/,
    vip({ address: "172.30.0.240", reason: "", holders: [] }, { name: "172.30.0.240" }),
  ),
  bad(
    "a phase that there is not",
    /spec\.phase: Unsupported value: "Lost"/,
    vip({ ...claim("172.30.0.240"), phase: "Lost" }, { name: "172.30.0.240" }),
  ),
  bad(
    "a holder's port of 0",
    /spec\.holders\[0\]\.ports\[0\]\.port/,
    vip(
      {
        ...claim("172.30.0.240"),
        holders: [
          {
            namespace: "a",
            claimedAt: "2026-01-02T03:04:05Z",
            ports: [{ protocol: "TCP", port: 0 }],
          },
        ],
      },
      { name: "172.30.0.240" },
    ),
  ),
];

/** Every kind that users or Ancho write a spec of. */
export const crdCases: readonly KindCases[] = [
  { kind: "IPAddressPool", resource: "ipaddresspools.metallb.io", cases: POOLS },
  { kind: "L2Advertisement", resource: "l2advertisements.metallb.io", cases: L2_ADS },
  { kind: "BGPAdvertisement", resource: "bgpadvertisements.metallb.io", cases: BGP_ADS },
  { kind: "BGPPeer", resource: "bgppeers.metallb.io", cases: PEERS },
  { kind: "BFDProfile", resource: "bfdprofiles.metallb.io", cases: BFD_PROFILES },
  { kind: "Community", resource: "communities.metallb.io", cases: COMMUNITIES },
  { kind: "VirtualIP", resource: "virtualips.ancho.dev", cases: VIPS },
];

/** A status that the API server accepts and one that it must refuse after it. */
export type StatusCase = {
  readonly resource: string;
  readonly object: {
    readonly metadata: { readonly name: string };
    readonly [field: string]: unknown;
  };
  readonly good: object;
  readonly bad: object;
  readonly refusedWith: RegExp;
};

const NAME = { name: "crd-status-case", namespace: NAMESPACE };

/** The kinds whose status Ancho writes. */
export const statusCases: readonly StatusCase[] = [
  {
    resource: "servicel2statuses.metallb.io",
    object: { apiVersion: "metallb.io/v1beta1", kind: "ServiceL2Status", metadata: NAME },
    good: {
      node: "n1",
      serviceName: "web",
      serviceNamespace: "default",
      interfaces: [{ name: "eth0" }],
    },
    bad: { node: "n2" },
    refusedWith: /status\.node.*immutable/s,
  },
  {
    resource: "servicebgpstatuses.metallb.io",
    object: { apiVersion: "metallb.io/v1beta1", kind: "ServiceBGPStatus", metadata: NAME },
    good: { node: "n1", serviceName: "web", serviceNamespace: "default", peers: ["peer-a"] },
    bad: { serviceName: "other" },
    refusedWith: /status\.serviceName.*immutable/s,
  },
  {
    resource: "configurationstates.metallb.io",
    object: { apiVersion: "metallb.io/v1beta1", kind: "ConfigurationState", metadata: NAME },
    good: {
      result: "Valid",
      conditions: [
        {
          type: "poolReconcilerValid",
          status: "True",
          reason: "Reconciled",
          message: "",
          lastTransitionTime: "2026-01-02T03:04:05Z",
        },
      ],
    },
    bad: { result: "Maybe" },
    refusedWith: /status\.result: Unsupported value: "Maybe"/,
  },
  {
    resource: "virtualips.ancho.dev",
    object: vip(claim("203.0.113.250"), { name: "203.0.113.250" }) as StatusCase["object"],
    good: {
      protocol: "layer2",
      intendedOwner: {
        node: "n1",
        mac: "02:00:00:00:00:01",
        interface: "eth0",
        since: "2026-01-02T03:04:05Z",
      },
    },
    bad: { intendedOwner: { mode: "bridge" } },
    refusedWith: /status\.intendedOwner\.mode: Unsupported value: "bridge"/,
  },
];
