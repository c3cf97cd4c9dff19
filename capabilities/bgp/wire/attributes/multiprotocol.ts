import { addressBytes, formatAddress } from "../address";
import type { Family } from "../address";
import { concat, createReader, u16, u8 } from "../bytes";
import type { ByteReader } from "../bytes";
import { Afi, ErrorCode, SAFI_UNICAST, UpdateError } from "../codes";
import { decodePrefixes, encodePrefix } from "../prefix";
import { decoded, refused } from "../result";
import type { Decoded } from "../result";

/** Routes of a family that is named (RFC 4760 section 3). */
export type Reach = {
  readonly family: Family;
  /** An IPv6 one for IPv4 routes is RFC 8950. */
  readonly nextHop: string;
  /** The next hop's link-local address, if it came too (RFC 2545 section 3). */
  readonly linkLocal?: string;
  readonly prefixes: readonly string[];
};

/** Routes withdrawn (RFC 4760 section 4); without any it is End-of-RIB (RFC 4724 section 2). */
export type Unreach = { readonly family: Family; readonly prefixes: readonly string[] };

/** A family that is not routed here, unread. */
export type OtherFamily = {
  readonly afi: number;
  readonly safi: number;
  readonly data: Uint8Array;
};

/**
 * Decodes MP_REACH_NLRI. Its errors end the session, since the routes in it cannot be told
 * (RFC 7606 sections 5.3, 7.11).
 */
export function decodeReach(bytes: Uint8Array): Decoded<Reach | OtherFamily> {
  const reader = createReader(bytes);
  const head = decodeFamily(reader);
  if (head === undefined) {
    return malformed("MP_REACH_NLRI is too short");
  }
  if (!("family" in head)) {
    return decoded(head);
  }
  return decodeHopAndPrefixes(reader, head.family);
}

function decodeHopAndPrefixes(reader: ByteReader, family: Family): Decoded<Reach> {
  const hop = reader.take(reader.u8() ?? Infinity) ?? new Uint8Array();
  const reserved = reader.u8();
  if (!nextHopLengths[family].includes(hop.length) || reserved === undefined) {
    return malformed(`MP_REACH_NLRI has a next hop of ${hop.length} octets`);
  }
  const prefixes = decodePrefixes(rest(reader), family);
  if (prefixes === undefined) {
    return badNlri("MP_REACH_NLRI");
  }
  return decoded({
    family,
    nextHop: formatAddress(hop.subarray(0, 16)),
    ...(hop.length === 32 && { linkLocal: formatAddress(hop.subarray(16)) }),
    prefixes,
  });
}

export function encodeReach(reach: Reach | OtherFamily): Uint8Array {
  if (!("family" in reach)) {
    return encodeOther(reach);
  }
  const { nextHop, linkLocal } = reach;
  const hops = concat(
    addressBytes(nextHop),
    linkLocal === undefined ? new Uint8Array() : addressBytes(linkLocal),
  );
  return concat(reachHead(reach.family, hops), ...reach.prefixes.map(encodePrefix));
}

/** What comes before the prefixes in MP_REACH_NLRI. */
export function reachHead(family: Family, nextHop: Uint8Array): Uint8Array {
  if (!nextHopLengths[family].includes(nextHop.length)) {
    throw new RangeError(`a next hop of ${nextHop.length} octets is none for ${family}`);
  }
  return concat(familyHead(family), u8(nextHop.length), nextHop, u8(0));
}

/** Decodes MP_UNREACH_NLRI; errors as in `decodeReach` (RFC 7606 section 7.12). */
export function decodeUnreach(bytes: Uint8Array): Decoded<Unreach | OtherFamily> {
  const reader = createReader(bytes);
  const head = decodeFamily(reader);
  if (head === undefined) {
    return malformed("MP_UNREACH_NLRI is too short");
  }
  if (!("family" in head)) {
    return decoded(head);
  }
  const prefixes = decodePrefixes(rest(reader), head.family);
  return prefixes === undefined
    ? badNlri("MP_UNREACH_NLRI")
    : decoded({ family: head.family, prefixes });
}

export function encodeUnreach(unreach: Unreach | OtherFamily): Uint8Array {
  return "family" in unreach
    ? concat(familyHead(unreach.family), ...unreach.prefixes.map(encodePrefix))
    : encodeOther(unreach);
}

/** AFI and SAFI of a family. */
export function familyHead(family: Family): Uint8Array {
  return concat(u16(afiOf(family)), u8(SAFI_UNICAST));
}

export function afiOf(family: Family): number {
  return family === "ipv4" ? Afi.Ipv4 : Afi.Ipv6;
}

/** The family of these numbers, if it is one that is routed here. */
export function familyOfAfi(afi: number, safi: number): Family | undefined {
  if (safi !== SAFI_UNICAST) {
    return undefined;
  }
  return afi === Afi.Ipv4 ? "ipv4" : afi === Afi.Ipv6 ? "ipv6" : undefined;
}

/** Octets that a next hop may have: an address, or a global and a link-local one. */
const nextHopLengths: Readonly<Record<Family, readonly number[]>> = {
  ipv4: [4, 16, 32],
  ipv6: [16, 32],
};

function decodeFamily(reader: ByteReader): { readonly family: Family } | OtherFamily | undefined {
  const afi = reader.u16();
  const safi = reader.u8();
  if (afi === undefined || safi === undefined) {
    return undefined;
  }
  const family = familyOfAfi(afi, safi);
  return family === undefined ? { afi, safi, data: rest(reader) } : { family };
}

function encodeOther({ afi, safi, data }: OtherFamily): Uint8Array {
  return concat(u16(afi), u8(safi), data);
}

function rest(reader: ByteReader): Uint8Array {
  return reader.take(reader.left()) ?? new Uint8Array();
}

function malformed(reason: string): Decoded<never> {
  return refused(ErrorCode.UpdateMessage, UpdateError.OptionalAttribute, reason);
}

function badNlri(where: string): Decoded<never> {
  const reason = `${where} has a prefix that is too long or not all there`;
  return refused(ErrorCode.UpdateMessage, UpdateError.InvalidNetworkField, reason);
}
