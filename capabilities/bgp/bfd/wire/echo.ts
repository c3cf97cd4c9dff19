import { addressBytes } from "../../wire/address";
import { concat, u16, u32 } from "../../wire/bytes";
import { internetChecksum } from "../../wire/checksum";

/** RFC 5881 section 4. */
export const ECHO_PORT = 3785;

/** What is ours to choose, so that nothing is taken for one of our packets that is not (RFC 5880 section 6.4). */
export type Echo = {
  /** Of the session, local. */
  readonly discriminator: number;
  /** Random octets that nobody else knows; of a session, always the same. */
  readonly token: Uint8Array;
  /** Below 2^32. */
  readonly sequence: number;
};

export const TOKEN_LENGTH = 8;

const UDP = 17;
const UDP_LENGTH = 8;
const PAYLOAD_LENGTH = 4 + TOKEN_LENGTH + 4;
const TTL = 255;
/** Internetwork control (CS6), as control packets. */
const TRAFFIC_CLASS = 0xc0;
const DO_NOT_FRAGMENT = 0x4000;

/**
 * An IP packet that a neighbor which forwards sends back: from our address to our address (RFC 5881 section 4).
 * There are no options or extension headers.
 */
export function encodeEcho(address: string, { discriminator, token, sequence }: Echo): Uint8Array {
  const own = addressBytes(address);
  const payload = concat(u32(discriminator), token, u32(sequence));
  const length = UDP_LENGTH + payload.length;
  const datagram = concat(u16(ECHO_PORT), u16(ECHO_PORT), u16(length), u16(0), payload);
  const pseudo = concat(own, own, u32(length), u32(UDP));
  // None is written as all ones (RFC 768).
  datagram.set(u16(internetChecksum(concat(pseudo, datagram)) || 0xffff), 6);
  return concat(own.length === 4 ? ipv4(own, length) : ipv6(own, length), datagram);
}

function ipv4(own: Uint8Array, length: number): Uint8Array {
  const header = concat(
    Uint8Array.of(0x45, TRAFFIC_CLASS),
    ...[u16(20 + length), u16(0), u16(DO_NOT_FRAGMENT)],
    ...[Uint8Array.of(TTL, UDP), u16(0), own, own],
  );
  header.set(u16(internetChecksum(header)), 10);
  return header;
}

function ipv6(own: Uint8Array, length: number): Uint8Array {
  const first = u32((6 << 28) | (TRAFFIC_CLASS << 20));
  return concat(first, u16(length), Uint8Array.of(UDP, TTL), own, own);
}

/** Reads an IP packet that came in; undefined if it is no echo packet as we send them, whosever it is. */
export function decodeEcho(packet: Uint8Array): Echo | undefined {
  const isV6 = (packet[0] ?? 0) >> 4 === 6;
  const udpAt = isV6 ? 40 : 20;
  if (packet.length < udpAt + UDP_LENGTH + PAYLOAD_LENGTH) return undefined;
  if (!isV6 && packet[0] !== 0x45) return undefined;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const isUdp = packet[isV6 ? 6 : 9] === UDP;
  const length = view.getUint16(udpAt + 4);
  const isEcho = view.getUint16(udpAt + 2) === ECHO_PORT && length === UDP_LENGTH + PAYLOAD_LENGTH;
  if (!isUdp || !isEcho) return undefined;
  const at = udpAt + UDP_LENGTH;
  return {
    discriminator: view.getUint32(at),
    token: packet.slice(at + 4, at + 4 + TOKEN_LENGTH),
    sequence: view.getUint32(at + 4 + TOKEN_LENGTH),
  };
}
