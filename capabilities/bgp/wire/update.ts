import type { Family } from "./address";
import type { PathAttributes } from "./attribute";
import { decodeAttributes } from "./attribute-decoder";
import type { Fault } from "./attribute-decoder";
import { encodeAttributes } from "./attribute-encoder";
import type { CodecContext } from "./attributes/codec";
import { concat, createReader, u16 } from "./bytes";
import { ErrorCode, UpdateError } from "./codes";
import { decodePrefixes, encodePrefix } from "./prefix";
import { decoded, refused } from "./result";
import type { Decoded } from "./result";

/** Routes that come and go (RFC 4271 section 4.3). */
export type Update = {
  readonly type: "update";
  /** IPv4 prefixes of the old field; others are in `attributes.unreach`. */
  readonly withdrawn: readonly string[];
  readonly attributes: PathAttributes;
  /** IPv4 prefixes of the old field; others are in `attributes.reach`. */
  readonly announced: readonly string[];
  /** What was malformed, but lets the session go on (RFC 7606). */
  readonly faults: readonly Fault[];
};

/** A set of prefixes of one family. */
export type Prefixes = { readonly family: Family; readonly prefixes: readonly string[] };

/**
 * Decodes the body of an UPDATE. The error is the session's end; what is less is in `faults`
 * (RFC 7606 sections 2–5).
 */
export function decodeUpdate(body: Uint8Array, context: CodecContext): Decoded<Update> {
  const reader = createReader(body);
  const withdrawnBytes = reader.take(reader.u16() ?? Infinity);
  const attributeBytes = reader.take(reader.u16() ?? Infinity);
  if (withdrawnBytes === undefined || attributeBytes === undefined) {
    // RFC 7606 3(b)
    const reason = "the lengths in the UPDATE are more than the UPDATE";
    return refused(ErrorCode.UpdateMessage, UpdateError.MalformedAttributes, reason);
  }
  const withdrawn = decodePrefixes(withdrawnBytes, "ipv4");
  const announced = decodePrefixes(reader.take(reader.left()) ?? new Uint8Array(), "ipv4");
  if (withdrawn === undefined || announced === undefined) {
    const reason = "a prefix is longer than 32 bits or not all there";
    return refused(ErrorCode.UpdateMessage, UpdateError.InvalidNetworkField, reason);
  }
  const result = decodeAttributes(attributeBytes, context, announced.length > 0);
  return result.ok ? decoded({ type: "update", withdrawn, announced, ...result.value }) : result;
}

/** Encodes the body of an UPDATE; `faults` are the reader's. Throws RangeError for what cannot be. */
export function encodeUpdate(update: Update, context: CodecContext): Uint8Array {
  const withdrawn = concat(...update.withdrawn.map(encodePrefix));
  const attributes = encodeAttributes(update.attributes, context);
  const announced = update.announced.map(encodePrefix);
  return concat(u16(withdrawn.length), withdrawn, u16(attributes.length), attributes, ...announced);
}

/** What an UPDATE adds and removes, once its faults have had their effect (RFC 7606 section 2). */
export function routesOf(update: Update): {
  readonly announced: readonly Prefixes[];
  readonly withdrawn: readonly Prefixes[];
} {
  const { reach, unreach } = update.attributes;
  const announced: Prefixes[] = [
    { family: "ipv4", prefixes: update.announced },
    ...(reach !== undefined && "family" in reach ? [reach] : []),
  ];
  const withdrawn: Prefixes[] = [
    { family: "ipv4", prefixes: update.withdrawn },
    ...(unreach !== undefined && "family" in unreach ? [unreach] : []),
  ];
  return update.faults.some(({ action }) => action === "treatAsWithdraw")
    ? { announced: [], withdrawn: [...withdrawn, ...announced] }
    : { announced, withdrawn };
}

/** "These were all the routes" (RFC 4724 section 2). */
export function endOfRib(family: Family): Update {
  const attributes = family === "ipv4" ? {} : { unreach: { family, prefixes: [] } };
  return { type: "update", withdrawn: [], attributes, announced: [], faults: [] };
}

/** The family whose End-of-RIB an UPDATE is, if it is one. */
export function endOfRibFamily(update: Update): Family | undefined {
  const { unreach, ...others } = update.attributes;
  const isBare =
    Object.keys(others).length === 0 &&
    update.announced.length + update.withdrawn.length + update.faults.length === 0;
  if (!isBare) {
    return undefined;
  }
  if (unreach === undefined) {
    return "ipv4";
  }
  return "family" in unreach && unreach.prefixes.length === 0 ? unreach.family : undefined;
}
