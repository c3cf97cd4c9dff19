import * as z from "zod";
import { objectFields } from "./resource";
import type { Resource } from "./resource";

/** Where the API server keeps Communities. */
export const communityResource = {
  group: "metallb.io",
  version: "v1beta1",
  kind: "Community",
  plural: "communities",
  namespaced: true,
} as const satisfies Resource;

const U16 = "(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[0-9]{1,4})";

/** "u16:u16" (RFC 1997) or "large:u32:u32:u32" (RFC 8092); the webhook checks the 32 bits. */
const VALUE = new RegExp(`^(${U16}:${U16}|large:[0-9]{1,10}:[0-9]{1,10}:[0-9]{1,10})$`);

/** Names for BGP communities, to be used in BGPAdvertisements. */
export const communitySchema = z
  .object({
    ...objectFields,
    spec: z
      .object({
        communities: z
          .array(
            z.object({
              name: z.string().exactOptional().meta({
                description:
                  "The name to use in BGPAdvertisements; no other Community may have it.",
              }),
              value: z.string().regex(VALUE).exactOptional().meta({
                description: 'The community: "65535:65282" or "large:64500:1:2".',
              }),
            }),
          )
          .exactOptional()
          .meta({ description: "The names and what they stand for." }),
      })
      .default({})
      .meta({ description: "The names that this object defines." }),
    status: z.object({}).exactOptional().meta({ description: "Not used." }),
  })
  .meta({ description: "Names for BGP communities, so that BGPAdvertisements read well." });

export type Community = z.infer<typeof communitySchema>;
