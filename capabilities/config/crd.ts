import type * as z from "zod";
import { bfdProfileResource, bfdProfileSchema } from "./kinds/bfd-profile";
import { bgpAdvertisementResource, bgpAdvertisementSchema } from "./kinds/bgp-advertisement";
import { bgpPeerResource, bgpPeerSchema } from "./kinds/bgp-peer";
import { bgpPeerV1beta1Schema } from "./kinds/bgp-peer-v1beta1";
import { communityResource, communitySchema } from "./kinds/community";
import { configurationStateResource, configurationStateSchema } from "./kinds/configuration-state";
import { ipAddressPoolResource, ipAddressPoolSchema } from "./kinds/ip-address-pool";
import { l2AdvertisementResource, l2AdvertisementSchema } from "./kinds/l2-advertisement";
import type { Resource } from "./kinds/resource";
import { serviceBGPStatusResource, serviceBGPStatusSchema } from "./kinds/service-bgp-status";
import { serviceL2StatusResource, serviceL2StatusSchema } from "./kinds/service-l2-status";
import { virtualIPResource, virtualIPSchema } from "./kinds/virtual-ip";
import { structuralSchema } from "./structural-schema";
import type { JsonSchema } from "./structural-schema";

/** A column of `kubectl get`; those with a priority above 0 only in `-o wide`. */
type Column = {
  readonly name: string;
  readonly type: "string" | "integer" | "boolean" | "date";
  readonly jsonPath: string;
  readonly priority?: number;
};

type Version = {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly deprecated?: boolean;
  readonly deprecationWarning?: string;
  readonly schema: { readonly openAPIV3Schema: JsonSchema };
  readonly subresources: { readonly status: object };
  readonly additionalPrinterColumns?: readonly Column[];
};

/** An apiextensions.k8s.io/v1 CustomResourceDefinition, as far as we write it. */
export type CustomResourceDefinition = {
  readonly apiVersion: "apiextensions.k8s.io/v1";
  readonly kind: "CustomResourceDefinition";
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly group: string;
    readonly names: {
      readonly kind: string;
      readonly listKind: string;
      readonly plural: string;
      readonly singular: string;
      readonly shortNames?: readonly string[];
    };
    readonly scope: "Namespaced" | "Cluster";
    readonly conversion?: { readonly strategy: "None" };
    readonly versions: readonly Version[];
  };
};

const AGE: Column = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" };

/** The CRDs of every kind that Ancho serves, in a stable order: MetalLB's first, then its own. */
export function buildCrds(): readonly CustomResourceDefinition[] {
  return [
    crd(bfdProfileResource, [version("v1beta1", bfdProfileSchema, BFD_COLUMNS)]),
    crd(bgpAdvertisementResource, [version("v1beta1", bgpAdvertisementSchema, BGP_AD_COLUMNS)]),
    bgpPeerCrd(),
    crd(communityResource, [version("v1beta1", communitySchema, [])]),
    crd(configurationStateResource, [version("v1beta1", configurationStateSchema, STATE_COLUMNS)]),
    crd(ipAddressPoolResource, [version("v1beta1", ipAddressPoolSchema, POOL_COLUMNS)]),
    crd(l2AdvertisementResource, [version("v1beta1", l2AdvertisementSchema, L2_AD_COLUMNS)]),
    crd(serviceBGPStatusResource, [
      version("v1beta1", serviceBGPStatusSchema, serviceColumns("Node")),
    ]),
    crd(serviceL2StatusResource, [
      version("v1beta1", serviceL2StatusSchema, serviceColumns("Allocated Node")),
    ]),
    crd(virtualIPResource, [version("v1alpha1", virtualIPSchema, VIP_COLUMNS)], ["vip"]),
  ];
}

// v1beta1's fields are a part of v1beta2's, so the API server converts by changing the name of the version.
function bgpPeerCrd(): CustomResourceDefinition {
  const old = version("v1beta1", bgpPeerV1beta1Schema, PEER_COLUMNS);
  const made = crd(bgpPeerResource, [
    {
      ...old,
      storage: false,
      deprecated: true,
      deprecationWarning: "metallb.io/v1beta1 BGPPeer is deprecated: use metallb.io/v1beta2",
    },
    version("v1beta2", bgpPeerSchema, PEER_COLUMNS),
  ]);
  return { ...made, spec: { ...made.spec, conversion: { strategy: "None" } } };
}

function crd(
  resource: Resource,
  versions: readonly Version[],
  shortNames: readonly string[] = [],
): CustomResourceDefinition {
  const { group, kind, plural, namespaced } = resource;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        ...(shortNames.length > 0 ? { shortNames } : {}),
      },
      scope: namespaced ? "Namespaced" : "Cluster",
      versions,
    },
  };
}

function version(name: string, schema: z.ZodType, columns: readonly Column[]): Version {
  return {
    name,
    served: true,
    storage: true,
    schema: { openAPIV3Schema: structuralSchema(schema) },
    subresources: { status: {} },
    ...(columns.length > 0 ? { additionalPrinterColumns: columns } : {}),
  };
}

function text(name: string, jsonPath: string, priority?: number): Column {
  return { name, type: "string", jsonPath, ...(priority === undefined ? {} : { priority }) };
}

function serviceColumns(node: string): readonly Column[] {
  return [
    text(node, ".status.node"),
    text("Service Name", ".status.serviceName"),
    text("Service Namespace", ".status.serviceNamespace"),
  ];
}

const POOL_COLUMNS: readonly Column[] = [
  { name: "Auto Assign", type: "boolean", jsonPath: ".spec.autoAssign" },
  { name: "Avoid Buggy IPs", type: "boolean", jsonPath: ".spec.avoidBuggyIPs" },
  text("Addresses", ".spec.addresses"),
];

const L2_AD_COLUMNS: readonly Column[] = [
  text("IPAddressPools", ".spec.ipAddressPools"),
  text("IPAddressPool Selectors", ".spec.ipAddressPoolSelectors"),
  text("Interfaces", ".spec.interfaces"),
  text("Node Selectors", ".spec.nodeSelectors", 10),
];

const BGP_AD_COLUMNS: readonly Column[] = [
  text("IPAddressPools", ".spec.ipAddressPools"),
  text("IPAddressPool Selectors", ".spec.ipAddressPoolSelectors"),
  text("Peers", ".spec.peers"),
  text("Node Selectors", ".spec.nodeSelectors", 10),
];

const PEER_COLUMNS: readonly Column[] = [
  text("Address", ".spec.peerAddress"),
  text("ASN", ".spec.peerASN"),
  text("BFD Profile", ".spec.bfdProfile"),
  text("Multi Hops", ".spec.ebgpMultiHop"),
];

const BFD_COLUMNS: readonly Column[] = [
  { name: "Passive Mode", type: "boolean", jsonPath: ".spec.passiveMode" },
  { name: "Transmit Interval", type: "integer", jsonPath: ".spec.transmitInterval" },
  { name: "Receive Interval", type: "integer", jsonPath: ".spec.receiveInterval" },
  { name: "Multiplier", type: "integer", jsonPath: ".spec.detectMultiplier" },
];

const STATE_COLUMNS: readonly Column[] = [
  text("Result", ".status.result"),
  text("ErrorSummary", ".status.errorSummary"),
  AGE,
];

const VIP_COLUMNS: readonly Column[] = [
  text("Address", ".spec.address"),
  text("Pool", ".spec.pool"),
  text("Service", ".spec.service"),
  text("Phase", ".spec.phase"),
  text("Protocol", ".status.protocol"),
  text("Node", ".status.intendedOwner.node"),
  text("Seen", ".status.seen"),
  text("MAC", ".status.intendedOwner.mac", 1),
  text("Interface", ".status.intendedOwner.interface", 1),
  text("Stranger", ".status.conflict.mac", 1),
  text("Reason", ".spec.reason", 1),
  AGE,
];
