import { parseAddress } from "../address";
import { bfdProfileResource, bfdProfileSchema } from "../kinds/bfd-profile";
import { bgpAdvertisementResource, bgpAdvertisementSchema } from "../kinds/bgp-advertisement";
import type { BGPAdvertisement } from "../kinds/bgp-advertisement";
import { bgpPeerResource, bgpPeerSchema } from "../kinds/bgp-peer";
import type { BGPPeer } from "../kinds/bgp-peer";
import { communityResource, communitySchema } from "../kinds/community";
import type { Community } from "../kinds/community";
import { duplicates, selectorFindings } from "../selector-rules";
import type { Finding } from "../selector-rules";
import { peerFindings } from "./bgp-peer-rules";
import { parserOf } from "./finding";
import { weightFindings } from "../bgp/weight";

const MAX_U32 = 4294967295;

/** BGPPeer by itself. */
export const parseBgpPeer = parserOf(bgpPeerResource.kind, bgpPeerSchema, ({ spec }) => [
  ...addressFindings(spec),
  ...peerFindings(spec),
  ...selectorFindings(spec.nodeSelectors, "spec.nodeSelectors"),
]);

/** BGPAdvertisement by itself; what needs the pools and peers is the parser's. */
export const parseBgpAdvertisement = parserOf(
  bgpAdvertisementResource.kind,
  bgpAdvertisementSchema,
  ({ metadata, spec }) => [...weightFindings(metadata.annotations), ...advertisementFindings(spec)],
);

/** BFDProfile: its bounds are all in the schema. */
export const parseBfdProfile = parserOf(bfdProfileResource.kind, bfdProfileSchema, () => []);

/** Community: values that fit their attribute, and no name twice in the object. */
export const parseCommunity = parserOf(communityResource.kind, communitySchema, ({ spec }) =>
  communityFindings(spec),
);

function addressFindings(spec: BGPPeer["spec"]): readonly Finding[] {
  const fields = ["peerAddress", "sourceAddress", "routerID"] as const;
  return fields
    .filter(field => spec[field] && !parseAddress(spec[field]))
    .map(field => ({
      field: `spec.${field}`,
      value: spec[field],
      problem: "is not an IP address",
      remedy: 'write an address like "192.0.2.1"',
    }));
}

function advertisementFindings(spec: BGPAdvertisement["spec"]): readonly Finding[] {
  return [
    ...duplicates(spec.ipAddressPools, "spec.ipAddressPools", name => name),
    ...duplicates(spec.peers, "spec.peers", name => name),
    ...duplicates(spec.communities, "spec.communities", name => name),
    ...selectorFindings(spec.ipAddressPoolSelectors, "spec.ipAddressPoolSelectors"),
    ...selectorFindings(spec.nodeSelectors, "spec.nodeSelectors"),
    ...selectorFindings(spec.serviceSelectors, "spec.serviceSelectors"),
  ];
}

function communityFindings({ communities = [] }: Community["spec"]): readonly Finding[] {
  const names = duplicates(communities, "spec.communities", ({ name }) => name ?? "");
  const values = communities.flatMap(({ value = "" }, i): Finding[] => {
    const tooBig = value
      .split(":")
      .slice(1)
      .some(part => Number(part) > MAX_U32);
    const fits = value !== "" && !tooBig;
    return fits ? [] : [valueFinding(`spec.communities[${i}].value`, value)];
  });
  return [...names, ...values];
}

function valueFinding(field: string, value: string): Finding {
  return {
    field,
    value,
    problem: "is not a BGP community",
    remedy: 'write "65535:65282" or "large:64500:1:2", with numbers up to 65535 or 4294967295',
  };
}
