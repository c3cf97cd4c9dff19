import { concat, createReader, u16, u8 } from "./bytes";
import { ErrorCode, RouteRefreshError } from "./codes";
import { decoded, refused } from "./result";
import type { Decoded } from "./result";

/** "Send me your routes again" (RFC 2918), or where such a set begins and ends (RFC 7313). */
export type RouteRefresh = {
  readonly type: "routeRefresh";
  readonly afi: number;
  readonly safi: number;
  /** 0 asks, 1 begins the set, 2 ends it; others are ignored by who receives them. */
  readonly subtype: number;
};

/** RFC 7313 section 3.2. */
export const RefreshSubtype = { Request: 0, Begin: 1, End: 2 } as const;

/** Decodes the body. A request may be longer: what follows is a filter (RFC 5291), not used here. */
export function decodeRouteRefresh(body: Uint8Array): Decoded<RouteRefresh> {
  const reader = createReader(body);
  const afi = reader.u16();
  const subtype = reader.u8();
  const safi = reader.u8();
  const isWhole = afi !== undefined && subtype !== undefined && safi !== undefined;
  const isMark = subtype === RefreshSubtype.Begin || subtype === RefreshSubtype.End;
  if (!isWhole || (isMark && reader.left() > 0)) {
    const reason = `a ROUTE-REFRESH of subtype ${subtype ?? "none"} with ${body.length} octets`;
    return refused(ErrorCode.RouteRefresh, RouteRefreshError.InvalidLength, reason, body);
  }
  return decoded({ type: "routeRefresh", afi, safi, subtype });
}

export function encodeRouteRefresh({ afi, safi, subtype }: RouteRefresh): Uint8Array {
  return concat(u16(afi), u8(subtype), u8(safi));
}
