import * as z from "zod";
import { KEEPALIVE_WITHIN_HOLD, asn, sharedPeerFields } from "./bgp-peer-fields";
import { cel, objectFields } from "./resource";
import { SELECTOR_OPERATORS } from "../selector";

const nodeSelector = z.object({
  matchLabels: z.record(z.string(), z.string()).exactOptional().meta({
    description: "Labels that the node must have, with exactly these values.",
  }),
  matchExpressions: z
    .array(
      z.object({
        key: z.string().meta({ description: "The label's key." }),
        operator: z
          .enum(SELECTOR_OPERATORS)
          .meta({ description: "How the label's value relates to the values." }),
        values: z
          .array(z.string())
          .min(1)
          .meta({ description: "The values that the operator compares with." }),
      }),
    )
    .exactOptional()
    .meta({ description: "Conditions on labels, all of which must hold." }),
});

/**
 * BGPPeer as it was before MetalLB 0.13. The API server stores it as v1beta2 without a conversion webhook: every
 * field of this version is one of that version too, with the same meaning.
 */
export const bgpPeerV1beta1Schema = z
  .object({
    ...objectFields,
    spec: z
      .object({
        ...sharedPeerFields,
        peerASN: asn("AS number of the router."),
        peerAddress: z.string().meta({ description: "Address of the router." }),
        peerPort: z.int().min(0).max(16384).exactOptional().meta({
          description: "TCP port of the router; 0 or unset: 179.",
          format: "int32",
        }),
        nodeSelectors: z
          .array(nodeSelector)
          .exactOptional()
          .meta({ description: "Labels of the nodes that hold a session; empty: all nodes." }),
        ebgpMultiHop: z.boolean().exactOptional().meta({
          description: "The router is in another AS and more than one hop away.",
        }),
      })
      .meta({
        description: "The router, and how to reach it.",
        ...cel(
          KEEPALIVE_WITHIN_HOLD,
          { rule: "self.myASN > 0", message: "myASN must be set" },
          { rule: "self.peerASN > 0", message: "peerASN must be set" },
        ),
      }),
    status: z.object({}).exactOptional().meta({ description: "Not used." }),
  })
  .meta({ description: "A router that nodes hold a BGP session with. Deprecated: use v1beta2." });
