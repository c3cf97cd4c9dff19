import { parseConfig } from "../../../capabilities/config/config";
import type { IPAddressPool } from "../../../capabilities/config/kinds/ip-address-pool";
import { refusalOf } from "../../../capabilities/config/validators/verdict";
import type { ValidatedKind } from "../../../capabilities/config/validators/parsers";
import type { Verdict } from "../../../capabilities/ipam/validation";
import type { Service } from "../../../capabilities/ipam/service";
import type { Surroundings } from "../../../capabilities/ipam/situation";
import { describeImpact, impactOf } from "../../../capabilities/ipam/pool-review/impact";
import { overlapRefusal } from "../../../capabilities/ipam/pool-review/neighbours";
import { bgpRefusal } from "../../../capabilities/ipam/bgp-review/review";
import type { ReviewedKind } from "../../../capabilities/ipam/bgp-review/review";
import { PROTECT, judge } from "../../../capabilities/ipam/pool-review/review";
import type { Example } from "./example";
import { CONFIG_NAMESPACE, annotated, pool, resource, service } from "./manifest";
import type { Manifest } from "./manifest";

const selector = (key: string, operator: string, values?: readonly string[]): object => ({
  matchExpressions: [{ key, operator, ...(values ? { values } : {}) }],
});
const l2 = (spec: object): Manifest => resource("L2Advertisement", "example", spec);
const bgp = (spec: object): Manifest => resource("BGPAdvertisement", "example", spec);
const peer = (spec: object): Manifest =>
  resource("BGPPeer", "example", {
    myASN: 64500,
    peerASN: 64501,
    peerAddress: "10.0.0.1",
    ...spec,
  });
const community = (...communities: readonly object[]): Manifest =>
  resource("Community", "example", { communities });
const elsewhere = (manifest: Manifest): Manifest => ({
  ...manifest,
  metadata: { ...manifest.metadata, namespace: "default" },
});

/** What is wrong with one resource by itself. */
const single: readonly (readonly [rule: string, manifest: Manifest])[] = [
  ["a resource in another namespace", elsewhere(pool("example", ["172.30.0.120/30"]))],
  ["a range that runs backwards", pool("example", ["172.30.0.123-172.30.0.120"])],
  ["addresses twice in one pool", pool("example", ["172.30.0.120/30", "172.30.0.121/32"])],
  [
    "a namespace twice",
    pool("example", ["172.30.0.120/30"], { serviceAllocation: { namespaces: ["a", "a"] } }),
  ],
  [
    "a time that is none",
    annotated(pool("example", ["172.30.0.120/30"]), { "ancho.dev/reclaim-after": "a while" }),
  ],
  ["a pool twice", l2({ ipAddressPools: ["a", "a"] })],
  ["an operator without values", l2({ nodeSelectors: [selector("zone", "In")] })],
  ["an operator with values too many", l2({ nodeSelectors: [selector("zone", "Exists", ["a"])] })],
  ["what is no label key", l2({ nodeSelectors: [selector("a b", "Exists")] })],
  ["what is no label value", l2({ nodeSelectors: [{ matchLabels: { zone: "a b" } }] })],
  ["a selector twice", bgp({ nodeSelectors: [selector("a", "Exists"), selector("a", "Exists")] })],
  ["a peer twice", bgp({ peers: ["a", "a"] })],
  ["an address of a peer that is none", peer({ peerAddress: "1.2.3.400" })],
  ["a router ID that is none", peer({ routerID: "router-1" })],
  ["a community that does not fit", community({ name: "a", value: "large:64500:1:4294967296" })],
  ["an alias twice", community({ name: "a", value: "64500:1" }, { name: "a", value: "64500:2" })],
];

const NARROW = pool("example", ["172.30.0.120/30"]);
const preferring = (name: string, localPref: number): Manifest =>
  resource("BGPAdvertisement", name, { ipAddressPools: ["example"], localPref });

/** BGP's resources, judged beside others. */
const beside: readonly Pick<Example, "rule" | "given" | "manifest">[] = [
  {
    rule: "an aggregation that is wider than the pool",
    given: [NARROW],
    manifest: bgp({ ipAddressPools: ["example"], aggregationLength: 24 }),
  },
  {
    rule: "two local preferences for one prefix",
    given: [NARROW, preferring("example", 100)],
    manifest: preferring("example-2", 200),
  },
  {
    rule: "a router twice",
    given: [peer({})],
    manifest: { ...peer({}), metadata: { name: "example-2", namespace: CONFIG_NAMESPACE } },
  },
  {
    rule: "an alias of another Community",
    given: [community({ name: "a", value: "64500:1" })],
    manifest: resource("Community", "example-2", {
      communities: [{ name: "a", value: "64500:2" }],
    }),
  },
];

const WIDE = pool("example", ["172.30.0.120-172.30.0.123"]);
const GUARDED = annotated(WIDE, { [PROTECT]: "true" });
const SMALLER = pool("example", ["172.30.0.120/32"]);
const USER = service("web", { annotations: { "metallb.io/loadBalancerIPs": "172.30.0.122" } });

type Change = Pick<Example, "rule" | "given" | "manifest"> & {
  readonly isDeletion?: boolean;
};

/** Changes of pools, judged against the rest of the cluster. */
const changes: readonly Change[] = [
  {
    rule: "addresses of another pool",
    given: [WIDE],
    manifest: pool("example-2", ["172.30.0.123-172.30.0.124"]),
  },
  { rule: "a pool that becomes smaller", given: [WIDE, USER], manifest: SMALLER },
  {
    rule: "a pool that other namespaces have to themselves",
    given: [WIDE, USER],
    manifest: pool("example", ["172.30.0.120-172.30.0.123"], {
      serviceAllocation: { namespaces: ["team-a"] },
    }),
  },
  { rule: "a pool that is deleted", given: [WIDE, USER], manifest: WIDE, isDeletion: true },
  {
    rule: `a pool with the annotation \`${PROTECT}\` that becomes smaller`,
    given: [GUARDED, USER],
    manifest: annotated(SMALLER, { [PROTECT]: "true" }),
  },
  {
    rule: `a pool with the annotation \`${PROTECT}\` that is deleted`,
    given: [GUARDED, USER],
    manifest: GUARDED,
    isDeletion: true,
  },
];

/** What is said of resources of `metallb.io`, each with an example and the sentence that the code has for it. */
export const configRules: readonly Example[] = [
  ...single.map(([rule, manifest]) => ({
    ...{ rule, manifest, given: [], isRefused: true },
    says: refusalOf(manifest.kind as ValidatedKind, manifest, CONFIG_NAMESPACE) ?? "",
  })),
  ...beside.map(example => ({
    ...example,
    ...{ isRefused: true, says: refusedBeside(example) },
  })),
  ...changes.map(change => {
    const verdict = verdictFor(change);
    return verdict.allowed
      ? { ...change, isRefused: false, says: verdict.warnings.join(" ") }
      : { ...change, isRefused: true, says: verdict.message };
  }),
];

function refusedBeside({ given, manifest }: Pick<Example, "given" | "manifest">): string {
  const of = (wanted: string): readonly Manifest[] => given.filter(({ kind }) => kind === wanted);
  const others = {
    ...{ pools: of("IPAddressPool"), bgpAds: of("BGPAdvertisement"), bgpPeers: of("BGPPeer") },
    ...{ communities: of("Community"), configMap: undefined, nodes: [{}] },
  };
  return bgpRefusal(manifest.kind as ReviewedKind, manifest, others) ?? "";
}

function verdictFor({ given, manifest, isDeletion }: Change): Verdict {
  const present = given.filter(({ kind }) => kind === "IPAddressPool");
  const others = present.filter(({ metadata }) => metadata.name !== manifest.metadata.name);
  const overlap = overlapRefusal(manifest, others);
  if (overlap !== undefined) return { allowed: false, message: overlap };
  const services = given.filter(({ kind }) => kind === "Service").map(withAddress);
  const surroundings = (pools: readonly Manifest[]): Surroundings => ({
    config: parseConfig({ pools, l2Ads: [] }).config,
    cluster: ["ipv4"],
    namespaceLabels: () => ({}),
  });
  const after = surroundings(isDeletion ? others : [...others, manifest]);
  const hits = describeImpact(impactOf(services, surroundings(present), after, undefined));
  const old = present.find(({ metadata }) => metadata.name === manifest.metadata.name);
  const asPool = (one: Manifest | undefined): IPAddressPool | undefined =>
    one as IPAddressPool | undefined;
  return judge(
    { pool: asPool(isDeletion ? undefined : manifest), old: asPool(old) },
    hits ?? "",
    [],
  );
}

/** The Service as it is once it has the address that it asks for. */
function withAddress(manifest: Manifest): Service {
  const ip = manifest.metadata.annotations?.["metallb.io/loadBalancerIPs"] ?? "";
  return { ...manifest, status: { loadBalancer: { ingress: [{ ip }] } } };
}
