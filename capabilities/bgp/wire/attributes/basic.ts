import { addressBytes, formatAddress } from "../address";
import { concat, createReader, u32, u8 } from "../bytes";
import { AttributeCode } from "../codes";
import { OPTIONAL, OPTIONAL_TRANSITIVE, WELL_KNOWN } from "./codec";
import type { AttributeCodec } from "./codec";

/** Where a route came from (RFC 4271 section 5.1.1). */
export type Origin = "igp" | "egp" | "incomplete";

const origins: readonly Origin[] = ["igp", "egp", "incomplete"];

/** ORIGIN (RFC 4271 section 5.1.1; RFC 7606 section 7.1). */
export const origin: AttributeCodec<Origin> = {
  code: AttributeCode.Origin,
  flags: WELL_KNOWN,
  onError: "treatAsWithdraw",
  decode: data => (data.length === 1 ? origins[data[0] ?? 255] : undefined),
  encode: value => u8(origins.indexOf(value)),
};

/** NEXT_HOP, an IPv4 address (RFC 4271 section 5.1.3; RFC 7606 section 7.3). */
export const nextHop: AttributeCodec<string> = {
  code: AttributeCode.NextHop,
  flags: WELL_KNOWN,
  onError: "treatAsWithdraw",
  decode: decodeIpv4,
  encode: encodeIpv4,
};

/** MULTI_EXIT_DISC (RFC 4271 section 5.1.4; RFC 7606 section 7.4). */
export const med: AttributeCodec<number> = {
  code: AttributeCode.Med,
  flags: OPTIONAL,
  onError: "treatAsWithdraw",
  decode: decodeU32,
  encode: value => u32(value),
};

/** LOCAL_PREF, within one AS only (RFC 4271 section 5.1.5; RFC 7606 section 7.5). */
export const localPref: AttributeCodec<number> = {
  code: AttributeCode.LocalPref,
  flags: WELL_KNOWN,
  onError: "treatAsWithdraw",
  isInternalOnly: true,
  decode: decodeU32,
  encode: value => u32(value),
};

/** ATOMIC_AGGREGATE, which is there or not (RFC 4271 section 5.1.6; RFC 7606 section 7.6). */
export const atomicAggregate: AttributeCodec<true> = {
  code: AttributeCode.AtomicAggregate,
  flags: WELL_KNOWN,
  onError: "attributeDiscard",
  decode: data => (data.length === 0 ? true : undefined),
  encode: () => new Uint8Array(),
};

/** ORIGINATOR_ID, set by a route reflector (RFC 4456; RFC 7606 section 7.9). */
export const originatorId: AttributeCodec<string> = {
  code: AttributeCode.OriginatorId,
  flags: OPTIONAL,
  onError: "treatAsWithdraw",
  isInternalOnly: true,
  decode: decodeIpv4,
  encode: encodeIpv4,
};

/** CLUSTER_LIST, the route reflectors passed (RFC 4456; RFC 7606 section 7.10). */
export const clusterList: AttributeCodec<readonly string[]> = {
  code: AttributeCode.ClusterList,
  flags: OPTIONAL,
  onError: "treatAsWithdraw",
  isInternalOnly: true,
  decode: data => {
    const count = data.length / 4;
    return count >= 1 && Number.isInteger(count)
      ? Array.from({ length: count }, (_, i) => formatAddress(data.subarray(4 * i, 4 * i + 4)))
      : undefined;
  },
  encode: value => concat(...value.map(encodeIpv4)),
};

/** Only to Customer: the AS that let the route out to us (RFC 9234 section 5). */
export const onlyToCustomer: AttributeCodec<number> = {
  code: AttributeCode.OnlyToCustomer,
  flags: OPTIONAL_TRANSITIVE,
  onError: "treatAsWithdraw",
  decode: decodeU32,
  encode: value => u32(value),
};

function decodeU32(data: Uint8Array): number | undefined {
  return data.length === 4 ? createReader(data).u32() : undefined;
}

function decodeIpv4(data: Uint8Array): string | undefined {
  return data.length === 4 ? formatAddress(data) : undefined;
}

function encodeIpv4(text: string): Uint8Array {
  const bytes = addressBytes(text);
  if (bytes.length !== 4) {
    throw new RangeError(`"${text}" is no IPv4 address`);
  }
  return bytes;
}
