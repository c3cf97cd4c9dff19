import { concat, createReader, u16, u32, u8 } from "./bytes";
import type { ByteReader } from "./bytes";
import { decodeCapabilities, encodeCapability } from "./capability";
import type { Capability } from "./capability";
import { AS_TRANS, ErrorCode, OpenError } from "./codes";
import { decoded, refused } from "./result";
import type { Decoded } from "./result";

/** The first message on a connection: who is there and what it can do (RFC 4271 section 4.2). */
export type Open = {
  readonly type: "open";
  /** The 16-bit field; AS_TRANS if the number has more bits. Ask `asOf` for the AS number. */
  readonly myAs: number;
  /** Seconds: 0 (no keepalives) or 3–65535. */
  readonly holdTime: number;
  /** BGP Identifier, unsigned 32 bits, not 0; usually an IPv4 address of the router. */
  readonly identifier: number;
  readonly capabilities: readonly Capability[];
};

/** The AS number that the sender of an OPEN says it has (RFC 6793 section 4.1). */
export function asOf(open: Open): number {
  const wide = open.capabilities.find(capability => capability.kind === "fourOctetAs");
  return wide?.as ?? open.myAs;
}

/** What goes into the 16-bit field for an AS number of up to 32 bits. */
export function shortAs(as: number): number {
  return as > 0xffff ? AS_TRANS : as;
}

const VERSION = 4;
const PARAMETER_CAPABILITIES = 2;
/** RFC 9072: in the place of the first parameter's type it says that lengths have 16 bits. */
const EXTENDED = 255;

/** Decodes and checks what RFC 4271 section 6.2 lets one check without knowing the peer. */
export function decodeOpen(body: Uint8Array): Decoded<Open> {
  const reader = createReader(body);
  const version = reader.u8();
  const myAs = reader.u16() ?? 0;
  const holdTime = reader.u16() ?? 0;
  const identifier = reader.u32();
  const parametersLength = reader.u8();
  if (version !== VERSION) {
    const reason = `BGP version ${version ?? "missing"} is not ${VERSION}`;
    return refused(ErrorCode.OpenMessage, OpenError.UnsupportedVersion, reason, u16(VERSION));
  }
  if (identifier === undefined || parametersLength === undefined) {
    return malformed(`an OPEN of ${body.length} octets lacks fields`);
  }
  const capabilities = decodeParameters(reader, parametersLength);
  if (!capabilities.ok) {
    return capabilities;
  }
  return check({ type: "open", myAs, holdTime, identifier, capabilities: capabilities.value });
}

/**
 * Encodes the body of an OPEN, all capabilities in one parameter, in the long form of RFC 9072 only
 * if the short one cannot hold them. Throws RangeError for what does not fit its field.
 */
export function encodeOpen(open: Open): Uint8Array {
  const fixed = concat(u8(VERSION), u16(open.myAs), u16(open.holdTime), u32(open.identifier));
  const capabilities = concat(...open.capabilities.map(encodeCapability));
  const length = capabilities.length;
  if (length === 0) {
    return concat(fixed, u8(0));
  }
  const parameter = u8(PARAMETER_CAPABILITIES);
  if (length + 2 < EXTENDED) {
    return concat(fixed, u8(length + 2), parameter, u8(length), capabilities);
  }
  const marker = concat(u8(EXTENDED), u8(EXTENDED));
  return concat(fixed, marker, u16(length + 3), parameter, u16(length), capabilities);
}

function decodeParameters(reader: ByteReader, declared: number): Decoded<Capability[]> {
  const rest = reader.take(reader.left()) ?? new Uint8Array();
  const isExtended = declared > 0 && rest[0] === EXTENDED;
  const inner = createReader(isExtended ? rest.subarray(1) : rest);
  const length = isExtended ? inner.u16() : declared;
  if (length !== inner.left()) {
    return malformed(`optional parameters: ${inner.left()} octets, ${length ?? "none"} announced`);
  }
  const capabilities: Capability[] = [];
  while (inner.left() > 0) {
    const one = decodeParameter(inner, isExtended);
    if (!one.ok) {
      return one;
    }
    capabilities.push(...one.value);
  }
  return decoded(capabilities);
}

function decodeParameter(reader: ByteReader, isExtended: boolean): Decoded<Capability[]> {
  const type = reader.u8() ?? 0;
  const length = isExtended ? reader.u16() : reader.u8();
  const value = reader.take(length ?? Infinity);
  if (value === undefined) {
    return malformed(`optional parameter ${type} is longer than what holds it`);
  }
  if (type !== PARAMETER_CAPABILITIES) {
    const reason = `optional parameter ${type} is not known`;
    return refused(ErrorCode.OpenMessage, OpenError.UnsupportedParameter, reason);
  }
  return decodeCapabilities(value);
}

function check(open: Open): Decoded<Open> {
  if (open.myAs === 0 || asOf(open) === 0) {
    // RFC 7607: AS 0 is nobody's.
    return refused(ErrorCode.OpenMessage, OpenError.BadPeerAs, "the peer's AS number is 0");
  }
  if (open.holdTime === 1 || open.holdTime === 2) {
    const reason = `a hold time of ${open.holdTime} s is neither 0 nor at least 3 s`;
    return refused(ErrorCode.OpenMessage, OpenError.UnacceptableHoldTime, reason);
  }
  if (open.identifier === 0) {
    return refused(ErrorCode.OpenMessage, OpenError.BadIdentifier, "the BGP Identifier is 0");
  }
  return decoded(open);
}

function malformed(reason: string): Decoded<never> {
  return refused(ErrorCode.OpenMessage, OpenError.Unspecific, reason);
}
