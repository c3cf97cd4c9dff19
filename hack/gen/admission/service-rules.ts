import { parseConfig, poolOf } from "../../../capabilities/config/config";
import { parseAddress } from "../../../capabilities/config/address";
import { SHARING } from "../../../capabilities/config/sharing-guard";
import { holderOf, joinRefusal } from "../../../capabilities/ipam/claim";
import { formatRefusal } from "../../../capabilities/ipam/refusal";
import type { RefusalCode } from "../../../capabilities/ipam/refusal";
import { parseRequest } from "../../../capabilities/ipam/request";
import { serviceTitle } from "../../../capabilities/ipam/service";
import type { Service } from "../../../capabilities/ipam/service";
import { describeSituation } from "../../../capabilities/ipam/situation";
import { heldRefusal, judgeWaiting } from "../../../capabilities/ipam/validation";
import type { Holder } from "../../../capabilities/config/kinds/virtual-ip";
import { annotated, pool, service } from "./manifest";
import type { Manifest } from "./manifest";
import type { Example } from "./example";

const POOL = pool("example", ["172.30.0.120-172.30.0.123"]);
const FULL = pool("example-full", ["172.30.0.124/32"]);
const ask = (loadBalancerIP: string, spec: object = {}): Manifest =>
  service("web", { spec: { loadBalancerIP, ...spec } });
const asks = (annotations: Record<string, string>, spec: object = {}): Manifest =>
  service("web", { annotations, spec });
const IPS = "metallb.io/loadBalancerIPs";
const SHARE = "metallb.io/allow-shared-ip";
const holder = (annotations: Record<string, string>, spec: object = {}): Manifest =>
  service("api", { annotations: { [IPS]: "172.30.0.120", ...annotations }, spec });

/** A namespace that every cluster has and admission looks at. */
const elsewhere = (manifest: Manifest): Manifest => ({
  ...manifest,
  metadata: { ...manifest.metadata, namespace: "kube-public" },
});

type Case = Omit<Example, "says" | "isRefused">;

/** One example for every reason to refuse a Service: the compiler misses none. */
const refused: Readonly<Record<RefusalCode, readonly Case[]>> = {
  MalformedAddress: [{ rule: "an address that is none", given: [POOL], manifest: ask("172.30.0") }],
  ContradictoryRequest: [
    {
      rule: "two different requests",
      given: [POOL],
      manifest: asks({ [IPS]: "172.30.0.121" }, { loadBalancerIP: "172.30.0.120" }),
    },
  ],
  TooManyAddresses: [
    {
      rule: "two addresses of one family",
      given: [POOL],
      manifest: asks({ [IPS]: "172.30.0.120,172.30.0.121" }),
    },
  ],
  WrongFamily: [
    {
      rule: "an address of a family that the Service does not have",
      given: [POOL],
      manifest: ask("fd00:30::120"),
    },
    {
      rule: "one address where two families are required",
      given: [POOL],
      manifest: ask("172.30.0.120", {
        ipFamilies: ["IPv4", "IPv6"],
        ipFamilyPolicy: "RequireDualStack",
      }),
    },
  ],
  AddressInNoPool: [
    { rule: "an address of no pool", given: [POOL], manifest: ask("198.51.100.1") },
  ],
  UnknownPool: [
    {
      rule: "a pool that does not exist",
      given: [POOL],
      manifest: asks({ "metallb.io/address-pool": "exmaple" }),
    },
  ],
  PoolNotForService: [
    {
      rule: "a pool whose `serviceAllocation` does not let the Service in",
      given: [
        pool("example", ["172.30.0.120-172.30.0.123"], {
          serviceAllocation: { namespaces: ["team-a"] },
        }),
      ],
      manifest: ask("172.30.0.120"),
    },
  ],
  AddressNotInPool: [
    {
      rule: "an address of one pool and the name of another",
      given: [POOL, FULL],
      manifest: asks({ [IPS]: "172.30.0.124", "metallb.io/address-pool": "example" }),
    },
  ],
  AvoidedAddress: [
    {
      rule: "an address that `avoidBuggyIPs` leaves out",
      given: [pool("example", ["172.30.1.0/30"], { avoidBuggyIPs: true })],
      manifest: ask("172.30.1.0"),
    },
  ],
  AddressHeld: [
    {
      rule: "an address that another Service has",
      given: [POOL, holder({})],
      manifest: ask("172.30.0.120"),
    },
  ],
  SharingRefused: [
    {
      rule: "an address that is shared under another key",
      given: [POOL, holder({ [SHARE]: "blue" })],
      manifest: asks({ [SHARE]: "green" }, { loadBalancerIP: "172.30.0.120" }),
    },
    {
      rule: "a shared address whose port is taken",
      given: [POOL, holder({ [SHARE]: "blue" })],
      manifest: asks({ [SHARE]: "blue" }, { loadBalancerIP: "172.30.0.120" }),
    },
    {
      rule: "a shared address of another namespace, where the pool shares within a namespace",
      given: [annotated(POOL, { [SHARING]: "namespace" }), elsewhere(holder({ [SHARE]: "blue" }))],
      manifest: asks(
        { [SHARE]: "blue" },
        { loadBalancerIP: "172.30.0.120", ports: [{ port: 443, protocol: "TCP" }] },
      ),
    },
    {
      rule: "a shared address with `externalTrafficPolicy: Local` and other pods",
      given: [POOL, holder({ [SHARE]: "blue" }, { selector: { app: "api" } })],
      manifest: asks(
        { [SHARE]: "blue" },
        {
          loadBalancerIP: "172.30.0.120",
          externalTrafficPolicy: "Local",
          selector: { app: "web" },
          ports: [{ port: 443, protocol: "TCP" }],
        },
      ),
    },
  ],
};

const warned: readonly Case[] = [
  {
    rule: "a pool that has no free address",
    given: [FULL, service("api", { annotations: { [IPS]: "172.30.0.124" } })],
    manifest: asks({ "metallb.io/address-pool": "example-full" }),
  },
  {
    rule: "a family that the pool does not have",
    given: [POOL],
    manifest: asks({ "metallb.io/address-pool": "example" }, { ipFamilies: ["IPv6"] }),
  },
];

/** What is said of Services, each with an example and the sentence that the code has for it. */
export const serviceRules: readonly Example[] = [
  ...Object.values(refused)
    .flat()
    .map(one => ({ ...one, isRefused: true, says: refusalFor(one) })),
  ...warned.map(one => ({ ...one, isRefused: false, says: warningFor(one) })),
];

function situationFor({ given, manifest }: Case): ReturnType<typeof describeSituation> {
  const pools = given.filter(({ kind }) => kind === "IPAddressPool");
  return describeSituation(manifest as Service, manifest.metadata.namespace, {
    config: parseConfig({ pools, l2Ads: [] }).config,
    cluster: ["ipv4", "ipv6"],
    namespaceLabels: () => ({}),
  });
}

function refusalFor(one: Case): string {
  const title = serviceTitle(one.manifest as Service);
  const described = situationFor(one);
  if (!described.ok) return formatRefusal(title, described.refusal);
  const asService = (manifest: Manifest): Service => manifest as Service;
  const holderFor = (manifest: Manifest): Holder =>
    holderOf(asService(manifest), { namespace: manifest.metadata.namespace, now: 0 });
  const address = parseAddress("172.30.0.120");
  const holders = one.given.filter(({ kind }) => kind === "Service").map(holderFor);
  const refusal = joinRefusal(holders, {
    mine: holderFor(one.manifest),
    sharing: (address && poolOf(described.situation.config, address))?.sharing ?? "all",
  });
  const request = parseRequest(asService(one.manifest));
  if (!refusal || !request.ok || !address) throw new Error(`nothing refuses ${one.rule}`);
  return formatRefusal(title, heldRefusal(request.request.field, address, refusal));
}

function warningFor(one: Case): string {
  const described = situationFor(one);
  if (!described.ok) throw new Error(`${one.rule} is refused`);
  const { metadata } = one.manifest;
  const review = {
    service: one.manifest as Service,
    old: undefined,
    namespace: metadata.namespace,
  };
  const admitting = { rejectsWaiting: false, lbClass: undefined };
  const verdict = judgeWaiting(admitting, described.situation, review);
  return verdict.allowed ? verdict.warnings.join(" ") : verdict.message;
}
