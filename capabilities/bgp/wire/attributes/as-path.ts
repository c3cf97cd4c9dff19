import { addressBytes, formatAddress } from "../address";
import { concat, createReader, u16, u32, u8 } from "../bytes";
import type { ByteReader } from "../bytes";
import { AS_TRANS, AttributeCode } from "../codes";
import { OPTIONAL_TRANSITIVE, WELL_KNOWN } from "./codec";
import type { AttributeCodec } from "./codec";

/** ASes in the order passed, the last one first, or a set of them (RFC 4271 section 5.1.2). */
export type AsSegment = {
  readonly kind: "sequence" | "set";
  readonly ases: readonly number[];
};

/** Empty for a route that has not left its AS. */
export type AsPath = readonly AsSegment[];

/** Who aggregated a route (RFC 4271 section 5.1.7). */
export type Aggregator = { readonly as: number; readonly address: string };

/** AS_PATH (RFC 4271 section 5.1.2; RFC 7606 section 7.2; RFC 6793). */
export const asPath: AttributeCodec<AsPath> = {
  code: AttributeCode.AsPath,
  flags: WELL_KNOWN,
  onError: "treatAsWithdraw",
  decode: (data, { fourOctetAs }) => decodeAsPath(data, fourOctetAs),
  encode: (path, { fourOctetAs }) => encodeAsPath(path, fourOctetAs),
};

/** AS4_PATH: the AS_PATH with four octets, past a peer that knows only two (RFC 6793 section 4). */
export const as4Path: AttributeCodec<AsPath> = {
  code: AttributeCode.As4Path,
  flags: OPTIONAL_TRANSITIVE,
  onError: "attributeDiscard",
  decode: data => decodeAsPath(data, true),
  encode: path => encodeAsPath(path, true),
};

/** AGGREGATOR (RFC 4271 section 5.1.7; RFC 7606 section 7.7). */
export const aggregator: AttributeCodec<Aggregator> = {
  code: AttributeCode.Aggregator,
  flags: OPTIONAL_TRANSITIVE,
  onError: "attributeDiscard",
  decode: (data, { fourOctetAs }) => decodeAggregator(data, fourOctetAs),
  encode: ({ as, address }, { fourOctetAs }) =>
    concat(encodeAs(as, fourOctetAs), addressBytes(address)),
};

/** AS4_AGGREGATOR (RFC 6793 sections 4 and 6). */
export const as4Aggregator: AttributeCodec<Aggregator> = {
  code: AttributeCode.As4Aggregator,
  flags: OPTIONAL_TRANSITIVE,
  onError: "attributeDiscard",
  decode: data => decodeAggregator(data, true),
  encode: ({ as, address }) => concat(u32(as), addressBytes(address)),
};

/** Says whether a path or aggregator loses something when written with two octets per AS. */
export function needsFourOctets(ases: readonly number[]): boolean {
  return ases.some(as => as > 0xffff);
}

/**
 * The real path, from what a 2-octet peer sent (RFC 6793 section 4.2.3): AS4_PATH, preceded by the
 * ASes that only AS_PATH has. An AS4_PATH that is the longer one is not to be trusted.
 */
export function mergeAsPaths(path: AsPath, wide: AsPath): AsPath {
  let surplus = countAses(path) - countAses(wide);
  if (surplus < 0) {
    return path;
  }
  const leading: AsSegment[] = [];
  for (const segment of path) {
    if (surplus === 0) {
      break;
    }
    const take = segment.kind === "set" ? 1 : Math.min(surplus, segment.ases.length);
    leading.push(
      segment.kind === "set" ? segment : { ...segment, ases: segment.ases.slice(0, take) },
    );
    surplus -= take;
  }
  return [...leading, ...wide];
}

/** A set counts as one (RFC 4271 section 9.1.2.2). */
function countAses(path: AsPath): number {
  return path.reduce((sum, { kind, ases }) => sum + (kind === "set" ? 1 : ases.length), 0);
}

const SET = 1;
const SEQUENCE = 2;
const LONGEST_SEGMENT = 255;

function decodeAsPath(data: Uint8Array, isWide: boolean): AsPath | undefined {
  const reader = createReader(data);
  const path: AsSegment[] = [];
  while (reader.left() > 0) {
    const segment = decodeSegment(reader, isWide);
    if (segment === undefined) {
      return undefined;
    }
    path.push(segment);
  }
  return path;
}

/** Confederation segments are malformed here: we are in no confederation (RFC 5065 section 5). */
function decodeSegment(reader: ByteReader, isWide: boolean): AsSegment | undefined {
  const type = reader.u8();
  const count = reader.u8() ?? 0;
  if ((type !== SET && type !== SEQUENCE) || count === 0) {
    return undefined;
  }
  const ases = Array.from({ length: count }, () => (isWide ? reader.u32() : reader.u16()) ?? 0);
  // An overrun reads as AS 0, which is malformed in its own right (RFC 7607).
  return ases.includes(0) ? undefined : { kind: type === SET ? "set" : "sequence", ases };
}

function encodeAsPath(path: AsPath, isWide: boolean): Uint8Array {
  return concat(
    ...path.map(({ kind, ases }) => {
      if (ases.length === 0 || ases.length > LONGEST_SEGMENT) {
        throw new RangeError(`a segment of ${ases.length} ASes has not 1 to ${LONGEST_SEGMENT}`);
      }
      const head = concat(u8(kind === "set" ? SET : SEQUENCE), u8(ases.length));
      return concat(head, ...ases.map(as => encodeAs(as, isWide)));
    }),
  );
}

function encodeAs(as: number, isWide: boolean): Uint8Array {
  return isWide ? u32(as) : u16(as > 0xffff ? AS_TRANS : as);
}

function decodeAggregator(data: Uint8Array, isWide: boolean): Aggregator | undefined {
  const reader = createReader(data);
  const as = isWide ? reader.u32() : reader.u16();
  const address = reader.take(4);
  const isWhole = as !== undefined && as !== 0 && address !== undefined && reader.left() === 0;
  return isWhole ? { as, address: formatAddress(address) } : undefined;
}
