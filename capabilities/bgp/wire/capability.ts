import { concat, createReader, u16, u32, u8 } from "./bytes";
import { CapabilityCode, ErrorCode, OpenError } from "./codes";
import { decoded, refused } from "./result";
import type { Decoded } from "./result";

/** Something that the sender of an OPEN can do (RFC 5492). What we don't know stays as it came. */
export type Capability =
  /** Routes of this address family are understood (RFC 4760 section 8), e.g. afi 2, safi 1. */
  | { readonly kind: "multiprotocol"; readonly afi: number; readonly safi: number }
  /** ROUTE-REFRESH is understood (RFC 2918). */
  | { readonly kind: "routeRefresh" }
  /** AS numbers have 32 bits; this is the sender's (RFC 6793). */
  | { readonly kind: "fourOctetAs"; readonly as: number }
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
    case "routeRefresh":
      return frame(CapabilityCode.RouteRefresh, new Uint8Array());
    case "fourOctetAs":
      return frame(CapabilityCode.FourOctetAs, u32(capability.as));
    case "unknown":
      return frame(capability.code, capability.data);
  }
}

function decodeCapability(code: number, data: Uint8Array): Capability | undefined {
  const reader = createReader(data);
  switch (code) {
    case CapabilityCode.Multiprotocol: {
      const afi = reader.u16();
      reader.u8(); // reserved: ignored, as RFC 4760 section 8 asks
      const safi = reader.u8();
      const isWhole = afi !== undefined && safi !== undefined && reader.left() === 0;
      return isWhole ? { kind: "multiprotocol", afi, safi } : undefined;
    }
    case CapabilityCode.RouteRefresh:
      return data.length === 0 ? { kind: "routeRefresh" } : undefined;
    case CapabilityCode.FourOctetAs: {
      const as = reader.u32();
      return as !== undefined && reader.left() === 0 ? { kind: "fourOctetAs", as } : undefined;
    }
    default:
      return { kind: "unknown", code, data };
  }
}

function frame(code: number, data: Uint8Array): Uint8Array {
  return concat(u8(code), u8(data.length), data);
}

function malformed(reason: string): Decoded<never> {
  return refused(ErrorCode.OpenMessage, OpenError.Unspecific, reason);
}
