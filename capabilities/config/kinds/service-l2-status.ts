import * as z from "zod";
import { cel, objectFields } from "./resource";
import type { Resource } from "./resource";

/** Where the API server keeps ServiceL2Statuses. */
export const serviceL2StatusResource = {
  group: "metallb.io",
  version: "v1beta1",
  kind: "ServiceL2Status",
  plural: "servicel2statuses",
  namespaced: true,
} as const satisfies Resource;

const IMMUTABLE = cel({ rule: "self == oldSelf", message: "Value is immutable" });

/** Which node answers for a Service by layer 2; written by the announcer of that node. */
export const serviceL2StatusSchema = z
  .object({
    ...objectFields,
    spec: z.object({}).exactOptional().meta({ description: "Not used." }),
    status: z
      .object({
        node: z
          .string()
          .exactOptional()
          .meta({ description: "The node that traffic for the Service arrives at.", ...IMMUTABLE }),
        serviceName: z
          .string()
          .exactOptional()
          .meta({ description: "The Service's name.", ...IMMUTABLE }),
        serviceNamespace: z
          .string()
          .exactOptional()
          .meta({ description: "The Service's namespace.", ...IMMUTABLE }),
        interfaces: z
          .array(
            z.object({
              name: z.string().exactOptional().meta({ description: "The interface's name." }),
            }),
          )
          .exactOptional()
          .meta({ description: "The interfaces that answer; empty: all that can." }),
      })
      .exactOptional()
      .meta({ description: "Who answers for the Service." }),
  })
  .meta({ description: "Which node answers for a Service of type LoadBalancer by layer 2." });

export type ServiceL2Status = z.infer<typeof serviceL2StatusSchema>;
