import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyUpdate } from "./arbitraries";
import { linkBandwidth } from "./attributes/communities";
import { fromHex, toHex } from "./hex";
import type { PathAttributes } from "./attribute";
import { decodeUpdate, encodeUpdate, endOfRib, endOfRibFamily, routesOf } from "./update";
import type { Update } from "./update";

const external = { fourOctetAs: true, isInternal: false };
const internal = { fourOctetAs: true, isInternal: true };
const old = { fourOctetAs: false, isInternal: false };

function hexLength(hex: string): string {
  return (fromHex(hex).length + 0x10000).toString(16).slice(1);
}

/** A body from its three parts. */
function body(attributes: string, nlri = "", withdrawn = ""): Uint8Array {
  const parts = [hexLength(withdrawn), withdrawn, hexLength(attributes), attributes, nlri];
  return fromHex(parts.join(" "));
}

/** The three mandatory attributes, and a prefix. */
const mandatory = "40010100 400200 400304c0000201";
const nlri = "18c63364";

function update(parts: Partial<Update>): Update {
  return {
    type: "update",
    withdrawn: [],
    attributes: {},
    announced: [],
    faults: [],
    ...parts,
  };
}

describe("UPDATE, written by hand from the RFCs", () => {
  const base: PathAttributes = { origin: "igp", asPath: [], nextHop: "192.0.2.1" };
  it.each<[string, string, PathAttributes]>([
    [
      "AS_PATH (RFC 4271 5.1.2)",
      "400101 00 40020a 0202 0000fde9 fa56ea01 400304c0000201",
      {
        ...base,
        asPath: [{ kind: "sequence", ases: [65_001, 4_200_000_001] }],
      },
    ],
    ["MED (RFC 4271 5.1.4)", `${mandatory} 800404 00000064`, { ...base, med: 100 }],
    [
      "ATOMIC_AGGREGATE and AGGREGATOR (RFC 4271 5.1.6, 5.1.7)",
      `${mandatory} 400600 c00708 0000fde9 c0000209`,
      { ...base, atomicAggregate: true, aggregator: { as: 65_001, address: "192.0.2.9" } },
    ],
    [
      "metallb 148: COMMUNITIES (RFC 1997)",
      `${mandatory} c00808 ffff0000 ffffff01`,
      {
        ...base,
        communities: ["65535:0", "65535:65281"],
      },
    ],
    [
      "metallb 148: extended communities (RFC 4360)",
      `${mandatory} c01008 0002fde900000064`,
      {
        ...base,
        extendedCommunities: ["0002fde900000064"],
      },
    ],
    [
      "metallb 148: large communities (RFC 8092)",
      `${mandatory} c0200c fa56ea01 00000001 00000002`,
      {
        ...base,
        largeCommunities: ["4200000001:1:2"],
      },
    ],
    ["OTC (RFC 9234 5)", `${mandatory} c02304 0000fde9`, { ...base, onlyToCustomer: 65_001 }],
    [
      "an attribute that is not known (RFC 4271 5)",
      `${mandatory} e0f003 010203`,
      {
        ...base,
        unknown: [{ flags: 0xe0, code: 0xf0, data: fromHex("010203") }],
      },
    ],
  ])("%s", (_name, hex, attributes) => {
    const expected = update({ attributes, announced: ["198.51.100.0/24"] });
    expect(decodeUpdate(body(hex, nlri), external)).toEqual({ ok: true, value: expected });
    expect(toHex(encodeUpdate(expected, external))).toBe(toHex(body(hex, nlri)));
  });

  it("takes and gives LOCAL_PREF, ORIGINATOR_ID and CLUSTER_LIST inside the AS only", () => {
    const hex = `${mandatory} 400504 00000096 800904 c0000205 800a04 c0000206`;
    const inner = { localPref: 150, originatorId: "192.0.2.5", clusterList: ["192.0.2.6"] };
    const expected = update({ attributes: { ...base, ...inner }, announced: ["198.51.100.0/24"] });
    expect(decodeUpdate(body(hex, nlri), internal)).toEqual({ ok: true, value: expected });
    expect(toHex(encodeUpdate(expected, internal))).toBe(toHex(body(hex, nlri)));
    const outside = decodeUpdate(body(hex, nlri), external);
    expect(outside.ok && outside.value.attributes).toEqual(base);
    expect(outside.ok && outside.value.faults.map(({ action }) => action)).toEqual(
      Array(3).fill("attributeDiscard"),
    );
  });

  it("IPv6 routes with a global and a link-local next hop (RFC 4760 3, RFC 2545 3)", () => {
    const hops = `20 20010db8${"00".repeat(11)}01 fe80${"00".repeat(13)}01`;
    const mp = `800e2a 000201 ${hops} 00 2020010db8`;
    const result = decodeUpdate(body(`${mp} 40010100 400200`), external);
    const reach = {
      family: "ipv6" as const,
      nextHop: "2001:db8::1",
      linkLocal: "fe80::1",
      prefixes: ["2001:db8::/32"],
    };
    const expected = update({ attributes: { reach, origin: "igp", asPath: [] } });
    expect(result).toEqual({ ok: true, value: expected });
    expect(toHex(encodeUpdate(expected, external))).toBe(toHex(body(`${mp} 40010100 400200`)));
    expect(routesOf(expected).announced[1]?.prefixes).toEqual(["2001:db8::/32"]);
  });

  it("IPv4 routes over an IPv6 next hop (RFC 8950)", () => {
    const mp = `800e19 000101 10 fe80${"00".repeat(13)}01 00 18c63364`;
    const result = decodeUpdate(body(`${mp} 40010100 400200`), external);
    expect(result.ok && result.value.attributes.reach).toEqual({
      family: "ipv4",
      nextHop: "fe80::1",
      prefixes: ["198.51.100.0/24"],
    });
  });

  it("bgp 42: withdrawals of both families", () => {
    const bytes = body("800f08 000201 2020010db8", "", nlri);
    const result = decodeUpdate(bytes, external);
    expect(result.ok && routesOf(result.value).withdrawn).toEqual([
      { family: "ipv4", prefixes: ["198.51.100.0/24"] },
      { family: "ipv6", prefixes: ["2001:db8::/32"] },
    ]);
  });

  it("families that are not routed here stay as they came", () => {
    const result = decodeUpdate(body("800e05 0019460102 40010100 400200"), external);
    expect(result.ok && result.value.attributes.reach).toEqual({
      afi: 25,
      safi: 70,
      data: fromHex("0102"),
    });
  });

  it("bgp 45: AS_TRANS and AS4_PATH towards a peer that knows two octets (RFC 6793 4.2)", () => {
    const asPath = [{ kind: "sequence" as const, ases: [65_001, 4_200_000_001] }];
    const aggregator = { as: 4_200_000_002, address: "192.0.2.9" };
    const sent = update({
      attributes: { ...base, asPath, aggregator },
      announced: ["198.51.100.0/24"],
    });
    const bytes = encodeUpdate(sent, old);
    expect(toHex(bytes)).toContain("400206" + "0202fde95ba0");
    expect(toHex(bytes)).toContain("c0110a" + "02020000fde9fa56ea01");
    expect(toHex(bytes)).toContain("c01208" + "fa56ea02c0000209");
    expect(decodeUpdate(bytes, old)).toEqual({ ok: true, value: sent });
  });

  it.each([
    [
      "a shorter AS4_PATH is preceded by what only AS_PATH has",
      "0203 0001 0002 5ba0",
      "0201 00010000",
      [
        { kind: "sequence", ases: [1, 2] },
        { kind: "sequence", ases: [65_536] },
      ],
    ],
    [
      "a longer AS4_PATH is ignored",
      "0201 0001",
      "0202 00010000 00010001",
      [{ kind: "sequence", ases: [1] }],
    ],
    [
      "a set counts as one",
      "0102 0001 0002 0201 5ba0",
      "0201 00010000",
      [
        { kind: "set", ases: [1, 2] },
        { kind: "sequence", ases: [65_536] },
      ],
    ],
  ])("%s (RFC 6793 4.2.3)", (_name, path, wide, expected) => {
    const len = (hex: string) => hexLength(hex).slice(2);
    const hex = `40010100 4002${len(path)}${path} 400304c0000201 c011${len(wide)}${wide}`;
    const result = decodeUpdate(body(hex, nlri), old);
    expect(result.ok && result.value.attributes.asPath).toEqual(expected);
  });

  it("End-of-RIB (RFC 4724 2)", () => {
    expect(toHex(encodeUpdate(endOfRib("ipv4"), external))).toBe("00000000");
    expect(toHex(encodeUpdate(endOfRib("ipv6"), external))).toBe("00000006800f03000201");
    expect(endOfRibFamily(endOfRib("ipv4"))).toBe("ipv4");
    expect(endOfRibFamily(endOfRib("ipv6"))).toBe("ipv6");
    expect(endOfRibFamily(update({ withdrawn: ["0.0.0.0/0"] }))).toBeUndefined();
    const unreach = { family: "ipv6" as const, prefixes: ["::/0"] };
    expect(endOfRibFamily(update({ attributes: { unreach } }))).toBeUndefined();
  });

  it("bgp 48: link bandwidth is transitive and a float (T4 of other implementations' traps)", () => {
    expect(linkBandwidth(65_001, 125_000_000)).toBe("0004fde94cee6b28");
  });
});

describe("malformed attributes (RFC 7606)", () => {
  const withdraw = (code: number): string => `treatAsWithdraw ${code}`;
  const discard = (code: number): string => `attributeDiscard ${code}`;

  it.each([
    ["7.1 ORIGIN of 2 octets", "4001020000 400200 400304c0000201", withdraw(1)],
    ["7.1 ORIGIN 3", "40010103 400200 400304c0000201", withdraw(1)],
    [
      "7.2 AS_PATH with a segment type 5",
      "40010100 400206 0501 00000001 400304c0000201",
      withdraw(2),
    ],
    [
      "7.2 AS_PATH with a confederation",
      "40010100 400206 0301 00000001 400304c0000201",
      withdraw(2),
    ],
    ["7.2 AS_PATH with an overrun", "40010100 400206 0202 00000001 400304c0000201", withdraw(2)],
    [
      "7.2 AS_PATH with one octet too many",
      "40010100 400207 0201 00000001 02 400304c0000201",
      withdraw(2),
    ],
    ["7.2 AS_PATH with an empty segment", "40010100 400202 0200 400304c0000201", withdraw(2)],
    ["RFC 7607 AS_PATH with AS 0", "40010100 400206 0201 00000000 400304c0000201", withdraw(2)],
    ["7.3 NEXT_HOP of 3 octets", "40010100 400200 400303c00002", withdraw(3)],
    ["7.4 MED of 3 octets", `${mandatory} 800403000001`, withdraw(4)],
    ["7.5 LOCAL_PREF of 3 octets", `${mandatory} 400503000001`, withdraw(5), internal],
    ["7.5 LOCAL_PREF from outside, however long", `${mandatory} 400503000001`, discard(5)],
    ["7.6 ATOMIC_AGGREGATE with data", `${mandatory} 40060100`, discard(6)],
    [
      "7.7 AGGREGATOR of 6 octets among 4-octet peers",
      `${mandatory} c00706fde9c0000201`,
      discard(7),
    ],
    ["RFC 7607 AGGREGATOR of AS 0", `${mandatory} c0070800000000c0000201`, discard(7)],
    ["7.8 COMMUNITIES of 5 octets", `${mandatory} c00805ffff000000`, withdraw(8)],
    ["7.8 COMMUNITIES of none", `${mandatory} c00800`, withdraw(8)],
    ["7.9 ORIGINATOR_ID of 3 octets", `${mandatory} 800903c00002`, withdraw(9), internal],
    ["7.10 CLUSTER_LIST of 5 octets", `${mandatory} 800a05c000020100`, withdraw(10), internal],
    ["7.14 extended communities of 7 octets", `${mandatory} c010070002fde9000000`, withdraw(16)],
    [
      "RFC 8092 6 large communities of 11 octets",
      `${mandatory} c0200b${"00".repeat(11)}`,
      withdraw(32),
    ],
    ["RFC 9234 5 OTC of 2 octets", `${mandatory} c02302fde9`, withdraw(35)],
    ["RFC 6793 6 AS4_PATH with an overrun", `${mandatory} c011020202`, discard(17), old],
    ["RFC 6793 6 AS4_AGGREGATOR of 6 octets", `${mandatory} c01206fde9c0000201`, discard(18), old],
    ["3(c) ORIGIN said to be optional", "c0010100 400200 400304c0000201", withdraw(1)],
    ["3(c) COMMUNITIES said to be non-transitive", `${mandatory} 800804ffff0000`, withdraw(8)],
    ["3(d) no ORIGIN", "400200 400304c0000201", withdraw(1)],
    ["3(d) no AS_PATH", "40010100 400304c0000201", withdraw(2)],
    ["3(d) no NEXT_HOP", "40010100 400200", withdraw(3)],
    ["3(g) MED twice", `${mandatory} 80040400000001 80040400000002`, discard(4)],
    ["4 an attribute longer than the rest", `${mandatory} 80040900000001`, withdraw(0)],
    ["4 less left than a header", `${mandatory} 8004`, withdraw(0)],
    ["4 less left than a long header", `${mandatory} 900400`, withdraw(0)],
  ])("bgp 59, 62: %s", (_name, hex, expected, context = external) => {
    const result = decodeUpdate(body(hex, nlri), context);
    expect(result.ok && result.value.faults.map(f => `${f.action} ${f.attribute}`)).toEqual([
      expected,
    ]);
    const routes = result.ok ? routesOf(result.value) : undefined;
    const isWithdrawn = expected.startsWith("treat");
    expect(routes?.announced.flatMap(({ prefixes }) => prefixes)).toEqual(
      isWithdrawn ? [] : ["198.51.100.0/24"],
    );
    expect(routes?.withdrawn.flatMap(({ prefixes }) => prefixes)).toEqual(
      isWithdrawn ? ["198.51.100.0/24"] : [],
    );
  });

  it("bgp 60: keeps the first of two", () => {
    const result = decodeUpdate(body(`${mandatory} 80040400000001 80040400000002`, nlri), external);
    expect(result.ok && result.value.attributes.med).toBe(1);
  });

  it("leaves the wide forms of a peer that knows four octets alone (RFC 6793 4.1)", () => {
    const hex = `${mandatory} c01106 0201 00010000 c01208 00010000 c0000209`;
    const result = decodeUpdate(body(hex, nlri), external);
    expect(result.ok && result.value.attributes.asPath).toEqual([]);
  });

  it.each([
    ["3(b) Withdrawn Routes Length beyond the end", "0005 00 0000", "3/1"],
    ["3(b) Total Attribute Length beyond the end", "0000 0005 00", "3/1"],
    ["3(g) MP_REACH_NLRI twice", toHex(body("800e05 0019460102 800e05 0019460102")), "3/1"],
    ["3(g) MP_UNREACH_NLRI twice", toHex(body("800f03000201 800f03000201")), "3/1"],
    ["5.2 a malformed attribute and no prefix", toHex(body("40010103")), "3/1"],
    ["5.2 half an attribute and no prefix", toHex(body("4001")), "3/1"],
    ["5.3 a prefix of 33 bits", toHex(body(mandatory, "21c633640000")), "3/10"],
    ["5.3 half a prefix", toHex(body(mandatory, "18c633")), "3/10"],
    ["5.3 half a prefix withdrawn", toHex(body("", "", "18c633")), "3/10"],
    ["5.3 an IPv6 prefix of 129 bits", toHex(body(`800f15 000201 81 ${"00".repeat(17)}`)), "3/10"],
    ["7.11 a next hop of 5 octets", toHex(body(`800e0a 000201 05 0000000000 00`)), "3/9"],
    ["7.11 an IPv4 next hop for IPv6 routes", toHex(body(`800e09 000201 04 c0000201 00`)), "3/9"],
    ["7.11 MP_REACH_NLRI of 2 octets", toHex(body("800e02 0002")), "3/9"],
    ["7.12 MP_UNREACH_NLRI of 2 octets", toHex(body("800f02 0002")), "3/9"],
    [
      "RFC 4271 6.3 a well-known attribute that is none",
      toHex(body(`${mandatory} 40f000`, nlri)),
      "3/2",
    ],
  ])("bgp 60, 61, 63: %s ends the session", (_name, hex, expected) => {
    const result = decodeUpdate(fromHex(hex), external);
    expect(result.ok ? "ok" : `${result.error.code}/${result.error.subcode}`).toBe(expected);
  });
});

describe("UPDATE, by random input", { timeout: 60_000 }, () => {
  const contexts = [external, internal, old, { fourOctetAs: false, isInternal: true }];

  it.each(contexts)("decodes to what was encoded: %j", context => {
    fc.assert(
      fc.property(anyUpdate(context), message => {
        const result = decodeUpdate(encodeUpdate(message, context), context);
        expect(result).toEqual({ ok: true, value: message });
      }),
    );
  });

  it("bgp 47: has the attributes of RFC 4760 first and the others by code (RFC 7606 5.1)", () => {
    fc.assert(
      fc.property(anyUpdate(internal), message => {
        const shuffled = { ...message, attributes: reverse(message.attributes) };
        expect(encodeUpdate(shuffled, internal)).toEqual(encodeUpdate(message, internal));
      }),
    );
  });

  it.each(contexts)("never throws, and what it accepts can be encoded again: %j", context => {
    const change = fc.tuple(fc.nat(600), fc.integer({ min: 0, max: 255 }));
    const nearlyValid = fc
      .tuple(anyUpdate(context), fc.array(change, { maxLength: 4 }))
      .map(([message, changes]) => {
        const bytes = encodeUpdate(message, context);
        changes.forEach(([at, octet]) => {
          bytes[at % bytes.length] = octet;
        });
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(nearlyValid, fc.uint8Array({ maxLength: 120 })), bytes => {
        const result = decodeUpdate(bytes, context);
        if (!result.ok) {
          expect(result.error.code).toBe(3);
        } else if (result.value.faults.length === 0) {
          expect(decodeUpdate(encodeUpdate(result.value, context), context).ok).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

function reverse(attributes: PathAttributes): PathAttributes {
  return Object.fromEntries(Object.entries(attributes).reverse());
}
