import { attributeCodecs, frameAttribute } from "./attribute";
import type { AttributeName, PathAttributes } from "./attribute";
import { needsFourOctets } from "./attributes/as-path";
import type { Aggregator, AsPath } from "./attributes/as-path";
import { OPTIONAL } from "./attributes/codec";
import type { AttributeCodec, CodecContext } from "./attributes/codec";
import { encodeReach, encodeUnreach } from "./attributes/multiprotocol";
import { concat } from "./bytes";
import { AttributeCode } from "./codes";

/**
 * Encodes path attributes: those of RFC 4760 first, as RFC 7606 section 5.1 asks, then by ascending
 * code. To a peer that knows AS numbers of two octets only, AS4_PATH and AS4_AGGREGATOR go along
 * where they are needed (RFC 6793 section 4.2.2).
 */
export function encodeAttributes(attributes: PathAttributes, context: CodecContext): Uint8Array {
  const { reach, unreach, unknown = [], ...known } = attributes;
  const values = { ...known, ...(context.fourOctetAs ? {} : wideForms(attributes)) };
  const plain = Object.entries(values).map(([name, value]) => {
    const codec = attributeCodecs[name as AttributeName] as AttributeCodec<unknown>;
    return { flags: codec.flags, code: codec.code, data: codec.encode(value, context) };
  });
  const rest = [...plain, ...unknown].sort((a, b) => a.code - b.code);
  return concat(
    ...(reach === undefined ? [] : [mpAttribute(AttributeCode.MpReach, encodeReach(reach))]),
    ...(unreach === undefined
      ? []
      : [mpAttribute(AttributeCode.MpUnreach, encodeUnreach(unreach))]),
    ...rest.map(({ flags, code, data }) => frameAttribute(flags, code, data)),
  );
}

/** MP_REACH_NLRI and MP_UNREACH_NLRI are optional and non-transitive. */
export function mpAttribute(code: number, data: Uint8Array): Uint8Array {
  return frameAttribute(OPTIONAL, code, data);
}

function wideForms({ asPath, aggregator }: PathAttributes): {
  readonly as4Path?: AsPath;
  readonly as4Aggregator?: Aggregator;
} {
  const isWidePath = needsFourOctets((asPath ?? []).flatMap(({ ases }) => ases));
  const isWideAggregator = aggregator !== undefined && needsFourOctets([aggregator.as]);
  return {
    ...(isWidePath && asPath !== undefined && { as4Path: asPath }),
    ...(isWideAggregator && { as4Aggregator: aggregator }),
  };
}
