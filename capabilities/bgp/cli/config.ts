/** What a file says of a speaker: the options of the API, checked. */
import { parse } from "yaml";
import * as z from "zod";
import { attributeSet } from "../attribute-set";
import type { RouteAttributes } from "../attribute-set";
import { parseAddress } from "../wire/address";
import { parsePrefix } from "../wire/prefix";

const address = z
  .string()
  .refine(text => parseAddress(text.replace(/%.+$/, "")) !== undefined, "is no IP address");
const prefix = z.string().refine(text => parsePrefix(text) !== undefined, "is no IP prefix");
const as = z.int().min(1).max(0xffff_ffff);
const seconds = z.number().min(0);

const route = z
  .strictObject({
    prefixes: z.array(prefix).min(1),
    origin: z.enum(["igp", "egp", "incomplete"]).optional(),
    prepend: z.int().min(0).max(254).optional(),
    med: z.int().min(0).max(0xffff_ffff).optional(),
    localPref: z.int().min(0).max(0xffff_ffff).optional(),
    nextHop: address.optional(),
    communities: z.array(z.string()).optional(),
    extendedCommunities: z.array(z.string()).optional(),
    largeCommunities: z.array(z.string()).optional(),
  })
  .superRefine((attributes, context) => {
    try {
      attributeSet(attributes as RouteAttributes);
    } catch (error) {
      context.addIssue({ code: "custom", message: (error as Error).message });
    }
  });

const interval = z.number().min(1).max(4_294_967).optional();

const bfd = z.strictObject({
  transmitInterval: interval,
  receiveInterval: interval,
  echoReceiveInterval: z.number().min(0).max(4_294_967).optional(),
  detectMultiplier: z.int().min(1).max(255).optional(),
  isPassive: z.boolean().optional(),
  isMultihop: z.boolean().optional(),
  minimumTtl: z.int().min(1).max(255).optional(),
  isStrict: z.boolean().optional(),
});

const peer = z
  .strictObject({
    address: address.optional(),
    interface: z.string().min(1).optional(),
    as: z.union([as, z.enum(["internal", "external"])]),
    localAs: as.optional(),
    port: z.int().min(1).max(0xffff).optional(),
    localAddress: address.optional(),
    device: z.string().optional(),
    password: z.string().min(1).max(80).optional(),
    ttlSecurity: z.int().min(1).max(254).optional(),
    multihop: z.int().min(1).max(255).optional(),
    holdTime: z
      .int()
      .max(0xffff)
      .refine(value => value === 0 || value >= 3, "is neither 0 nor at least 3")
      .optional(),
    isPassive: z.boolean().optional(),
    retryTime: seconds.optional(),
    maxRetryTime: seconds.optional(),
    sendHoldTime: seconds.optional(),
    families: z
      .array(z.enum(["ipv4", "ipv6"]))
      .min(1)
      .optional(),
    ipv4OverIpv6: z.boolean().optional(),
    extendedMessages: z.boolean().optional(),
    maxPrefixes: z.int().min(1).optional(),
    gracefulRestart: z
      .strictObject({
        restartTime: z.int().min(0).max(4095),
        isRestarting: z.boolean().default(false),
        isForwarding: z.boolean().default(true),
      })
      .optional(),
    bfd: bfd.optional(),
    nextHops: z.strictObject({ ipv4: address.optional(), ipv6: address.optional() }).optional(),
    routes: z.array(route).optional(),
  })
  .refine(
    one => (one.address === undefined) !== (one.interface === undefined),
    "has to have an address or an interface, and not both",
  );

const schema = z.strictObject({
  as,
  routerId: z.ipv4().refine(text => text !== "0.0.0.0", "is 0.0.0.0"),
  listen: z.strictObject({ address, port: z.int().min(1).max(0xffff).default(179) }).optional(),
  peers: z.array(peer).min(1),
  /** For all peers. */
  routes: z.array(route).default([]),
  /** Seconds that routes are the last choice before they are taken back. */
  drainTime: seconds.default(0),
});

export type SpeakConfig = z.infer<typeof schema>;
export type ConfigRoute = z.infer<typeof route>;

/**
 * Reads YAML or JSON.
 * @throws Error with a line for everything that is wrong: where it is, and what
 */
export function parseConfig(text: string): SpeakConfig {
  const result = schema.safeParse(parse(text));
  if (result.success) return result.data;
  throw new Error(
    result.error.issues.map(issue => `${pathOf(issue.path)}: ${issue.message}`).join("\n"),
  );
}

/** `peers[0].holdTime` */
function pathOf(path: readonly PropertyKey[]): string {
  const text = path.map(key => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("");
  return text.replace(/^\./, "") || "the file";
}
