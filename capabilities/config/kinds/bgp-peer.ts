import * as z from "zod";
import {
  KEEPALIVE_WITHIN_HOLD,
  asn,
  connectTime,
  optionalText,
  sharedPeerFields,
} from "./bgp-peer-fields";
import { selectorList } from "./label-selector";
import { cel, objectFields } from "./resource";
import type { Resource } from "./resource";

/** Where the API server keeps BGPPeers. */
export const bgpPeerResource = {
  group: "metallb.io",
  version: "v1beta2",
  kind: "BGPPeer",
  plural: "bgppeers",
  namespaced: true,
} as const satisfies Resource;

/** `has` and not empty, or not zero: what Go's omitempty calls set. */
const isSet = (field: string, empty: string): string =>
  `(has(self.${field}) && self.${field} != ${empty})`;

const ADDRESS = isSet("peerAddress", "''");
const INTERFACE = isSet("interface", "''");
const ASN = isSet("peerASN", "0");
const DYNAMIC = isSet("dynamicASN", "''");

const RULES = cel(
  KEEPALIVE_WITHIN_HOLD,
  {
    rule: `${ADDRESS} != ${INTERFACE}`,
    message: "exactly one of peerAddress and interface must be set",
  },
  { rule: `${ASN} != ${DYNAMIC}`, message: "exactly one of peerASN and dynamicASN must be set" },
  { rule: "self.myASN > 0", message: "myASN must be set" },
  {
    rule: `!(${ASN} && self.peerASN == self.myASN && has(self.ebgpMultiHop) && self.ebgpMultiHop)`,
    message: "ebgpMultiHop is for a peer in another AS, but peerASN equals myASN",
  },
  {
    rule: `!(${isSet("password", "''")} && has(self.passwordSecret) && has(self.passwordSecret.name) && self.passwordSecret.name != '')`,
    message: "only one of password and passwordSecret may be set",
  },
);

const flag = (description: string): z.ZodExactOptional<z.ZodBoolean> =>
  z.boolean().exactOptional().meta({ description });

const passwordSecret = z
  .object({
    name: optionalText("The Secret's name."),
    namespace: optionalText("The Secret's namespace; it must be the BGPPeer's."),
  })
  .exactOptional()
  .meta({
    description:
      'A Secret of type kubernetes.io/basic-auth, in the namespace of the BGPPeer, that holds the session\'s password under the key "password".',
    "x-kubernetes-map-type": "atomic",
  });

/** A router to hold a BGP session with. */
export const bgpPeerSchema = z
  .object({
    ...objectFields,
    spec: z
      .object({
        ...sharedPeerFields,
        peerASN: asn("AS number of the router; 0 or unset with dynamicASN.").exactOptional(),
        dynamicASN: z.enum(["internal", "external"]).exactOptional().meta({
          description:
            "Take the AS number that the router says: internal accepts only myASN, external every other. In place of peerASN.",
        }),
        localASN: asn(
          "AS number to show this peer in place of myASN (no-prepend, replace-as).",
          1,
        ).exactOptional(),
        peerAddress: optionalText("Address of the router."),
        interface: optionalText(
          "Interface of the node to find the router on (unnumbered BGP, RFC 8950). In place of peerAddress.",
        ),
        peerPort: z.int().min(0).max(16384).default(179).meta({
          description: "TCP port of the router; 0, which v1beta1 allowed, means 179.",
          format: "int32",
        }),
        connectTime,
        nodeSelectors: selectorList("Labels of the nodes that hold a session; empty: all nodes."),
        passwordSecret,
        enableGracefulRestart: z
          .boolean()
          .exactOptional()
          .meta({
            description:
              "Ask the router to keep forwarding while the session restarts (RFC 4724). Cannot be changed later.",
            ...cel({
              rule: "self == oldSelf",
              message: "EnableGracefulRestart cannot be changed after creation",
            }),
          }),
        ebgpMultiHop: flag("The router is in another AS and more than one hop away."),
        vrf: optionalText("Name of the host's VRF that the session runs in."),
        disableMP: z.boolean().default(false).meta({
          description: "Without effect; dualStackAddressFamily has replaced it.",
        }),
        dualStackAddressFamily: z.boolean().default(false).meta({
          description: "Advertise both families over the one session, whichever family it runs on.",
        }),
      })
      .meta({ description: "The router, and how to reach it.", ...RULES }),
    status: z.object({}).exactOptional().meta({ description: "Not used." }),
  })
  .meta({ description: "A router that nodes hold a BGP session with." });

export type BGPPeer = z.infer<typeof bgpPeerSchema>;
