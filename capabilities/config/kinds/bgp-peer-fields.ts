import * as z from "zod";
import { cel } from "./resource";
import type { CelRule } from "./resource";

const MAX_ASN = 4294967295;

/** A text field without rules of its own. */
export const optionalText = (description: string): z.ZodExactOptional<z.ZodString> =>
  z.string().exactOptional().meta({ description });

/** An AS number of four octets (RFC 6793). */
export const asn = (description: string, min = 0): z.ZodInt =>
  z.int().min(min).max(MAX_ASN).meta({ description, format: "int64" });

// From text, which bundlers escape: one character beyond Latin-1 doubles the memory that a bundle's text takes.
const DURATION = new RegExp("^\\+?(0|(([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$");

/** A Go duration ("90s", "1m30s"), which is what metav1.Duration is in JSON. */
const duration = (
  description: string,
  ...rules: readonly CelRule[]
): z.ZodExactOptional<z.ZodString> =>
  z
    .string()
    .max(64)
    .regex(DURATION)
    .exactOptional()
    .meta({ description, ...(rules.length > 0 ? cel(...rules) : {}) });

/** The time between attempts to connect, with MetalLB's own bounds. */
export const connectTime = z
  .string()
  .max(64)
  .exactOptional()
  .meta({
    description: "How long to wait between attempts to connect: whole seconds, 1s to 65535s.",
    ...cel(
      {
        rule: "duration(self).getSeconds() >= 1 && duration(self).getSeconds() <= 65535",
        message: "connect time should be between 1 seconds to 65535",
      },
      {
        rule: "duration(self).getMilliseconds() % 1000 == 0",
        message: "connect time should contain a whole number of seconds",
      },
    ),
  });

/** The fields that both versions of BGPPeer have with the same rules. */
export const sharedPeerFields = {
  myASN: asn("AS number of this end of the session."),
  sourceAddress: optionalText("Address of the node to connect from."),
  holdTime: duration(
    "How long a silent peer counts as alive (RFC 4271): 0 or at least 3s. Unset: three times keepaliveTime, or 90s.",
    {
      rule: "duration(self).getSeconds() == 0 || duration(self).getSeconds() >= 3",
      message: "must be 0s or at least 3s",
    },
  ),
  keepaliveTime: duration("Time between keepalives (RFC 4271). Unset: a third of holdTime."),
  routerID: optionalText(
    "BGP identifier to send, in the form of an IPv4 address. Unset: the node's own.",
  ),
  password: optionalText("Password of the session (TCP MD5, RFC 2385), in clear text."),
  bfdProfile: optionalText(
    "Name of the BFDProfile by which the session is watched. Unset: without BFD.",
  ),
};

/** The rule that joins the two timers. */
export const KEEPALIVE_WITHIN_HOLD: CelRule = {
  rule: "!has(self.holdTime) || !has(self.keepaliveTime) || duration(self.keepaliveTime) <= duration(self.holdTime)",
  message: "keepaliveTime must not be longer than holdTime",
};
