import * as z from "zod";
import { selectorList } from "./label-selector";
import { cel, objectFields } from "./resource";
import type { Resource } from "./resource";

/** Where the API server keeps BGPAdvertisements. */
export const bgpAdvertisementResource = {
  group: "metallb.io",
  version: "v1beta1",
  kind: "BGPAdvertisement",
  plural: "bgpadvertisements",
  namespaced: true,
} as const satisfies Resource;

// A Service is advertised by its own address; a wider prefix would carry Services that are not selected.
const NO_AGGREGATION_OF_SELECTED = cel({
  rule: "!has(self.serviceSelectors) || size(self.serviceSelectors) == 0 || ((!has(self.aggregationLength) || self.aggregationLength == 32) && (!has(self.aggregationLengthV6) || self.aggregationLengthV6 == 128))",
  message:
    "serviceSelectors need aggregationLength 32 and aggregationLengthV6 128, because a wider prefix would also carry Services that are not selected",
});

/** Which addresses are advertised to which routers, and how. */
export const bgpAdvertisementSchema = z
  .object({
    ...objectFields,
    spec: z
      .object({
        aggregationLength: z.int().min(1).max(32).default(32).meta({
          description:
            "Length of the advertised IPv4 prefix; 32 advertises each address, a smaller one the prefix around it. It cannot be wider than the pool's own entry.",
          format: "int32",
        }),
        aggregationLengthV6: z.int().max(128).default(128).meta({
          description: "The same for IPv6; 128 advertises each address.",
          format: "int32",
        }),
        localPref: z.int().min(0).max(4294967295).exactOptional().meta({
          description:
            "LOCAL_PREF of the route for routers in the same AS; the highest wins. 0 or unset leaves it to them.",
          format: "int64",
        }),
        communities: z.array(z.string()).exactOptional().meta({
          description:
            'Communities of the route: "65535:65282", "large:64500:1:2", or a name from a Community object.',
        }),
        ipAddressPools: z.array(z.string()).exactOptional().meta({
          description:
            "Names of the pools whose addresses are advertised. With this and ipAddressPoolSelectors both empty: all pools.",
        }),
        ipAddressPoolSelectors: selectorList(
          "Labels of further pools whose addresses are advertised.",
        ),
        nodeSelectors: selectorList("Labels of the nodes that advertise; empty: all nodes."),
        peers: z.array(z.string()).exactOptional().meta({
          description: "Names of the BGPPeers that are advertised to; empty: all.",
        }),
        serviceSelectors: selectorList(
          "Labels of the Services whose addresses are advertised; empty: all that hold an address of the pools.",
        ),
      })
      .default({ aggregationLength: 32, aggregationLengthV6: 128 })
      .meta({
        description: "What is advertised, where from and where to.",
        ...NO_AGGREGATION_OF_SELECTED,
      }),
    status: z.object({}).exactOptional().meta({ description: "Not used." }),
  })
  .meta({
    description:
      "Advertises addresses to routers by BGP, with the attributes that the routes are to have.",
  });

export type BGPAdvertisement = z.infer<typeof bgpAdvertisementSchema>;
