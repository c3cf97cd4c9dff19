import * as z from "zod";
import { objectFields } from "./kinds/resource";

/** An OpenAPI schema as CRDs have it; keys that we do not handle pass through. */
export type JsonSchema = { readonly [key: string]: unknown };

const SAFE = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];

/**
 * A zod schema as the structural schema that a CRD demands: every value has a type, objects with properties have
 * no additionalProperties, and there are no references. Refinements are lost; a rule that the API server is to
 * check itself stands in the schema's metadata as CEL.
 */
export function structuralSchema(schema: z.ZodType): JsonSchema {
  const { properties, ...root } = z.toJSONSchema(schema, {
    target: "openapi-3.0",
    io: "input",
    unrepresentable: "any",
    reused: "inline",
  }) as JsonSchema & { properties: Record<string, JsonSchema> };
  // The API server has its own schema of these three and allows no other beside it.
  const own = Object.fromEntries(
    Object.entries(properties).filter(([field]) => !(field in objectFields)),
  );
  const head = { apiVersion: API_VERSION, kind: KIND, metadata: { type: "object" } };
  return { ...root, properties: { ...head, ...mapValues(own, structural) } };
}

const API_VERSION: JsonSchema = {
  type: "string",
  description: "Version of the schema that this object is written in, with its group.",
};
const KIND: JsonSchema = { type: "string", description: "What the object is." };

function structural(node: JsonSchema): JsonSchema {
  const { properties, items, additionalProperties, ...rest } = node;
  return {
    ...withoutSafeBounds(rest),
    ...(properties ? { properties: mapValues(properties as JsonSchema, structural) } : {}),
    ...(items ? { items: structural(items as JsonSchema) } : {}),
    ...(additionalProperties && !properties
      ? { additionalProperties: structural(additionalProperties as JsonSchema) }
      : {}),
  };
}

// zod's integers are bounded by what a double holds exactly; the API server's by int64.
function withoutSafeBounds(node: JsonSchema): JsonSchema {
  return Object.fromEntries(
    Object.entries(node).filter(
      ([key, value]) => !(/^(min|max)imum$/.test(key) && SAFE.includes(value as number)),
    ),
  );
}

function mapValues(
  record: JsonSchema,
  map: (value: JsonSchema) => JsonSchema,
): Record<string, JsonSchema> {
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [key, map(value as JsonSchema)]),
  );
}
