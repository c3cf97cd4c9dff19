import { concat, createReader, u16, u32 } from "../bytes";
import type { ByteReader } from "../bytes";
import { AttributeCode } from "../codes";
import { fromHex, toHex } from "../hex";
import { OPTIONAL_TRANSITIVE } from "./codec";
import type { AttributeCodec } from "./codec";

/**
 * COMMUNITIES, as text: two numbers of 16 bits, e.g. `65535:0`, which is GRACEFUL_SHUTDOWN
 * (RFC 1997; RFC 7606 section 7.8).
 */
export const communities = listOf(AttributeCode.Communities, 4, {
  decode: reader => numbers(2, () => reader.u16()),
  encode: text => concat(...split(text, 2).map(u16)),
});

/** Extended communities: 16 hexadecimal digits each (RFC 4360; RFC 7606 section 7.14). */
export const extendedCommunities = listOf(AttributeCode.ExtendedCommunities, 8, {
  decode: reader => toHex(reader.take(8) ?? new Uint8Array()),
  encode: text => {
    const bytes = fromHex(text);
    if (bytes.length !== 8 || text.length !== 16) {
      throw new RangeError(`"${text}" is no extended community of 16 hexadecimal digits`);
    }
    return bytes;
  },
});

/** Large communities, as text: three numbers of 32 bits, e.g. `4200000001:1:2` (RFC 8092). */
export const largeCommunities = listOf(AttributeCode.LargeCommunities, 12, {
  decode: reader => numbers(3, () => reader.u32()),
  encode: text => concat(...split(text, 3).map(u32)),
});

/**
 * The link bandwidth extended community (type 4, subtype 4), for weighted multipath. It is of the
 * transitive form, which survives a session between two ASes.
 *
 * @param as - 16 bits; of a longer AS number AS_TRANS
 * @param bytesPerSecond - goes out as a float of 32 bits
 */
export function linkBandwidth(as: number, bytesPerSecond: number): string {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x0004);
  view.setUint16(2, as);
  view.setFloat32(4, bytesPerSecond);
  return toHex(bytes);
}

/** A list of things of `size` octets each, at least one of them. */
function listOf(
  code: number,
  size: number,
  item: { decode(reader: ByteReader): string; encode(text: string): Uint8Array },
): AttributeCodec<readonly string[]> {
  return {
    code,
    flags: OPTIONAL_TRANSITIVE,
    onError: "treatAsWithdraw",
    decode: data => {
      const count = data.length / size;
      const reader = createReader(data);
      return count >= 1 && Number.isInteger(count)
        ? Array.from({ length: count }, () => item.decode(reader))
        : undefined;
    },
    encode: values => concat(...values.map(value => item.encode(value))),
  };
}

function numbers(count: number, read: () => number | undefined): string {
  return Array.from({ length: count }, () => read() ?? 0).join(":");
}

function split(text: string, count: number): number[] {
  const parts = text.split(":");
  if (parts.length !== count || !parts.every(part => /^\d+$/.test(part))) {
    throw new RangeError(`"${text}" is no community of ${count} numbers`);
  }
  return parts.map(Number);
}
