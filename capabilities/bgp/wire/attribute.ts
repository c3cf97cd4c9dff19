import { as4Aggregator, as4Path, aggregator, asPath } from "./attributes/as-path";
import type { Aggregator, AsPath } from "./attributes/as-path";
import {
  atomicAggregate,
  clusterList,
  localPref,
  med,
  nextHop,
  onlyToCustomer,
  origin,
  originatorId,
} from "./attributes/basic";
import type { Origin } from "./attributes/basic";
import type { AttributeCodec } from "./attributes/codec";
import { communities, extendedCommunities, largeCommunities } from "./attributes/communities";
import type { OtherFamily, Reach, Unreach } from "./attributes/multiprotocol";
import { concat, u16, u8 } from "./bytes";
import { AttributeFlag } from "./codes";

/** What an UPDATE says of its routes. All routes of one UPDATE have the same attributes. */
export type PathAttributes = {
  readonly origin?: Origin;
  readonly asPath?: AsPath;
  readonly nextHop?: string;
  readonly med?: number;
  readonly localPref?: number;
  readonly atomicAggregate?: true;
  readonly aggregator?: Aggregator;
  readonly communities?: readonly string[];
  readonly originatorId?: string;
  readonly clusterList?: readonly string[];
  readonly reach?: Reach | OtherFamily;
  readonly unreach?: Unreach | OtherFamily;
  readonly extendedCommunities?: readonly string[];
  readonly largeCommunities?: readonly string[];
  readonly onlyToCustomer?: number;
  /** Optional attributes that we don't know, as they came. */
  readonly unknown?: readonly UnknownAttribute[];
};

export type UnknownAttribute = {
  /** Optional, Transitive and Partial of `AttributeFlag`. */
  readonly flags: number;
  readonly code: number;
  readonly data: Uint8Array;
};

/** Attributes with a codec of their own; RFC 4760's two are read apart, as their errors differ. */
export const attributeCodecs = {
  origin,
  asPath,
  nextHop,
  med,
  localPref,
  atomicAggregate,
  aggregator,
  communities,
  originatorId,
  clusterList,
  extendedCommunities,
  as4Path,
  as4Aggregator,
  largeCommunities,
  onlyToCustomer,
} as const;

export type AttributeName = keyof typeof attributeCodecs;

/** A codec by the attribute's code. */
export const codecsByCode: ReadonlyMap<
  number,
  { readonly name: AttributeName; readonly codec: AttributeCodec<unknown> }
> = new Map(
  Object.entries(attributeCodecs).map(([name, codec]) => [
    codec.code,
    { name: name as AttributeName, codec: codec as AttributeCodec<unknown> },
  ]),
);

/** An attribute with its header; the long form of the length only where it is needed. */
export function frameAttribute(flags: number, code: number, data: Uint8Array): Uint8Array {
  return data.length > 0xff
    ? concat(u8(flags | AttributeFlag.ExtendedLength), u8(code), u16(data.length), data)
    : concat(u8(flags), u8(code), u8(data.length), data);
}
