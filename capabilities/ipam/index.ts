import { Capability, a } from "pepr";
import {
  BFDProfileModel,
  BGPAdvertisementModel,
  BGPPeerModel,
  CommunityModel,
  IPAddressPoolModel,
} from "../config/registered-kinds";
import { checkBfdProfileDeletion, checkBgp } from "./bgp-review/handlers";
import { assignAddress, checkService, noticePool } from "./handlers";
import { checkPool, checkPoolDeletion } from "./pool-review/handlers";

/** Gives Services of type LoadBalancer their addresses. This file is its table of contents. */
export const ipamCapability = new Capability({
  name: "ipam",
  description: "Gives Services of type LoadBalancer an address of an IPAddressPool",
});

const { When } = ipamCapability;

// A Service gets its address in the answer to its own creation, and keeps it through updates.
When(a.Service)
  .IsCreatedOrUpdated()
  .Alias("service-address")
  .Mutate(assignAddress)
  // What can never work as written is refused.
  .Validate(checkService);

// Two pools with the same address would hand it out twice; a smaller pool may take addresses away.
When(IPAddressPoolModel)
  .IsCreatedOrUpdated()
  .Alias("pool-change")
  .Validate(checkPool)
  // Services that wait for an address are served when a pool changes.
  .Watch(noticePool);

When(IPAddressPoolModel).IsDeleted().Alias("pool-deletion").Validate(checkPoolDeletion);

// What contradicts another object can only be seen beside it.
When(BGPPeerModel).IsCreatedOrUpdated().Alias("bgp-peer").Validate(checkBgp("BGPPeer"));
When(CommunityModel).IsCreatedOrUpdated().Alias("community").Validate(checkBgp("Community"));
When(BGPAdvertisementModel)
  .IsCreatedOrUpdated()
  .Alias("bgp-advertisement")
  .Validate(checkBgp("BGPAdvertisement"));
When(BFDProfileModel).IsDeleted().Alias("bfd-profile").Validate(checkBfdProfileDeletion);
