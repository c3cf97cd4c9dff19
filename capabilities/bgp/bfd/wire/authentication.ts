/** The authentication section of a control packet (RFC 5880 sections 4.2 to 4.4) and its digests. */
import { createHash, timingSafeEqual } from "node:crypto";
import { concat, u32, u8 } from "../../wire/bytes";
import { accepted, discarded } from "./result";
import type { BfdDecoded } from "./result";

/** Types whose digest covers the whole packet. Meticulous: every packet has another sequence number. */
export type DigestKind = "keyedMd5" | "meticulousMd5" | "keyedSha1" | "meticulousSha1";
export type AuthenticationKind = "password" | DigestKind;

export type Authentication =
  /** 1 to 16 octets, in clear. */
  | { readonly kind: "password"; readonly keyId: number; readonly password: Uint8Array }
  | {
      readonly kind: DigestKind;
      readonly keyId: number;
      /** Below 2^32. */
      readonly sequence: number;
      /** 16 octets for MD5, 20 for SHA1. */
      readonly digest: Uint8Array;
    }
  | { readonly kind: "unknown"; readonly type: number; readonly data: Uint8Array };

const TYPES: Readonly<Record<AuthenticationKind, number>> = {
  password: 1,
  keyedMd5: 2,
  meticulousMd5: 3,
  keyedSha1: 4,
  meticulousSha1: 5,
};
const KINDS = new Map(Object.entries(TYPES).map(([kind, type]) => [type, kind]));

/** Type, length, key id, a reserved octet and the sequence number. */
const DIGEST_AT = 8;
/** Where the section begins in a packet. */
const SECTION_AT = 24;
const MAX_PASSWORD = 16;

/** Octets of a digest, and so the most that a key may have. */
export function digestLength(kind: DigestKind): number {
  return kind === "keyedMd5" || kind === "meticulousMd5" ? 16 : 20;
}

/** Decodes what stands behind the mandatory section, at least two octets. */
export function decodeAuthentication(bytes: Uint8Array): BfdDecoded<Authentication> {
  const [type = 0, length = 0, keyId = 0] = bytes;
  if (length < 2 || length > bytes.length) {
    return discarded(`the authentication section's length ${length} does not fit the packet`);
  }
  // Not slice: of a Buffer, which is what sockets give, that would be no copy.
  const section = new Uint8Array(bytes.subarray(0, length));
  const kind = KINDS.get(type) as AuthenticationKind | undefined;
  if (kind === undefined) return accepted({ kind: "unknown", type, data: section.slice(2) });
  return kind === "password" ? passwordOf(section, keyId) : digestOf(kind, section, keyId);
}

function passwordOf(section: Uint8Array, keyId: number): BfdDecoded<Authentication> {
  const password = section.slice(3);
  return password.length >= 1 && password.length <= MAX_PASSWORD
    ? accepted({ kind: "password", keyId, password })
    : discarded(`a password section of ${section.length} octets`);
}

function digestOf(
  kind: DigestKind,
  section: Uint8Array,
  keyId: number,
): BfdDecoded<Authentication> {
  if (section.length !== DIGEST_AT + digestLength(kind)) {
    return discarded(`a section of type ${TYPES[kind]} with ${section.length} octets`);
  }
  const sequence = new DataView(section.buffer).getUint32(4);
  return accepted({ kind, keyId, sequence, digest: section.slice(DIGEST_AT) });
}

export function encodeAuthentication(section: Authentication): Uint8Array {
  if (section.kind === "unknown") {
    return concat(u8(section.type), u8(2 + section.data.length), section.data);
  }
  const type = u8(TYPES[section.kind]);
  if (section.kind === "password") {
    return concat(type, u8(3 + section.password.length), u8(section.keyId), section.password);
  }
  const { keyId, sequence, digest, kind } = section;
  const length = DIGEST_AT + digestLength(kind);
  return concat(type, u8(length), u8(keyId), u8(0), u32(sequence), padded(digest, kind));
}

/**
 * Puts the digest into an encoded packet whose section is of such a kind: computed with the key in its place
 * (RFC 5880 sections 6.7.3 and 6.7.4). The packet given is left as it is.
 */
export function signPacket(packet: Uint8Array, kind: DigestKind, secret: Uint8Array): Uint8Array {
  const signed = new Uint8Array(packet);
  const place = SECTION_AT + DIGEST_AT;
  signed.set(padded(secret, kind), place);
  const algorithm = digestLength(kind) === 16 ? "md5" : "sha1";
  signed.set(createHash(algorithm).update(signed).digest(), place);
  return signed;
}

/** Whether a packet, without what follows its own length, was signed with this key. */
export function isSigned(packet: Uint8Array, kind: DigestKind, secret: Uint8Array): boolean {
  const expected = signPacket(packet, kind, secret);
  return timingSafeEqual(expected, packet);
}

function padded(bytes: Uint8Array, kind: DigestKind): Uint8Array {
  const whole = new Uint8Array(digestLength(kind));
  whole.set(bytes);
  return whole;
}
