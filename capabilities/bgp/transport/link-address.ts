/** struct sockaddr_ll of linux/if_packet.h: where a frame goes or came from. Numbers are in this machine's order. */
import { hostU16, hostU32 } from "./socket-address";

export const AF_PACKET = 17;
const BYTES = 20;
const PROTOCOL_AT = 2;
const INTERFACE_AT = 4;
const LENGTH_AT = 11;
const HARDWARE_AT = 12;

/**
 * @param interfaceIndex - 0 for all of them
 * @param protocol - that a socket is to hear, or the type of a packet that the kernel gives its Ethernet header
 * @param hardware - whom it is for then; frames that have the header say so themselves
 */
export function linkAddress(
  interfaceIndex: number,
  protocol = 0,
  hardware: Uint8Array = new Uint8Array(),
): Uint8Array {
  const bytes = new Uint8Array(BYTES);
  hostU16(bytes, 0, AF_PACKET);
  new DataView(bytes.buffer).setUint16(PROTOCOL_AT, protocol);
  hostU32(bytes, INTERFACE_AT, interfaceIndex);
  bytes[LENGTH_AT] = hardware.length;
  bytes.set(hardware, HARDWARE_AT);
  return bytes;
}

/** The interface that a frame came in by. */
export function interfaceOf(address: Uint8Array): number {
  return new Uint32Array(address.slice(INTERFACE_AT, INTERFACE_AT + 4).buffer)[0] ?? 0;
}

/** The hardware address of who sent it on this link. */
export function hardwareOf(address: Uint8Array): Uint8Array {
  return address.slice(HARDWARE_AT, HARDWARE_AT + (address[LENGTH_AT] ?? 0));
}
