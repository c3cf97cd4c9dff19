import { describe, expect, it } from "vitest";
import { encodeMessage, decodeMessage, readFrame } from "./message";
import { asOf, shortAs } from "./open";
import type { Open } from "./open";
import { fromHex } from "./hex";

function openIn(bytes: Uint8Array): Open {
  const frame = readFrame(bytes);
  if (!frame.ok || frame.value === undefined) throw new Error("no whole message");
  const message = decodeMessage(frame.value, { fourOctetAs: true, isInternal: false });
  if (!message.ok || message.value.type !== "open") throw new Error("no OPEN");
  return message.value;
}

const MARKER = "ff".repeat(16);

/** As they came over the wire from the routers of the interop tests. */
const VENDORS: readonly (readonly [string, string, Partial<Open> & { readonly as: number }])[] = [
  [
    "FRR 8.4",
    `${MARKER} 007101 04fe4d00b40a090065540206010400010001020601040002000102028000020202000202460002064104
     0000fe4d02020600020a450800010101000201010206490402766d0002044002c0780210470e000101800000000002
     0180000000`,
    { as: 65_101, holdTime: 180, identifier: 0x0a09_0065 },
  ],
  [
    "BIRD 2.0",
    `${MARKER} 004301 045ba000f00a0900662602240104000100010104000200010200400a0078000101000002010041
     04fa56ea6646004700`,
    { as: 4_200_000_102, myAs: 23_456, holdTime: 240, identifier: 0x0a09_0066 },
  ],
  [
    "GoBGP 3.10",
    `${MARKER} 003b01 04fe4f005a0a0900671e021c0200490402766d0001040001000141040000fe4f0506000100010002`,
    { as: 65_103, holdTime: 90, identifier: 0x0a09_0067 },
  ],
];

describe("OPEN messages of other vendors", () => {
  it.each(VENDORS)("metallb 147: %s's is read", (_, hex, { as, ...expected }) => {
    const open = openIn(fromHex(hex));
    expect(asOf(open)).toBe(as);
    expect(open).toMatchObject(expected);
    const kinds = open.capabilities.map(({ kind }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(["multiprotocol", "routeRefresh", "fourOctetAs"]));
    // What is written again says the same, in whatever form.
    expect(openIn(encodeMessage(open))).toEqual(open);
  });

  it("metallb 147: the capability has the AS number, and the old field where there is none", () => {
    const open: Open = {
      ...{ type: "open", myAs: shortAs(65_001), holdTime: 4, identifier: 1, capabilities: [] },
    };
    const long = { ...open, capabilities: [{ kind: "fourOctetAs" as const, as: 65_002 }] };
    expect(asOf(openIn(encodeMessage(long)))).toBe(65_002);
    expect(asOf(openIn(encodeMessage(open)))).toBe(65_001);
    expect(openIn(encodeMessage({ ...open, myAs: 12_345 }))).toEqual({ ...open, myAs: 12_345 });
  });
});
