import { concat, createReader, u16, u32, u8 } from "./bytes";
import type { ByteReader } from "./bytes";
import { CapabilityCode, ErrorCode, OpenError } from "./codes";
import { decoded, refused } from "./result";
import type { Decoded } from "./result";

/** An address family as it is written on the wire, e.g. afi 2, safi 1 for IPv6 unicast. */
export type AfiSafi = { readonly afi: number; readonly safi: number };

/** Something that the sender of an OPEN can do (RFC 5492). What we don't know stays as it came. */
export type Capability =
  /** Routes of this address family are understood (RFC 4760 section 8). */
  | ({ readonly kind: "multiprotocol" } & AfiSafi)
  /** ROUTE-REFRESH is understood (RFC 2918). */
  | { readonly kind: "routeRefresh" }
  /** Routes of these families may have a next hop of another one (RFC 8950 section 4). */
  | {
      readonly kind: "extendedNextHop";
      readonly families: readonly (AfiSafi & { readonly nextHopAfi: number })[];
    }
  /** Messages of up to 65535 octets are understood (RFC 8654). */
  | { readonly kind: "extendedMessage" }
  /** What the sender is to us: 0 provider, 1 route server, 2 its client, 3 customer, 4 peer (RFC 9234). */
  | { readonly kind: "role"; readonly role: number }
  /** The sender may restart without its routes being dropped (RFC 4724 section 3; RFC 8538). */
  | {
      readonly kind: "gracefulRestart";
      /** The R bit: it has just restarted. */
      readonly isRestarting: boolean;
      /** The N bit of RFC 8538: a NOTIFICATION is a restart as well, unless it is a hard reset. */
      readonly hasNotification: boolean;
      /** Seconds, 0–4095, to wait for its return. */
      readonly restartTime: number;
      readonly families: readonly (AfiSafi & { readonly isForwarding: boolean })[];
    }
  /** AS numbers have 32 bits; this is the sender's (RFC 6793). */
  | { readonly kind: "fourOctetAs"; readonly as: number }
  /** Several paths to one prefix (RFC 7911): mode 1 receives, 2 sends, 3 both. */
  | {
      readonly kind: "addPath";
      readonly families: readonly (AfiSafi & { readonly mode: number })[];
    }
  /** A refresh has a beginning and an end (RFC 7313). */
  | { readonly kind: "enhancedRouteRefresh" }
  /** Stale routes may be kept for this many seconds, 24 bits (RFC 9494). */
  | {
      readonly kind: "longLivedGracefulRestart";
      readonly families: readonly (AfiSafi & {
        readonly isForwarding: boolean;
        readonly staleTime: number;
      })[];
    }
  | { readonly kind: "unknown"; readonly code: number; readonly data: Uint8Array };

/** Decodes capabilities until the bytes end; malformed ones are an error 2/0 as FRR and BIRD do. */
export function decodeCapabilities(bytes: Uint8Array): Decoded<Capability[]> {
  const reader = createReader(bytes);
  const capabilities: Capability[] = [];
  while (reader.left() > 0) {
    const code = reader.u8() ?? 0;
    const data = reader.take(reader.u8() ?? Infinity);
    if (data === undefined) {
      return malformed(`capability ${code} is longer than what holds it`);
    }
    const capability = decodeCapability(code, data);
    if (capability === undefined) {
      return malformed(`capability ${code} has a wrong length: ${data.length}`);
    }
    capabilities.push(capability);
  }
  return decoded(capabilities);
}

/** Throws RangeError for what does not fit its field: only our own values come here. */
export function encodeCapability(capability: Capability): Uint8Array {
  switch (capability.kind) {
    case "multiprotocol":
      return frame(
        CapabilityCode.Multiprotocol,
        concat(u16(capability.afi), u8(0), u8(capability.safi)),
      );
    case "role":
      return frame(CapabilityCode.Role, u8(capability.role));
    case "fourOctetAs":
      return frame(CapabilityCode.FourOctetAs, u32(capability.as));
    case "routeRefresh":
    case "extendedMessage":
    case "enhancedRouteRefresh":
      return frame(EMPTY_CODES[capability.kind], new Uint8Array());
    case "unknown":
      return frame(capability.code, capability.data);
    default:
      return encodeList(capability);
  }
}

const EMPTY_CODES = {
  routeRefresh: CapabilityCode.RouteRefresh,
  extendedMessage: CapabilityCode.ExtendedMessage,
  enhancedRouteRefresh: CapabilityCode.EnhancedRouteRefresh,
} as const;

/** The capabilities that are a list of families. */
type ListCapability = Extract<Capability, { readonly families: unknown }>;

function encodeList(capability: ListCapability): Uint8Array {
  switch (capability.kind) {
    case "extendedNextHop":
      return frame(
        CapabilityCode.ExtendedNextHop,
        ...capability.families.map(({ afi, safi, nextHopAfi }) =>
          concat(u16(afi), u16(safi), u16(nextHopAfi)),
        ),
      );
    case "gracefulRestart": {
      const flags =
        (capability.isRestarting ? RESTARTING : 0) | (capability.hasNotification ? NOTIFIES : 0);
      return frame(
        CapabilityCode.GracefulRestart,
        concat(u16(flags + within(capability.restartTime, MAX_RESTART_TIME))),
        ...capability.families.map(family =>
          concat(u16(family.afi), u8(family.safi), u8(family.isForwarding ? FORWARDING : 0)),
        ),
      );
    }
    case "addPath":
      return frame(
        CapabilityCode.AddPath,
        ...capability.families.map(({ afi, safi, mode }) => concat(u16(afi), u8(safi), u8(mode))),
      );
    case "longLivedGracefulRestart":
      return frame(
        CapabilityCode.LongLivedGracefulRestart,
        ...capability.families.map(({ afi, safi, isForwarding, staleTime }) => {
          const time = u32(within(staleTime, MAX_STALE_TIME)).subarray(1);
          return concat(u16(afi), u8(safi), u8(isForwarding ? FORWARDING : 0), time);
        }),
      );
  }
}

const RESTARTING = 0x8000;
const NOTIFIES = 0x4000;
const MAX_RESTART_TIME = 0xfff;
const MAX_STALE_TIME = 0xff_ffff;
const FORWARDING = 0x80;

function within(value: number, max: number): number {
  if (value > max) {
    throw new RangeError(`${value} s are more than the capability can say: ${max} s`);
  }
  return value;
}

type CapabilityDecoder = (reader: ByteReader) => Capability | undefined;

/** One per code; undefined is a length that cannot be. Bytes that are left over are one as well. */
const decoders: ReadonlyMap<number, CapabilityDecoder> = new Map<number, CapabilityDecoder>([
  [CapabilityCode.Multiprotocol, decodeMultiprotocol],
  [CapabilityCode.RouteRefresh, () => ({ kind: "routeRefresh" })],
  [CapabilityCode.ExtendedNextHop, decodeExtendedNextHop],
  [CapabilityCode.ExtendedMessage, () => ({ kind: "extendedMessage" })],
  [CapabilityCode.Role, decodeRole],
  [CapabilityCode.GracefulRestart, decodeGracefulRestart],
  [CapabilityCode.FourOctetAs, decodeFourOctetAs],
  [CapabilityCode.AddPath, decodeAddPath],
  [CapabilityCode.EnhancedRouteRefresh, () => ({ kind: "enhancedRouteRefresh" })],
  [CapabilityCode.LongLivedGracefulRestart, decodeLongLived],
]);

function decodeCapability(code: number, data: Uint8Array): Capability | undefined {
  const decode = decoders.get(code);
  if (decode === undefined) {
    return { kind: "unknown", code, data };
  }
  const reader = createReader(data);
  const capability = decode(reader);
  return reader.left() === 0 ? capability : undefined;
}

function decodeMultiprotocol(reader: ByteReader): Capability | undefined {
  const afi = reader.u16();
  reader.u8(); // reserved: ignored, as RFC 4760 section 8 asks
  const safi = reader.u8();
  return afi === undefined || safi === undefined ? undefined : { kind: "multiprotocol", afi, safi };
}

function decodeRole(reader: ByteReader): Capability | undefined {
  const role = reader.u8();
  return role === undefined ? undefined : { kind: "role", role };
}

function decodeFourOctetAs(reader: ByteReader): Capability | undefined {
  const as = reader.u32();
  return as === undefined ? undefined : { kind: "fourOctetAs", as };
}

/** Reads entries of `size` octets until the bytes end; a rest that is no entry is left over. */
function list<T>(reader: ByteReader, size: number, entry: () => T): readonly T[] {
  const entries: T[] = [];
  while (reader.left() >= size) {
    entries.push(entry());
  }
  return entries;
}

function decodeExtendedNextHop(reader: ByteReader): Capability {
  const families = list(reader, 6, () => ({
    afi: reader.u16() ?? 0,
    safi: reader.u16() ?? 0,
    nextHopAfi: reader.u16() ?? 0,
  }));
  return { kind: "extendedNextHop", families };
}

function decodeGracefulRestart(reader: ByteReader): Capability | undefined {
  const head = reader.u16();
  if (head === undefined) {
    return undefined;
  }
  const families = list(reader, 4, () => ({
    afi: reader.u16() ?? 0,
    safi: reader.u8() ?? 0,
    isForwarding: ((reader.u8() ?? 0) & FORWARDING) !== 0,
  }));
  return {
    kind: "gracefulRestart",
    isRestarting: (head & RESTARTING) !== 0,
    hasNotification: (head & NOTIFIES) !== 0,
    restartTime: head & MAX_RESTART_TIME,
    families,
  };
}

function decodeAddPath(reader: ByteReader): Capability {
  const families = list(reader, 4, () => ({
    afi: reader.u16() ?? 0,
    safi: reader.u8() ?? 0,
    mode: reader.u8() ?? 0,
  }));
  return { kind: "addPath", families };
}

function decodeLongLived(reader: ByteReader): Capability {
  const families = list(reader, 7, () => ({
    afi: reader.u16() ?? 0,
    safi: reader.u8() ?? 0,
    isForwarding: ((reader.u8() ?? 0) & FORWARDING) !== 0,
    staleTime: (reader.u8() ?? 0) * 0x1_0000 + (reader.u16() ?? 0),
  }));
  return { kind: "longLivedGracefulRestart", families };
}

function frame(code: number, ...data: readonly Uint8Array[]): Uint8Array {
  const value = concat(...data);
  return concat(u8(code), u8(value.length), value);
}

function malformed(reason: string): Decoded<never> {
  return refused(ErrorCode.OpenMessage, OpenError.Unspecific, reason);
}
