import * as z from "zod";
import { conditions } from "./condition";
import { cel, objectFields } from "./resource";
import type { Resource } from "./resource";

/** Where the API server keeps VirtualIPs. */
export const virtualIPResource = {
  group: "ancho.dev",
  version: "v1alpha1",
  kind: "VirtualIP",
  plural: "virtualips",
  namespaced: false,
} as const satisfies Resource;

const optionalText = (description: string): z.ZodExactOptional<z.ZodString> =>
  z.string().exactOptional().meta({ description });

const time = (description: string): z.ZodString =>
  z.string().meta({ description, format: "date-time" });

const port = z.object({
  protocol: z.string().meta({ description: "TCP, UDP or SCTP." }),
  port: z.int().min(1).max(65535).meta({ description: "The Service's port.", format: "int32" }),
});

const holder = z
  .object({
    namespace: z.string().meta({ description: "The Service's namespace." }),
    name: optionalText("The Service's name; unset while the API server has yet to generate it."),
    generateName: optionalText("The prefix that the Service's name will be generated from."),
    uid: optionalText("The Service's uid; unset while the claim is pending."),
    claimId: optionalText("The uid of the admission request that claimed the address."),
    claimedAt: time("When the address was claimed."),
    ports: z.array(port).exactOptional().meta({
      description: "The ports that the Service uses of the address.",
      "x-kubernetes-list-type": "atomic",
    }),
    sharingKey: optionalText("The key under which the Service shares the address, if it does."),
    backendKey: optionalText(
      "What Services that share the address must have in common for externalTrafficPolicy Local: the pod selector; empty for Cluster.",
    ),
  })
  .meta({ description: "A Service that holds the address." });

const released = z
  .object({
    namespace: z.string().meta({ description: "The Service's namespace." }),
    name: z.string().meta({ description: "The Service's name." }),
    at: time("When it let the address go."),
  })
  .meta({
    description:
      "Who held the address last: without holders, it is kept for a Service of that name for a while, and given to another one only when no other is free.",
  });

const owner = z
  .object({
    node: z.string().meta({ description: "The node's name." }),
    mac: optionalText("The MAC address that is answered with."),
    interface: optionalText("The interface that answers."),
    mode: z.enum(["proxy", "local", "packet"]).exactOptional().meta({
      description:
        "How it answers. proxy: the kernel does, for its neighbor proxy entry. local: the kernel does, since the address is one of the node's own. packet: the announcer does, since the kernel would not, as for addresses that kube-proxy makes local in IPVS mode.",
    }),
    since: time("Since when.").exactOptional(),
  })
  .meta({ description: "Who answers for the address." });

const observedOwner = z
  .object({
    node: optionalText("The node's name; unset for a host that is no node."),
    mac: optionalText("The MAC address that answered; unset if nobody did."),
    interface: optionalText("The interface of the asking node by which the answer came."),
    seenBy: optionalText("The node that asked."),
    since: time("Since when it is seen so.").exactOptional(),
  })
  .meta({ description: "Who was seen to answer for the address, by another node that asked." });

const lastMove = z
  .object({
    from: optionalText("The node that answered before; unset for the first one."),
    to: optionalText("The node that answers now; unset if none does."),
    cause: z.string().meta({ description: "Why the address moved." }),
    at: time("When it moved."),
    answeredIn: optionalText(
      "From the decision until the new node's kernel answered and the first announcement was sent, as in 4ms.",
    ),
    convergedIn: optionalText(
      "From the decision until gateway and neighbours had answered the new node, as in 31ms; unset until then.",
    ),
  })
  .meta({ description: "The last change of the node that answers." });

const conflict = z
  .object({
    mac: z.string().meta({ description: "The stranger's MAC address." }),
    interface: optionalText("The interface of the node by which it was heard."),
    seenBy: optionalText("The node that heard it."),
    since: time("Since when."),
    isInUse: z.boolean().meta({
      description:
        "True if Ancho answered for the address before; it goes on. False if it found the stranger before, and leaves the address alone.",
    }),
  })
  .meta({
    description:
      "A host outside the cluster that says it has the address. While it does, the address is given to no other Service.",
  });

const status = z.object({
  protocol: optionalText(
    "How the network learns of the address: 'layer2', 'bgp', or 'layer2,bgp'.",
  ),
  intendedOwner: owner
    .exactOptional()
    .meta({ description: "The node that is to answer for the address." }),
  bgp: z
    .record(
      z.string(),
      z.object({
        peers: z.array(z.string()).meta({
          description: "Names of the BGPPeers that know the address from the node.",
        }),
        since: time("Since when the node advertises the address."),
      }),
    )
    .exactOptional()
    .meta({ description: "The nodes that advertise the address by BGP, by their names." }),
  observedOwner: observedOwner.exactOptional(),
  seen: optionalText(
    "Who answers, in short: the node's name, the MAC address of a host that is no node, or nobody; several if several do.",
  ),
  lastMove: lastMove.exactOptional(),
  conflict: conflict.exactOptional(),
  conditions,
});

/** One address of a pool and who holds it. Its existence is the claim: the name is derived from the address. */
export const virtualIPSchema = z
  .object({
    ...objectFields,
    spec: z
      .object({
        address: z
          .string()
          .max(45)
          .meta({
            description: "The address, in canonical text.",
            ...cel({ rule: "self == oldSelf", message: "an address cannot be changed" }),
          }),
        pool: z.string().meta({ description: "The IPAddressPool that the address is of." }),
        reason: z.string().meta({ description: "Why this address was chosen." }),
        holders: z
          .array(holder)
          .meta({ description: "The Services that hold the address; several share it." }),
        released: released.exactOptional(),
        phase: z.enum(["Pending", "Bound", "Released", "Conflict"]).exactOptional().meta({
          description:
            "Pending until a Service that exists holds the address, then Bound; Released while nobody holds it and it is kept for the Service that did; Conflict while a host outside the cluster has it, whoever holds it. Written together with what it follows from.",
        }),
        service: optionalText(
          'The Services that hold the address, "namespace/name", joined by ", "; of a Released one, the Service that held it last.',
        ),
      })
      .meta({ description: "Whose the address is." }),
    status: status.exactOptional().meta({ description: "How the address is delivered." }),
  })
  .meta({
    description: "An address that Services hold: from which pool, and which node answers.",
    // The name is the lock on the address; two names for one address would be two locks.
    ...cel(
      {
        rule: "self.spec.address.contains(':') || self.metadata.name == self.spec.address",
        message: "must be named by its address",
      },
      {
        rule: "!self.spec.address.contains(':') || self.metadata.name.matches('^([0-9a-f]{4}-){7}[0-9a-f]{4}$')",
        message:
          "must be named by its address in eight groups of four hex digits, joined by dashes",
      },
    ),
  });

export type VirtualIP = z.infer<typeof virtualIPSchema>;

/** The Service that held a VirtualIP last, and when it let go. */
export type Released = NonNullable<VirtualIP["spec"]["released"]>;

/** A host outside the cluster that has the address of a VirtualIP. */
export type AddressConflict = NonNullable<NonNullable<VirtualIP["status"]>["conflict"]>;

/** One of the Services that hold a VirtualIP. */
export type Holder = VirtualIP["spec"]["holders"][number];
