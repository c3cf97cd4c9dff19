import * as z from "zod";
import { objectFields } from "./resource";
import type { Resource } from "./resource";

/** Where the API server keeps BFDProfiles. */
export const bfdProfileResource = {
  group: "metallb.io",
  version: "v1beta1",
  kind: "BFDProfile",
  plural: "bfdprofiles",
  namespaced: true,
} as const satisfies Resource;

const bounded = (min: number, max: number, description: string): z.ZodExactOptional<z.ZodInt> =>
  z.int().min(min).max(max).exactOptional().meta({ description, format: "int32" });

/** Timers of the BFD sessions that watch BGP sessions (RFC 5880). */
export const bfdProfileSchema = z
  .object({
    ...objectFields,
    spec: z
      .object({
        receiveInterval: bounded(
          10,
          60000,
          "Shortest time between received control packets that is accepted, in milliseconds. Unset: 300.",
        ),
        transmitInterval: bounded(
          10,
          60000,
          "Shortest time between sent control packets, in milliseconds. Unset: 300.",
        ),
        detectMultiplier: bounded(
          2,
          255,
          "How many packets in a row may be lost before the session is down. Unset: 3.",
        ),
        echoInterval: bounded(
          10,
          60000,
          "Shortest time between echo packets of the router that is accepted, and with echoMode between ours, in milliseconds. Unset: 50 with echoMode, none accepted without.",
        ),
        echoMode: z.boolean().exactOptional().meta({
          description: "Also send echo packets, which the router returns. Over one hop only.",
        }),
        passiveMode: z.boolean().exactOptional().meta({
          description: "Wait for the router's first packet before sending any.",
        }),
        minimumTtl: bounded(
          1,
          254,
          "Over several hops: the lowest TTL at which a control packet is accepted. Unset: 254.",
        ),
      })
      .default({})
      .meta({ description: "Timers and modes of the sessions." }),
    status: z.object({}).exactOptional().meta({ description: "Not used." }),
  })
  .meta({ description: "How BFD watches the BGP sessions of the peers that name this profile." });
