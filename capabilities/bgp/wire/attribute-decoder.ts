import { codecsByCode } from "./attribute";
import type { PathAttributes, UnknownAttribute } from "./attribute";
import { mergeAsPaths } from "./attributes/as-path";
import type { Aggregator, AsPath } from "./attributes/as-path";
import { OPTIONAL, OPTIONAL_TRANSITIVE } from "./attributes/codec";
import type { CodecContext, FaultAction } from "./attributes/codec";
import { decodeReach, decodeUnreach } from "./attributes/multiprotocol";
import { createReader } from "./bytes";
import type { ByteReader } from "./bytes";
import { AS_TRANS, AttributeCode, AttributeFlag, ErrorCode, UpdateError } from "./codes";
import { decoded, refused } from "./result";
import type { Decoded } from "./result";

/** Something malformed that the session survives (RFC 7606 section 2). */
export type Fault = {
  readonly action: FaultAction;
  /** The attribute's code. */
  readonly attribute: number;
  readonly reason: string;
};

type RawAttribute = UnknownAttribute;

/** Attributes by name while they are read; the two wide forms are merged away at the end. */
type Collected = PathAttributes & {
  readonly as4Path?: AsPath;
  readonly as4Aggregator?: Aggregator;
};

/** What has been read so far. */
type Progress = { attributes: Collected; readonly faults: Fault[]; readonly seen: Set<number> };

/**
 * Decodes path attributes and checks them as RFC 7606 sections 3 to 7 say.
 *
 * @param hasNlri - the UPDATE announces prefixes in its old field too
 */
export function decodeAttributes(
  bytes: Uint8Array,
  context: CodecContext,
  hasNlri: boolean,
): Decoded<{ readonly attributes: PathAttributes; readonly faults: readonly Fault[] }> {
  const reader = createReader(bytes);
  const progress: Progress = { attributes: {}, faults: [], seen: new Set() };
  while (reader.left() > 0) {
    const raw = readAttribute(reader);
    if (raw === undefined) {
      // RFC 7606 section 4: the Total Attribute Length is relied upon, so the prefixes are known.
      progress.faults.push(withdrawFor(0, "the last attribute is not all there"));
      break;
    }
    const error = takeAttribute(raw, context, progress);
    if (error !== undefined) {
      return error;
    }
  }
  return conclude(progress, context, hasNlri);
}

function readAttribute(reader: ByteReader): RawAttribute | undefined {
  const flags = reader.u8() ?? 0;
  const code = reader.u8();
  const length = (flags & AttributeFlag.ExtendedLength) === 0 ? reader.u8() : reader.u16();
  const data = reader.take(length ?? Infinity);
  return code === undefined || data === undefined
    ? undefined
    : { flags: flags & (OPTIONAL_TRANSITIVE | AttributeFlag.Partial), code, data };
}

/** Reads one attribute into `progress`, or returns the error that ends the session. */
function takeAttribute(
  raw: RawAttribute,
  context: CodecContext,
  progress: Progress,
): Decoded<never> | undefined {
  const isMp = raw.code === AttributeCode.MpReach || raw.code === AttributeCode.MpUnreach;
  if (progress.seen.has(raw.code)) {
    // RFC 7606 3(g): the first one counts, except for the two that hold prefixes.
    const reason = `attribute ${raw.code} came twice`;
    progress.faults.push({ action: "attributeDiscard", attribute: raw.code, reason });
    return isMp ? resetFor(UpdateError.MalformedAttributes, reason) : undefined;
  }
  progress.seen.add(raw.code);
  return isMp ? takeMultiprotocol(raw, progress) : takePlain(raw, context, progress);
}

function takeMultiprotocol(raw: RawAttribute, progress: Progress): Decoded<never> | undefined {
  checkFlags(raw, OPTIONAL, progress);
  if (raw.code === AttributeCode.MpReach) {
    const reach = decodeReach(raw.data);
    if (!reach.ok) return reach;
    progress.attributes = { ...progress.attributes, reach: reach.value };
  } else {
    const unreach = decodeUnreach(raw.data);
    if (!unreach.ok) return unreach;
    progress.attributes = { ...progress.attributes, unreach: unreach.value };
  }
  return undefined;
}

function takePlain(
  raw: RawAttribute,
  context: CodecContext,
  progress: Progress,
): Decoded<never> | undefined {
  const known = codecsByCode.get(raw.code);
  if (known === undefined) {
    return takeUnknown(raw, progress);
  }
  const { name, codec } = known;
  if (codec.isInternalOnly === true && !context.isInternal) {
    const reason = `attribute ${raw.code} came from another AS`;
    progress.faults.push({ action: "attributeDiscard", attribute: raw.code, reason });
    return undefined;
  }
  if (!checkFlags(raw, codec.flags, progress)) {
    return undefined;
  }
  const value = codec.decode(raw.data, context);
  if (value === undefined) {
    const reason = `attribute ${raw.code} is malformed`;
    progress.faults.push({ action: codec.onError, attribute: raw.code, reason });
    return undefined;
  }
  progress.attributes = { ...progress.attributes, [name]: value };
  return undefined;
}

function takeUnknown(raw: RawAttribute, progress: Progress): Decoded<never> | undefined {
  if ((raw.flags & AttributeFlag.Optional) === 0) {
    const reason = `attribute ${raw.code} is said to be well-known and is not`;
    return resetFor(UpdateError.UnrecognizedWellKnown, reason);
  }
  const unknown = [...(progress.attributes.unknown ?? []), raw];
  progress.attributes = { ...progress.attributes, unknown };
  return undefined;
}

/** RFC 7606 3(c). */
function checkFlags(raw: RawAttribute, expected: number, progress: Progress): boolean {
  const isRight = (raw.flags & OPTIONAL_TRANSITIVE) === expected;
  if (!isRight) {
    progress.faults.push(withdrawFor(raw.code, `attribute ${raw.code} has wrong flags`));
  }
  return isRight;
}

function conclude(
  { attributes, faults, seen }: Progress,
  context: CodecContext,
  hasNlri: boolean,
): ReturnType<typeof decodeAttributes> {
  const isReaching = hasNlri || seen.has(AttributeCode.MpReach);
  if (isReaching) {
    faults.push(...missing(seen, hasNlri));
  }
  const worst = faults.find(({ action }) => action === "treatAsWithdraw");
  if (worst !== undefined && !isReaching) {
    // RFC 7606 section 5.2: what was broken may have been the one that held the prefixes.
    return resetFor(UpdateError.MalformedAttributes, `${worst.reason}, and no prefix is there`);
  }
  return decoded({ attributes: mergeWide(attributes, context), faults });
}

/** RFC 7606 3(d): one fault for each mandatory attribute that did not come at all. */
function missing(seen: ReadonlySet<number>, hasNlri: boolean): readonly Fault[] {
  const mandatory = [
    AttributeCode.Origin,
    AttributeCode.AsPath,
    ...(hasNlri ? [AttributeCode.NextHop] : []),
  ];
  return mandatory
    .filter(code => !seen.has(code))
    .map(code => withdrawFor(code, `attribute ${code} is missing`));
}

/** RFC 6793 section 4.2.3; between peers that both know four octets the wide forms mean nothing. */
function mergeWide(collected: Collected, { fourOctetAs }: CodecContext): PathAttributes {
  const { as4Path, as4Aggregator, ...attributes } = collected;
  const { asPath, aggregator } = attributes;
  // An AGGREGATOR without AS_TRANS was written by somebody who has not kept the wide forms right.
  const isStale = as4Aggregator !== undefined && aggregator?.as !== AS_TRANS;
  if (fourOctetAs || isStale) {
    return attributes;
  }
  return {
    ...attributes,
    ...(as4Path !== undefined && asPath !== undefined && { asPath: mergeAsPaths(asPath, as4Path) }),
    ...(as4Aggregator !== undefined && { aggregator: as4Aggregator }),
  };
}

function withdrawFor(attribute: number, reason: string): Fault {
  return { action: "treatAsWithdraw", attribute, reason };
}

function resetFor(subcode: number, reason: string): Decoded<never> {
  return refused(ErrorCode.UpdateMessage, subcode, reason);
}
