import { describe, expect, it } from "vitest";
import { formatRange } from "./address";
import { formatConfigError } from "./config-error";
import { overlapBetween, parsePool } from "./pool";
import type { Pool } from "./pool";

const raw = (spec: unknown, metadata: object = { name: "p", namespace: "metallb-system" }) => ({
  metadata,
  spec,
});
const allocation = (serviceAllocation: object) =>
  raw({ addresses: ["10.0.0.0/24"], serviceAllocation });

function valid(object: unknown): Pool {
  const parsed = parsePool(object);
  if (!parsed.ok) throw new Error(parsed.errors.map(formatConfigError).join("\n"));
  return parsed.value;
}

function sentences(object: unknown): readonly string[] {
  const parsed = parsePool(object);
  return parsed.ok ? [] : parsed.errors.map(formatConfigError);
}

describe("parsePool", () => {
  it("metallb 2: takes CIDRs and ranges, with and without space, in one pool", () => {
    const addresses = [
      "40.0.0.0/25",
      "40.0.0.150-40.0.0.200",
      "40.0.0.210 - 40.0.0.240",
      "40.0.0.250 - 40.0.0.250",
    ];
    expect(valid(raw({ addresses })).ranges.map(formatRange)).toEqual([
      "40.0.0.0/25",
      "40.0.0.150-40.0.0.200",
      "40.0.0.210-40.0.0.240",
      "40.0.0.250/32",
    ]);
  });

  it("takes the pool that MetalLB 0.13.9 documents", () => {
    const pool = valid(
      raw(
        { addresses: ["192.11.182.222-192.11.182.226"] },
        { name: "ip-pool", labels: { a: "b" } },
      ),
    );
    expect(pool).toMatchObject({
      name: "ip-pool",
      autoAssign: true,
      avoidBuggyIPs: false,
      labels: { a: "b" },
    });
    expect(pool.ranges).toHaveLength(1);
    expect(pool).not.toHaveProperty("serviceAllocation");
  });

  it("metallb 11: autoAssign is true unless it is false", () => {
    expect(valid(raw({ addresses: ["10.0.0.0/24"] })).autoAssign).toBe(true);
    expect(valid(raw({ addresses: ["10.0.0.0/24"], autoAssign: false })).autoAssign).toBe(false);
  });

  it("metallb 12,14,15: keeps namespaces, selectors and priority", () => {
    const spec = {
      priority: 1,
      namespaces: ["test-ns1"],
      namespaceSelectors: [{ matchLabels: { team: "metallb" } }],
      serviceSelectors: [{ matchExpressions: [{ key: "app", operator: "In", values: ["a"] }] }],
    };
    expect(valid(allocation(spec)).serviceAllocation).toEqual(spec);
  });

  it("metallb 16: an allocation with a priority only restricts nothing", () => {
    expect(valid(allocation({ priority: 5 })).serviceAllocation).toEqual({
      priority: 5,
      namespaces: [],
      namespaceSelectors: [],
      serviceSelectors: [],
    });
    expect(valid(allocation({})).serviceAllocation?.priority).toBe(0);
  });

  it.each([
    [
      "metallb 7: a number above 255",
      raw({ addresses: ["100.200.300.400/24"] }),
      'IPAddressPool metallb-system/p: spec.addresses[0] "100.200.300.400/24" is neither a CIDR nor a range of addresses; write a CIDR ("192.0.2.0/24") or a range ("192.0.2.10-192.0.2.20").',
    ],
    [
      "metallb 7: a length above 32",
      raw({ addresses: ["10.0.0.0/24", "1.2.3.0/33"] }),
      'IPAddressPool metallb-system/p: spec.addresses[1] "1.2.3.0/33" has the prefix length "33"; write a length from 0 to 32.',
    ],
    [
      "metallb 7: a range backwards",
      raw({ addresses: ["1.2.3.10-1.2.3.1"] }),
      'IPAddressPool metallb-system/p: spec.addresses[0] "1.2.3.10-1.2.3.1" starts at 1.2.3.10, after its end 1.2.3.1; write "1.2.3.1-1.2.3.10".',
    ],
    [
      "metallb 8: no name",
      raw({ addresses: ["10.0.0.0/24"] }, {}),
      "IPAddressPool (without a name): metadata.name is missing; give it a name.",
    ],
    [
      "metallb 8: no addresses",
      raw({ addresses: [] }),
      "IPAddressPool metallb-system/p: spec.addresses [] is too small; list at least 1 of them.",
    ],
    [
      "metallb 8: no field addresses",
      raw({}),
      "IPAddressPool metallb-system/p: spec.addresses is missing; add it, as a list.",
    ],
    [
      "metallb 10: a leading space",
      raw({ addresses: [" 10.0.0.0/8"] }),
      'IPAddressPool metallb-system/p: spec.addresses[0] " 10.0.0.0/8" is neither a CIDR nor a range of addresses; remove the space around it: "10.0.0.0/8".',
    ],
    [
      "metallb#1.3: an overlap inside the pool",
      raw({ addresses: ["10.0.0.0/8", "10.0.0.0/16"] }),
      'IPAddressPool metallb-system/p: spec.addresses[1] "10.0.0.0/16" overlaps spec.addresses[0] "10.0.0.0/8"; write each address once.',
    ],
    [
      "metallb 13: a namespace twice",
      allocation({ namespaces: ["a", "b", "a"] }),
      'IPAddressPool metallb-system/p: spec.serviceAllocation.namespaces[2] "a" repeats spec.serviceAllocation.namespaces[0]; remove one of them.',
    ],
    [
      "metallb 13: a namespace selector twice",
      allocation({
        namespaceSelectors: [{ matchLabels: { a: "b" } }, { matchLabels: { a: "b" } }],
      }),
      'IPAddressPool metallb-system/p: spec.serviceAllocation.namespaceSelectors[1] {"matchLabels":{"a":"b"}} repeats spec.serviceAllocation.namespaceSelectors[0]; remove one of them.',
    ],
    [
      "metallb 13: a value twice",
      allocation({
        serviceSelectors: [
          { matchExpressions: [{ key: "foo", operator: "In", values: ["bar", "bar"] }] },
        ],
      }),
      'IPAddressPool metallb-system/p: spec.serviceAllocation.serviceSelectors[0].matchExpressions[0].values[1] "bar" repeats spec.serviceAllocation.serviceSelectors[0].matchExpressions[0].values[0]; remove one of them.',
    ],
    [
      "no spec",
      { metadata: { name: "p" } },
      "IPAddressPool p: spec is missing; add it, as an object.",
    ],
    [
      "no object",
      null,
      "IPAddressPool (without a name): the object null has the wrong type; write an object.",
    ],
    [
      "autoAssign as text",
      raw({ addresses: ["10.0.0.0/24"], autoAssign: "no" }),
      'IPAddressPool metallb-system/p: spec.autoAssign "no" has the wrong type; write true or false.',
    ],
  ])("refuses %s, in a sentence", (_, object, sentence) => {
    expect(sentences(object)).toEqual([sentence]);
  });

  it("reports everything that is wrong at once", () => {
    expect(
      sentences(raw({ addresses: ["x", "1.2.3.4", "10.0.0.0/24", "10.0.0.7/32"] })),
    ).toHaveLength(3);
  });
});

describe("overlapBetween", () => {
  it("names the two ranges", () => {
    const own = valid(raw({ addresses: ["10.1.0.0/24", "10.0.0.5-10.0.0.9"] }));
    const other = valid(raw({ addresses: ["10.0.0.0/29"] }));
    expect(overlapBetween(own, other)).toEqual({
      index: 1,
      own: "10.0.0.5-10.0.0.9",
      theirs: "10.0.0.0/29",
    });
    expect(overlapBetween(own, valid(raw({ addresses: ["fd00::/64"] })))).toBeUndefined();
  });
});
