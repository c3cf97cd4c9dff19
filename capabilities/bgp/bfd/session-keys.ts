/** Authentication of a session's packets (RFC 5880 section 6.7), but for where keys come from. */
import type { SessionKeys, SessionState } from "./session-types";
import { digestLength, isSigned, signPacket } from "./wire/authentication";
import type { Authentication, DigestKind } from "./wire/authentication";
import { encodePacket } from "./wire/packet";
import type { ControlPacket } from "./wire/packet";

/** The section of the next packet, its digest still to be made. */
export function sectionOf({ settings, nextSequence }: SessionState): Authentication | undefined {
  const { authentication } = settings;
  const [key] = authentication?.keys ?? [];
  if (!authentication || !key) return undefined;
  const { kind } = authentication;
  if (kind === "password") return { kind, keyId: key.id, password: key.secret };
  const digest = new Uint8Array(digestLength(kind));
  return { kind, keyId: key.id, sequence: nextSequence, digest };
}

/** The octets to send, signed if the session has keys. */
export function sealPacket(packet: ControlPacket, keys: SessionKeys | undefined): Uint8Array {
  const bytes = encodePacket(packet);
  const [key] = keys?.keys ?? [];
  return keys === undefined || key === undefined || keys.kind === "password"
    ? bytes
    : signPacket(bytes, keys.kind, key.secret);
}

/**
 * Why a packet is not to be believed, apart from its sequence number; undefined if it is.
 *
 * @param bytes - the payload that it was decoded from
 */
export function forgeryOf(
  packet: ControlPacket,
  bytes: Uint8Array,
  keys: SessionKeys | undefined,
): string | undefined {
  const { authentication } = packet;
  if (!keys) return authentication && "it is authenticated and we have no key";
  if (authentication?.kind !== keys.kind) return `it is not authenticated by ${keys.kind}`;
  if (!("keyId" in authentication)) return "its kind of authentication is unknown";
  const { keyId } = authentication;
  const key = keys.keys.find(({ id }) => id === keyId);
  if (!key) return `we have no key ${keyId}`;
  const isRight =
    authentication.kind === "password"
      ? isSame(authentication.password, key.secret)
      : isSigned(bytes.subarray(0, bytes[3]), authentication.kind, key.secret);
  return isRight ? undefined : `it is not made with our key ${keyId}`;
}

/** Why a packet may be an old one (RFC 5880 sections 6.7.3 and 6.7.4); undefined if it is not. */
export function sequenceFault(session: SessionState, packet: ControlPacket): string | undefined {
  const { heardSequence } = session;
  const { authentication } = packet;
  if (heardSequence === undefined || !authentication || !("sequence" in authentication)) {
    return undefined;
  }
  const least = METICULOUS.has(authentication.kind) ? 1 : 0;
  const ahead = (authentication.sequence - heardSequence + 2 ** 32) % 2 ** 32;
  const isInWindow = ahead >= least && ahead <= 3 * packet.detectMultiplier;
  return isInWindow ? undefined : `sequence ${authentication.sequence} after ${heardSequence}`;
}

const METICULOUS: ReadonlySet<DigestKind> = new Set(["meticulousMd5", "meticulousSha1"]);

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.from(one).equals(other);
}
