import { concat, createReader, u32, u8 } from "../../wire/bytes";
import { decodeAuthentication, encodeAuthentication } from "./authentication";
import type { Authentication } from "./authentication";
import { accepted, discarded } from "./result";
import type { BfdDecoded } from "./result";

/** UDP ports (RFC 5881 section 4; RFC 5883 section 5). */
export const CONTROL_PORT = 3784;
export const MULTIHOP_PORT = 4784;

/** In the order of their numbers on the wire (RFC 5880 section 4.1). */
export const BFD_STATES = ["AdminDown", "Down", "Init", "Up"] as const;
export type BfdState = (typeof BFD_STATES)[number];

/** Why a session last left Up (RFC 5880 section 4.1). Numbers not named here are kept as they come. */
export const Diagnostic = {
  None: 0,
  DetectionTimeExpired: 1,
  EchoFailed: 2,
  NeighborSignaledDown: 3,
  ForwardingPlaneReset: 4,
  PathDown: 5,
  ConcatenatedPathDown: 6,
  AdministrativelyDown: 7,
  ReverseConcatenatedPathDown: 8,
} as const;

/** A BFD Control packet (RFC 5880 section 4.1). Intervals are microseconds, below 2^32. */
export type ControlPacket = {
  /** 0 to 31. */
  readonly diagnostic: number;
  readonly state: BfdState;
  readonly isPoll: boolean;
  readonly isFinal: boolean;
  /** The C bit: BFD goes on when the control plane of its system fails. */
  readonly isControlPlaneIndependent: boolean;
  readonly isDemand: boolean;
  /** 1 to 255. */
  readonly detectMultiplier: number;
  /** Not 0. */
  readonly myDiscriminator: number;
  /** 0 until the peer's is known. */
  readonly yourDiscriminator: number;
  readonly desiredMinTx: number;
  readonly requiredMinRx: number;
  /** 0: the sender does not loop echo packets back. */
  readonly requiredMinEchoRx: number;
  readonly authentication?: Authentication;
};

export const MANDATORY_LENGTH = 24;
const VERSION = 1;
const Flag = { Poll: 32, Final: 16, Independent: 8, Authenticated: 4, Demand: 2, Multipoint: 1 };

/**
 * Decodes a UDP payload. Refused is what RFC 5880 section 6.8.6 has every receiver discard whatever
 * sessions it has; octets behind the packet's own length are ignored.
 */
export function decodePacket(payload: Uint8Array): BfdDecoded<ControlPacket> {
  const [first, flags, detectMultiplier, length] = headOf(payload);
  const fault = headFault(payload);
  if (fault !== undefined) return discarded(fault);
  const reader = createReader(payload.subarray(4, length));
  const number = (): number => reader.u32() ?? 0;
  const isSet = (flag: number): boolean => (flags & flag) !== 0;
  const packet: ControlPacket = {
    diagnostic: first & 31,
    state: BFD_STATES[flags >> 6] ?? "AdminDown",
    isPoll: isSet(Flag.Poll),
    isFinal: isSet(Flag.Final),
    isControlPlaneIndependent: isSet(Flag.Independent),
    isDemand: isSet(Flag.Demand),
    detectMultiplier,
    myDiscriminator: number(),
    yourDiscriminator: number(),
    desiredMinTx: number(),
    requiredMinRx: number(),
    requiredMinEchoRx: number(),
  };
  const wrong = discriminatorFault(packet);
  if (wrong !== undefined) return discarded(wrong);
  if (!isSet(Flag.Authenticated)) return accepted(packet);
  const section = decodeAuthentication(payload.subarray(MANDATORY_LENGTH, length));
  return section.ok ? accepted({ ...packet, authentication: section.value }) : section;
}

type Head = readonly [first: number, flags: number, detectMultiplier: number, length: number];

function headOf(payload: Uint8Array): Head {
  const [first = 0, flags = 0, detectMultiplier = 0, length = 0] = payload;
  return [first, flags, detectMultiplier, length];
}

function headFault(payload: Uint8Array): string | undefined {
  const [first, flags, multiplier, length] = headOf(payload);
  const size = payload.length;
  const least = (flags & Flag.Authenticated) === 0 ? MANDATORY_LENGTH : MANDATORY_LENGTH + 2;
  if (size < MANDATORY_LENGTH) return `${size} octets are no control packet`;
  if (first >> 5 !== VERSION) return `version ${first >> 5} is not ${VERSION}`;
  if (length < least) return `length ${length} is below ${least}`;
  if (length > size) return `length ${length} is above the payload's ${size}`;
  if (multiplier === 0) return "Detect Mult is 0";
  return (flags & Flag.Multipoint) === 0 ? undefined : "the multipoint bit is set";
}

function discriminatorFault(packet: ControlPacket): string | undefined {
  const { state } = packet;
  if (packet.myDiscriminator === 0) return "My Discriminator is 0";
  const isMet = state === "Init" || state === "Up";
  return isMet && packet.yourDiscriminator === 0
    ? `Your Discriminator is 0 in state ${state}`
    : undefined;
}

/**
 * Encodes a packet, with the digest that its authentication section has; `signPacket` makes one.
 * @throws RangeError if a number does not fit its field.
 */
export function encodePacket(packet: ControlPacket): Uint8Array {
  const { authentication } = packet;
  const section = authentication ? encodeAuthentication(authentication) : new Uint8Array();
  if (packet.diagnostic > 31) throw new RangeError(`diagnostic ${packet.diagnostic} is above 31`);
  return concat(
    u8((VERSION << 5) | packet.diagnostic),
    u8(flagsOf(packet)),
    u8(packet.detectMultiplier),
    u8(MANDATORY_LENGTH + section.length),
    u32(packet.myDiscriminator),
    u32(packet.yourDiscriminator),
    u32(packet.desiredMinTx),
    u32(packet.requiredMinRx),
    u32(packet.requiredMinEchoRx),
    section,
  );
}

function flagsOf(packet: ControlPacket): number {
  return (
    (BFD_STATES.indexOf(packet.state) << 6) |
    (packet.isPoll ? Flag.Poll : 0) |
    (packet.isFinal ? Flag.Final : 0) |
    (packet.isControlPlaneIndependent ? Flag.Independent : 0) |
    (packet.authentication ? Flag.Authenticated : 0) |
    (packet.isDemand ? Flag.Demand : 0)
  );
}

/** A diagnostic in words, for logs and NOTIFICATIONs' reasons. */
export function describeDiagnostic(diagnostic: number): string {
  return DIAGNOSTIC_TEXTS[diagnostic] ?? `diagnostic ${diagnostic}`;
}

const DIAGNOSTIC_TEXTS = [
  "no diagnostic",
  "control detection time expired",
  "echo function failed",
  "neighbor signaled session down",
  "forwarding plane reset",
  "path down",
  "concatenated path down",
  "administratively down",
  "reverse concatenated path down",
];
