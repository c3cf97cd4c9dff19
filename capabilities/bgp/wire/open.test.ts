import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyOpen } from "./arbitraries";
import { fromHex, toHex } from "./hex";
import { asOf, decodeOpen, encodeOpen, shortAs } from "./open";
import type { Open } from "./open";

/** version 4, AS 65001, hold time 90 s, identifier 192.0.2.1; then the optional parameters. */
const fixed = "04 fde9 005a c0000201";

const open: Open = {
  type: "open",
  myAs: 65001,
  holdTime: 90,
  identifier: 0xc0000201,
  capabilities: [],
};

describe("OPEN, written by hand from the RFCs", () => {
  const vectors: readonly (readonly [string, string, Open])[] = [
    ["no parameters (RFC 4271 4.2)", `${fixed} 00`, open],
    [
      "IPv4 and IPv6 unicast, route refresh, 4-octet AS 4200000001 (RFC 4760, 2918, 6793)",
      "04 5ba0 005a c0000201 16 02 14 0104 0001 00 01 0104 0002 00 01 0200 4104 fa56ea01",
      {
        ...open,
        myAs: 23456,
        capabilities: [
          { kind: "multiprotocol", afi: 1, safi: 1 },
          { kind: "multiprotocol", afi: 2, safi: 1 },
          { kind: "routeRefresh" },
          { kind: "fourOctetAs", as: 4_200_000_001 },
        ],
      },
    ],
    [
      "a capability that is not known (RFC 5492 4)",
      `${fixed} 06 02 04 49 02 0078`,
      { ...open, capabilities: [{ kind: "unknown", code: 73, data: fromHex("0078") }] },
    ],
    [
      "IPv4 over IPv6, long messages, a role (RFC 8950 4, 8654 4, 9234 4.1)",
      `${fixed} 0f 02 0d 05 06 0001 0001 0002 06 00 09 01 03`,
      {
        ...open,
        capabilities: [
          { kind: "extendedNextHop", families: [{ afi: 1, safi: 1, nextHopAfi: 2 }] },
          { kind: "extendedMessage" },
          { kind: "role", role: 3 },
        ],
      },
    ],
    [
      "graceful restart, short and long (RFC 4724 3, 8538 2, 9494 3.1)",
      `${fixed} 19 02 17 40 0a c078 0001 01 80 0002 01 00 47 07 0002 01 80 000e10 46 00`,
      {
        ...open,
        capabilities: [
          {
            kind: "gracefulRestart",
            isRestarting: true,
            hasNotification: true,
            restartTime: 120,
            families: [
              { afi: 1, safi: 1, isForwarding: true },
              { afi: 2, safi: 1, isForwarding: false },
            ],
          },
          {
            kind: "longLivedGracefulRestart",
            families: [{ afi: 2, safi: 1, isForwarding: true, staleTime: 3_600 }],
          },
          { kind: "enhancedRouteRefresh" },
        ],
      },
    ],
    [
      "several paths (RFC 7911 4)",
      `${fixed} 08 02 06 45 04 0001 01 03`,
      {
        ...open,
        capabilities: [{ kind: "addPath", families: [{ afi: 1, safi: 1, mode: 3 }] }],
      },
    ],
  ];

  it.each(vectors)("%s", (_name, hex, expected) => {
    expect(decodeOpen(fromHex(hex))).toEqual({ ok: true, value: expected });
    expect(toHex(encodeOpen(expected))).toBe(toHex(fromHex(hex)));
  });

  it.each([
    ["each in a parameter of its own", "0c 02 02 02 00 02 06 41 04 0000fde9"],
    ["in the long form of RFC 9072", "ff ff 000b 02 0008 02 00 41 04 0000fde9"],
    ["in the long form, with another length before it", "05 ff 000b 02 0008 02 00 41 04 0000fde9"],
  ])("takes capabilities %s", (_name, parameters) => {
    const capabilities = [{ kind: "routeRefresh" }, { kind: "fourOctetAs", as: 65001 }];
    expect(decodeOpen(fromHex(`${fixed} ${parameters}`))).toEqual({
      ok: true,
      value: { ...open, capabilities },
    });
  });

  it("bgp 33: uses the long form when the short one is too small", () => {
    const data = new Uint8Array(200);
    const capabilities = [1, 2].map(n => ({ kind: "unknown", code: 200 + n, data }) as const);
    const bytes = encodeOpen({ ...open, capabilities });
    expect(toHex(bytes.subarray(9, 16))).toBe("ffff0197020194");
    expect(decodeOpen(bytes)).toEqual({ ok: true, value: { ...open, capabilities } });
  });
});

describe("OPEN that is wrong", () => {
  it.each([
    ["version 3", "03 fde9 005a c0000201 00", 1, "0004"],
    ["AS 0", "04 0000 005a c0000201 00", 2, ""],
    ["AS 0 in the capability (RFC 7607)", `${fixed} 08 02 06 41 04 00000000`, 2, ""],
    ["identifier 0 (RFC 6286)", "04 fde9 005a 00000000 00", 3, ""],
    ["hold time 1", "04 fde9 0001 c0000201 00", 6, ""],
    ["hold time 2", "04 fde9 0002 c0000201 00", 6, ""],
    ["the parameter of old authentication", `${fixed} 03 01 01 00`, 4, ""],
    ["a length beyond the end", `${fixed} 05 02 02 02 00`, 0, ""],
    ["a length before the end", `${fixed} 02 02 02 02 00`, 0, ""],
    ["a parameter beyond the end", `${fixed} 04 02 08 02 00`, 0, ""],
    ["a capability beyond its parameter", `${fixed} 04 02 02 02 07`, 0, ""],
    ["half a capability", `${fixed} 03 02 01 02`, 0, ""],
    ["a 4-octet AS of 2 octets", `${fixed} 06 02 04 41 02 fde9`, 0, ""],
    ["a route refresh with data", `${fixed} 05 02 03 02 01 00`, 0, ""],
    ["half a family that can restart", `${fixed} 08 02 06 40 04 0078 0001`, 0, ""],
    ["a role of two octets", `${fixed} 06 02 04 09 02 0003`, 0, ""],
    ["too few octets", "04 fde9 005a c00002", 0, ""],
  ])("%s: code 2", (_name, hex, subcode, data) => {
    const result = decodeOpen(fromHex(hex));
    expect(result.ok ? undefined : { ...result.error, data: toHex(result.error.data) }).toEqual({
      code: 2,
      subcode,
      data,
      reason: expect.any(String) as string,
    });
  });

  it("cannot be encoded", () => {
    expect(() => encodeOpen({ ...open, myAs: 70_000 })).toThrow(RangeError);
    expect(() => encodeOpen({ ...open, holdTime: -1 })).toThrow(RangeError);
    expect(() => encodeOpen({ ...open, identifier: 1.5 })).toThrow(RangeError);
    const restart = {
      kind: "gracefulRestart",
      isRestarting: false,
      hasNotification: false,
    } as const;
    const capabilities = [{ ...restart, restartTime: 4_096, families: [] }];
    expect(() => encodeOpen({ ...open, capabilities })).toThrow("4096 s are more");
  });
});

describe("AS numbers", () => {
  it("of 32 bits go into the capability, with AS_TRANS in the old field", () => {
    expect(shortAs(65_535)).toBe(65_535);
    expect(shortAs(65_536)).toBe(23_456);
    expect(asOf(open)).toBe(65_001);
    expect(asOf({ ...open, capabilities: [{ kind: "fourOctetAs", as: 65_536 }] })).toBe(65_536);
  });
});

describe("OPEN, by random input", { timeout: 30_000 }, () => {
  it("decodes to what was encoded", () => {
    fc.assert(
      fc.property(anyOpen, message => {
        expect(decodeOpen(encodeOpen(message))).toEqual({ ok: true, value: message });
      }),
    );
  });

  it("never throws, and what it accepts can be encoded again", () => {
    const nearlyValid = fc
      .tuple(
        anyOpen,
        fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
      )
      .map(([message, changes]) => {
        const bytes = encodeOpen(message);
        changes.forEach(([at, octet]) => {
          bytes[at % bytes.length] = octet;
        });
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(nearlyValid, fc.uint8Array({ maxLength: 80 })), bytes => {
        const result = decodeOpen(bytes);
        if (result.ok) {
          expect(decodeOpen(encodeOpen(result.value))).toEqual(result);
        } else {
          expect(result.error.code).toBe(2);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
