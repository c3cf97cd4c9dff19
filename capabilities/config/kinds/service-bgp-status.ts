import * as z from "zod";
import { cel, objectFields } from "./resource";
import type { Resource } from "./resource";

/** Where the API server keeps ServiceBGPStatuses. */
export const serviceBGPStatusResource = {
  group: "metallb.io",
  version: "v1beta1",
  kind: "ServiceBGPStatus",
  plural: "servicebgpstatuses",
  namespaced: true,
} as const satisfies Resource;

const immutable = (description: string): z.ZodExactOptional<z.ZodString> =>
  z
    .string()
    .exactOptional()
    .meta({ description, ...cel({ rule: "self == oldSelf", message: "Value is immutable" }) });

/** To which routers a node advertises a Service; written by the announcer of that node. */
export const serviceBGPStatusSchema = z
  .object({
    ...objectFields,
    spec: z.object({}).exactOptional().meta({ description: "Not used." }),
    status: z
      .object({
        node: immutable("The node that advertises the Service."),
        serviceName: immutable("The Service's name."),
        serviceNamespace: immutable("The Service's namespace."),
        peers: z.array(z.string()).exactOptional().meta({
          description:
            "Names of the BGPPeers that the node advertises the Service to: those with an established session.",
        }),
        waitingPeers: z.array(z.string()).exactOptional().meta({
          description:
            "Names of the BGPPeers that the node will advertise the Service to when their sessions are established.",
        }),
      })
      .exactOptional()
      .meta({ description: "Where the Service is advertised." }),
  })
  .meta({ description: "To which routers a node advertises a Service by BGP." });

export type ServiceBGPStatus = z.infer<typeof serviceBGPStatusSchema>;
