import * as z from "zod";
import { labelSelector, selectorList } from "./label-selector";
import { objectFields } from "./resource";
import type { Resource } from "./resource";

/** Where the API server keeps L2Advertisements. */
export const l2AdvertisementResource = {
  group: "metallb.io",
  version: "v1beta1",
  kind: "L2Advertisement",
  plural: "l2advertisements",
  namespaced: true,
} as const satisfies Resource;

const preferredNode = z.object({
  weight: z.int().min(1).max(100).meta({
    description: "How much a matching node is preferred; the weights that a node matches add up.",
    format: "int32",
  }),
  preference: labelSelector.meta({
    description: "Labels of the preferred nodes; an empty selector prefers every eligible node.",
  }),
});

/** Which addresses nodes answer for on their own network segment, and which nodes. */
export const l2AdvertisementSchema = z
  .object({
    ...objectFields,
    spec: z
      .object({
        ipAddressPools: z.array(z.string()).exactOptional().meta({
          description:
            "Names of the pools whose addresses are announced. With this and ipAddressPoolSelectors both empty: all pools.",
        }),
        ipAddressPoolSelectors: selectorList(
          "Labels of further pools whose addresses are announced.",
        ),
        nodeSelectors: selectorList("Labels of the nodes that may announce; empty: all nodes."),
        interfaces: z.array(z.string()).exactOptional().meta({
          description:
            "Names of the network interfaces that announce; empty: all that can. Exact names, no patterns.",
        }),
        serviceSelectors: selectorList(
          "Labels of the Services whose addresses are announced; empty: all that hold an address of the pools.",
        ),
        preferredNodeSelectors: z.array(preferredNode).exactOptional().meta({
          description:
            "Nodes that announce rather than others, while nodeSelectors allow them and they are up.",
        }),
      })
      .default({})
      .meta({ description: "What is announced, and where from." }),
    status: z.object({}).exactOptional().meta({ description: "Not used." }),
  })
  .meta({
    description:
      "Announces addresses by layer 2 (ARP for IPv4, NDP for IPv6): one node at a time answers for each address.",
  });

export type L2Advertisement = z.infer<typeof l2AdvertisementSchema>;
