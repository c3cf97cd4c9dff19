import { GenericKind, RegisterKind } from "kubernetes-fluent-client";
import { bfdProfileResource } from "./kinds/bfd-profile";
import { bgpAdvertisementResource } from "./kinds/bgp-advertisement";
import { bgpPeerResource } from "./kinds/bgp-peer";
import { communityResource } from "./kinds/community";
import { ipAddressPoolResource } from "./kinds/ip-address-pool";
import { l2AdvertisementResource } from "./kinds/l2-advertisement";

// Pepr finds a kind by its class. The classes carry no fields: what an object holds, the schemas say.
export class IPAddressPoolModel extends GenericKind {}
export class L2AdvertisementModel extends GenericKind {}
export class BGPAdvertisementModel extends GenericKind {}
export class BGPPeerModel extends GenericKind {}
export class BFDProfileModel extends GenericKind {}
export class CommunityModel extends GenericKind {}

RegisterKind(IPAddressPoolModel, ipAddressPoolResource);
RegisterKind(L2AdvertisementModel, l2AdvertisementResource);
RegisterKind(BGPAdvertisementModel, bgpAdvertisementResource);
RegisterKind(BGPPeerModel, bgpPeerResource);
RegisterKind(BFDProfileModel, bfdProfileResource);
RegisterKind(CommunityModel, communityResource);
