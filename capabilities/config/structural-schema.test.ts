import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type * as z from "zod";
import { bfdProfileSchema } from "./kinds/bfd-profile";
import { bgpAdvertisementSchema } from "./kinds/bgp-advertisement";
import { bgpPeerSchema } from "./kinds/bgp-peer";
import { bgpPeerV1beta1Schema } from "./kinds/bgp-peer-v1beta1";
import { communitySchema } from "./kinds/community";
import { configurationStateSchema } from "./kinds/configuration-state";
import { ipAddressPoolSchema } from "./kinds/ip-address-pool";
import { l2AdvertisementSchema } from "./kinds/l2-advertisement";
import { serviceBGPStatusSchema } from "./kinds/service-bgp-status";
import { serviceL2StatusSchema } from "./kinds/service-l2-status";
import { virtualIPSchema } from "./kinds/virtual-ip";
import { structuralSchema } from "./structural-schema";

type Node = {
  readonly type: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly items?: Node;
  readonly additionalProperties?: Node;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly default?: unknown;
};

const schemas: readonly (readonly [string, z.ZodType])[] = [
  ["BFDProfile", bfdProfileSchema],
  ["BGPAdvertisement", bgpAdvertisementSchema],
  ["BGPPeer", bgpPeerSchema],
  ["BGPPeer v1beta1", bgpPeerV1beta1Schema],
  ["Community", communitySchema],
  ["ConfigurationState", configurationStateSchema],
  ["IPAddressPool", ipAddressPoolSchema],
  ["L2Advertisement", l2AdvertisementSchema],
  ["ServiceBGPStatus", serviceBGPStatusSchema],
  ["ServiceL2Status", serviceL2StatusSchema],
  ["VirtualIP", virtualIPSchema],
];

const nodeOf = (schema: z.ZodType) => structuralSchema(schema) as unknown as Node;

function visit(node: Node, path: string, see: (node: Node, path: string) => void): void {
  see(node, path);
  for (const [name, child] of Object.entries(node.properties ?? {}))
    visit(child, `${path}.${name}`, see);
  if (node.items) visit(node.items, `${path}[]`, see);
  if (node.additionalProperties) visit(node.additionalProperties, `${path}.*`, see);
}

// What the API server checks of a structural schema, CEL apart.
function accepts(node: Node, value: unknown): boolean {
  switch (node.type) {
    case "object":
      return isRecord(value) && acceptsObject(node, value);
    case "array":
      return (
        Array.isArray(value) &&
        within(value.length, node.minItems, node.maxItems) &&
        value.every(one => accepts(node.items!, one))
      );
    case "string":
      return typeof value === "string" && acceptsText(node, value);
    case "integer":
      return Number.isSafeInteger(value) && within(value as number, node.minimum, node.maximum);
    default:
      return typeof value === node.type;
  }
}

function acceptsObject(node: Node, value: Readonly<Record<string, unknown>>): boolean {
  if (node.additionalProperties)
    return Object.values(value).every(one => accepts(node.additionalProperties!, one));
  const missing = (node.required ?? []).some(name => value[name] === undefined);
  return (
    !missing &&
    Object.entries(node.properties ?? {}).every(
      ([name, child]) => value[name] === undefined || accepts(child, value[name]),
    )
  );
}

function acceptsText(node: Node, value: string): boolean {
  return (
    within(value.length, node.minLength, node.maxLength) &&
    (node.enum?.includes(value) ?? true) &&
    (node.pattern === undefined || new RegExp(node.pattern, "u").test(value))
  );
}

function within(value: number, min = -Infinity, max = Infinity): boolean {
  return min <= value && value <= max;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// Values that are often right and often wrong by one: beyond a bound, of another type, left out.
function values(node: Node): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 12, arbitrary: likely(node) },
    { weight: 1, arbitrary: fc.constantFrom("", 0, true, [], {}) },
  );
}

function likely(node: Node): fc.Arbitrary<unknown> {
  switch (node.type) {
    case "object":
      return likelyObject(node);
    case "array":
      return fc.array(values(node.items!), { maxLength: 3 });
    case "string":
      return likelyText(node);
    case "integer":
      return likelyInteger(node);
    default:
      return fc.boolean();
  }
}

function likelyObject(node: Node): fc.Arbitrary<unknown> {
  const { additionalProperties, properties = {}, required = [] } = node;
  if (additionalProperties)
    return fc.dictionary(fc.constantFrom("a", "b"), values(additionalProperties));
  const fields = Object.entries(properties).map(([name, child]) =>
    required.includes(name)
      ? fc.option(
          values(child).map(value => [name, value] as const),
          { freq: 20 },
        )
      : fc.option(
          values(child).map(value => [name, value] as const),
          { freq: 1 },
        ),
  );
  return fc.tuple(...fields).map(list => Object.fromEntries(list.filter(one => one !== null)));
}

function likelyText({ enum: allowed = [], maxLength = 8 }: Node): fc.Arbitrary<string> {
  const known = fc.constantFrom(
    ...(allowed as string[]),
    "90s",
    "1:2",
    "large:1:2:3",
    "a/B",
    "x ",
    "",
  );
  return fc.oneof(
    known,
    fc.string({ maxLength: maxLength > 400 ? 8 : maxLength + 1, size: "max" }),
  );
}

function likelyInteger({ minimum, maximum }: Node): fc.Arbitrary<number> {
  const bounds = [minimum, maximum].flatMap(n => (n === undefined ? [] : [n - 1, n, n + 1]));
  const inside = fc.integer({ min: minimum ?? -9, max: Math.min(maximum ?? 9, 2 ** 31 - 1) });
  return fc.oneof(inside, fc.constantFrom(...bounds, 1, 1.5), fc.integer());
}

describe.each(schemas)("the schema of %s", (_, schema) => {
  it("is structural: types everywhere, no references, no unions, no two kinds of properties", () => {
    visit(nodeOf(schema), "", (node, path) => {
      expect(node.type, path).toMatch(/^(object|array|string|integer|boolean)$/);
      expect(Object.keys(node), path).not.toContain("$ref");
      expect(
        Object.keys(node).filter(key => /Of$|^not$|nullable/.test(key)),
        path,
      ).toEqual([]);
      expect(Boolean(node.properties) && Boolean(node.additionalProperties), path).toBe(false);
    });
  });

  it("has no bounds that JavaScript's numbers brought in", () => {
    visit(nodeOf(schema), "", (node, path) => {
      expect(Math.abs(node.minimum ?? 0), path).toBeLessThanOrEqual(4294967295);
      expect(Math.abs(node.maximum ?? 0), path).toBeLessThanOrEqual(4294967295);
    });
  });

  it("explains every field to `kubectl explain`", () => {
    visit(nodeOf(schema), "", (node, path) => {
      const described =
        /(^|\.metadata|\.\*|\[\])$/.test(path) || (node.description?.length ?? 0) > 5;
      expect(described, path).toBe(true);
    });
  });

  it("gives defaults that it accepts itself", () => {
    visit(nodeOf(schema), "", (node, path) => {
      if (node.default !== undefined) expect(accepts(node, node.default), path).toBe(true);
    });
  });

  it("accepts and refuses what zod accepts and refuses, bound by bound", () => {
    const node = nodeOf(schema);
    const { spec, status } = node.properties!;
    const parts = fc.record(
      { ...(spec ? { spec: values(spec) } : {}), ...(status ? { status: values(status) } : {}) },
      { requiredKeys: [] },
    );
    const answers = new Set<boolean>();
    fc.assert(
      fc.property(parts, object => {
        const accepted = accepts(node, object);
        answers.add(accepted);
        expect(schema.safeParse(object).success).toBe(accepted);
      }),
      { numRuns: 2000 },
    );
    // Otherwise the property would hold of values that say nothing.
    expect([...answers].sort()).toEqual([false, true]);
  });
});
