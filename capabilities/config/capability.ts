import { Capability } from "pepr";
import type { PeprValidateRequest } from "pepr";
import type { GenericKind } from "kubernetes-fluent-client";
import {
  BFDProfileModel,
  BGPAdvertisementModel,
  BGPPeerModel,
  CommunityModel,
  IPAddressPoolModel,
  L2AdvertisementModel,
} from "./registered-kinds";
import { refusalOf } from "./validators/verdict";
import type { ValidatedKind } from "./validators/parsers";

/** Refuses wrong configuration at `kubectl apply`, with a sentence that names object, field, value and remedy. */
export const configCapability = new Capability({
  name: "config",
  description: "Checks IPAddressPools, advertisements, peers and the other resources of MetalLB.",
});

const { When } = configCapability;
const NAMESPACE = process.env["METALLB_NAMESPACE"] ?? "metallb-system";

type Answer = ReturnType<PeprValidateRequest<GenericKind>["Approve"]>;

const check =
  (kind: ValidatedKind) =>
  (request: PeprValidateRequest<GenericKind>): Answer => {
    const refusal = refusalOf(kind, request.Raw, NAMESPACE);
    return refusal === undefined ? request.Approve() : request.Deny(refusal);
  };

When(IPAddressPoolModel).IsCreatedOrUpdated().Validate(check("IPAddressPool"));
When(L2AdvertisementModel).IsCreatedOrUpdated().Validate(check("L2Advertisement"));
When(BGPAdvertisementModel).IsCreatedOrUpdated().Validate(check("BGPAdvertisement"));
When(BGPPeerModel).IsCreatedOrUpdated().Validate(check("BGPPeer"));
When(BFDProfileModel).IsCreatedOrUpdated().Validate(check("BFDProfile"));
When(CommunityModel).IsCreatedOrUpdated().Validate(check("Community"));
