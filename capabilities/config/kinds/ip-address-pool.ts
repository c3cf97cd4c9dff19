import * as z from "zod";
import { conditions } from "./condition";
import { selectorList } from "./label-selector";
import { cel, objectFields } from "./resource";
import type { CelRule, Resource } from "./resource";

/** Where the API server keeps IPAddressPools. */
export const ipAddressPoolResource = {
  group: "metallb.io",
  version: "v1beta1",
  kind: "IPAddressPool",
  plural: "ipaddresspools",
  namespaced: true,
} as const satisfies Resource;

// Written short: the API server counts what a rule may cost, by its length and the longest list allowed.
const OCTET = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const IPV4 = `${OCTET}([.]${OCTET}){3}`;
const IPV4_ENTRY = `${IPV4}(/([12]?\\d|3[0-2])| *- *${IPV4} *)`;
// Only the shape: admission knows the rest. CEL can parse addresses only since Kubernetes 1.31.
const IPV6 = "[\\da-fA-F]*:[\\da-fA-F:.]*";
const IPV6_ENTRY = `${IPV6}(/([1-9]?\\d|1[01]\\d|12[0-8])| *- *${IPV6} *)`;

const MESSAGE =
  'must be a CIDR like "192.0.2.0/24" or a range like "192.0.2.10-192.0.2.20", in one address family';

const entryRule = (rule: string): CelRule => ({
  rule,
  message: MESSAGE,
  messageExpression: `'"' + self + '" ${MESSAGE}'`,
});

const address = z
  .string()
  .max(100)
  .meta({
    description:
      'A CIDR ("192.0.2.0/24", "2001:db8::/120"; bits behind the length are ignored) or a first and a last address ("192.0.2.10-192.0.2.20"). One address is "192.0.2.10/32".',
    ...cel(
      entryRule(`self.contains(':') || self.matches(r'^ *${IPV4_ENTRY}$')`),
      entryRule(`!self.contains(':') || self.matches(r'^ *${IPV6_ENTRY}$')`),
      {
        rule: "!(self.startsWith(' ') && self.contains('/'))",
        message: "must not begin with a space",
      },
    ),
  });

const serviceAllocation = z
  .object({
    priority: z.int().exactOptional().meta({
      description:
        "Order among the pools that a Service may use: the lowest number first; 0 or unset comes last. Equal ones are taken in the order of their names.",
    }),
    namespaces: z.array(z.string()).exactOptional().meta({
      description: "Names of the namespaces whose Services may use the pool.",
    }),
    namespaceSelectors: selectorList(
      "Labels of the namespaces whose Services may use the pool, beside those in namespaces.",
    ),
    serviceSelectors: selectorList("Labels of the Services that may use the pool."),
  })
  .meta({
    description:
      "Which Services the pool is for, and in which order pools are tried. With namespaces, namespaceSelectors and serviceSelectors all empty, every Service may use the pool.",
  });

// Not z.int(): what MetalLB says of a /64 is no number that a double holds exactly, and a status is no reason to
// refuse a pool.
const count = (description: string): z.ZodExactOptional<z.ZodNumber> =>
  z.number().exactOptional().meta({ description, type: "integer", format: "int64" });

/** Pools of addresses that Services of type LoadBalancer are given. */
export const ipAddressPoolSchema = z
  .object({
    ...objectFields,
    spec: z
      .object({
        addresses: z.array(address).min(1).max(4096).meta({
          description:
            "The addresses of the pool, as CIDRs and ranges. No address may be in two entries, nor in two pools.",
        }),
        autoAssign: z.boolean().default(true).meta({
          description:
            "Whether Services may be given an address of this pool without asking for the pool or the address.",
        }),
        avoidBuggyIPs: z.boolean().default(false).meta({
          description:
            "Leave out the IPv4 addresses that end in .0 and .255, which some old devices do not deliver to.",
        }),
        serviceAllocation: serviceAllocation.exactOptional(),
      })
      .meta({ description: "What the pool holds and who may use it." }),
    status: z
      .object({
        assignedIPv4: count("IPv4 addresses of the pool that Services hold."),
        assignedIPv6: count("IPv6 addresses of the pool that Services hold."),
        availableIPv4: count("IPv4 addresses of the pool that are free."),
        availableIPv6: count("IPv6 addresses of the pool that are free, at most 2^63-1."),
        conditions,
      })
      .exactOptional()
      .meta({ description: "How much of the pool is in use." }),
  })
  .meta({
    description:
      "A pool of addresses for Services of type LoadBalancer. Addresses are given from it; an L2Advertisement or a BGPAdvertisement makes the network deliver them.",
  });

export type IPAddressPool = z.infer<typeof ipAddressPoolSchema>;
