/**
 * The kernel's filter for what BFD sockets receive: packets of known neighbors whose TTL or hop limit is high
 * enough. Node.js cannot tell the TTL of a datagram, and a stranger's packets cost no wakeup this way.
 */
import type { Instruction } from "../transport/libc";
import { parseAddress } from "../wire/address";

/** A neighbor, as an address without a zone, and the least TTL that its packets may arrive with. */
export type Admission = { readonly address: string; readonly minimumTtl: number };

const LOAD_WORD = 0x20;
const LOAD_BYTE = 0x30;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_GREATER_OR_EQUAL = 0x35;
const RETURN = 0x06;

/** SKF_NET_OFF: offsets from here on are from the IP header, which a UDP socket's packet lies behind. */
const NETWORK_HEADER = 0xfff0_0000;
const SOURCE_AT = { 4: 12, 16: 8 } as const;
const TTL_AT = { 4: 8, 16: 7 } as const;
const WHOLE_PACKET = 0xffff;
const DROP: Instruction = [RETURN, 0, 0, 0];

/**
 * A filter for a socket of the addresses' family. The kernel takes 4096 instructions, enough for 290 neighbors
 * by IPv6.
 */
export function admissionFilter(neighbors: readonly Admission[]): readonly Instruction[] {
  return [...neighbors.flatMap(blockOf), DROP];
}

/** Falls through to the next block unless the source is this neighbor. */
function blockOf({ address, minimumTtl }: Admission): readonly Instruction[] {
  const octets = parseAddress(address) ?? new Uint8Array();
  const length = octets.length === 4 ? 4 : 16;
  const view = new DataView(octets.buffer);
  const words = Array.from({ length: octets.length / 4 }, (_, word) => view.getUint32(4 * word));
  const verdict: readonly Instruction[] = [
    [LOAD_BYTE, 0, 0, NETWORK_HEADER + TTL_AT[length]],
    [JUMP_IF_GREATER_OR_EQUAL, 0, 1, minimumTtl],
    [RETURN, 0, 0, WHOLE_PACKET],
    DROP,
  ];
  const compares = words.flatMap((word, index): readonly Instruction[] => {
    const left = 2 * (words.length - 1 - index) + verdict.length;
    return [
      [LOAD_WORD, 0, 0, NETWORK_HEADER + SOURCE_AT[length] + 4 * index],
      [JUMP_IF_EQUAL, 0, left, word],
    ];
  });
  return [...compares, ...verdict];
}
