import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "./hex";
import { decodeRouteRefresh, encodeRouteRefresh } from "./route-refresh";

describe("ROUTE-REFRESH", () => {
  it.each([
    ["asks for IPv4 unicast (RFC 2918 3)", "00010001", { afi: 1, safi: 1, subtype: 0 }],
    ["begins IPv6 unicast (RFC 7313 3.2)", "00020101", { afi: 2, safi: 1, subtype: 1 }],
    ["keeps a subtype that is not known", "00020901", { afi: 2, safi: 1, subtype: 9 }],
  ])("%s", (_name, hex, fields) => {
    const message = { type: "routeRefresh" as const, ...fields };
    expect(decodeRouteRefresh(fromHex(hex))).toEqual({ ok: true, value: message });
    expect(toHex(encodeRouteRefresh(message))).toBe(hex);
  });

  it("may carry a filter that nobody asked for (RFC 5291)", () => {
    expect(decodeRouteRefresh(fromHex("00010001 0140 0000")).ok).toBe(true);
  });

  it.each(["0001 01 01 00", "0001 02 01 ffff", "0001"])("%s is error 7/1 (RFC 7313 5)", hex => {
    const result = decodeRouteRefresh(fromHex(hex));
    expect(result).toMatchObject({ ok: false, error: { code: 7, subcode: 1, data: fromHex(hex) } });
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), bytes => {
        const result = decodeRouteRefresh(bytes);
        expect(result.ok || result.error.code === 7).toBe(true);
      }),
    );
  });
});
