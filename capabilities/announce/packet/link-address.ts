/** struct sockaddr_ll of linux/if_packet.h: where a frame goes or came from. Numbers are in this machine's order. */
import { hostU16, hostU32 } from "../../bgp/transport/socket-address";

export const AF_PACKET = 17;
const BYTES = 20;
const PROTOCOL_AT = 2;
const INTERFACE_AT = 4;

/**
 * Of frames that have their Ethernet header, which says the rest.
 *
 * @param interfaceIndex - 0 for all of them
 * @param protocol - that a socket is to hear
 */
export function linkAddress(interfaceIndex: number, protocol = 0): Uint8Array {
  const bytes = new Uint8Array(BYTES);
  hostU16(bytes, 0, AF_PACKET);
  new DataView(bytes.buffer).setUint16(PROTOCOL_AT, protocol);
  hostU32(bytes, INTERFACE_AT, interfaceIndex);
  return bytes;
}

/** The interface that a frame came in by. */
export function interfaceOf(address: Uint8Array): number {
  return new Uint32Array(address.slice(INTERFACE_AT, INTERFACE_AT + 4).buffer)[0] ?? 0;
}
