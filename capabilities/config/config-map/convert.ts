import type { ConfigError } from "../config-error";
import { objectName } from "../raw-object";
import type { Finding } from "../selector-rules";
import { parsers } from "../validators/parsers";
import type { ValidatedKind } from "../validators/parsers";
import { configText, oldField } from "./format";
import { piecesOf } from "./pieces";
import type { Converted, ConvertedObject } from "./pieces";
import { parseTree } from "./tree";

/** The ConfigMap's name, and the key in it that holds the text. */
export const CONFIG_MAP_NAME = "config";
const KEY = "config";

/** The resources that a ConfigMap stands for, all of them valid by themselves, and what was left out. */
export type Conversion = {
  readonly resources: readonly Converted[];
  readonly errors: readonly ConfigError[];
};

const NOTHING: Conversion = { resources: [], errors: [] };

/**
 * Reads the ConfigMap of MetalLB 0.12 and older and turns it into the custom resources that MetalLB's own
 * `configmaptocrs` makes of it. What is wrong is reported by its place in the ConfigMap and left out.
 *
 * @param configMap - the object as the API has it; undefined: there is none
 */
export function convertConfigMap(configMap: unknown): Conversion {
  if (configMap === undefined) return NOTHING;
  const object = objectName("ConfigMap", configMap);
  const { text, namespace } = readData(configMap);
  if (text === undefined) {
    const remedy = `write MetalLB's configuration there, or delete the ConfigMap`;
    return failed({
      object,
      field: `data.${KEY}`,
      value: undefined,
      problem: "is missing",
      remedy,
    });
  }
  const read = parseTree(text);
  if (!read.ok) {
    const problem = `is no YAML that can be read: ${read.problem}`;
    const remedy = "correct the text at that place";
    return failed({ object, field: `data.${KEY}`, value: undefined, problem, remedy });
  }
  const { value = {}, findings } = configText(read.tree, "");
  const pieces = piecesOf(value, { namespace, source: object });
  const judged = pieces.resources.map(piece => ({ piece, findings: judge(piece) }));
  const all = [...findings, ...pieces.findings, ...judged.flatMap(one => one.findings)];
  return {
    resources: judged.filter(one => one.findings.length === 0).map(({ piece }) => piece),
    errors: all.map(finding => ({ object, ...finding })),
  };
}

function judge({ kind, object, place }: Converted): readonly Finding[] {
  const parsed = parsers[kind satisfies ValidatedKind](object);
  if (parsed.ok) return [];
  return parsed.errors.map(({ field, value, problem, remedy }) => ({
    field: kind === "Community" ? aliasField(object, field) : oldField(place, field),
    value: field.endsWith("password") ? undefined : value,
    problem,
    remedy,
  }));
}

/** Communities were a map from names, which has no numbers. */
function aliasField({ spec }: ConvertedObject, field: string): string {
  const index = Number(/\[(\d+)\]/.exec(field)?.[1]);
  const aliases = spec["communities"] as readonly { readonly name: string }[];
  return `bgp-communities.${aliases[index]?.name ?? ""}`;
}

function readData(raw: unknown): { readonly text: string | undefined; readonly namespace: string } {
  const { data, metadata } = (raw ?? {}) as {
    readonly data?: Readonly<Record<string, unknown>>;
    readonly metadata?: { readonly namespace?: unknown };
  };
  const text = data?.[KEY];
  const namespace = metadata?.namespace;
  return {
    text: typeof text === "string" ? text : undefined,
    namespace: typeof namespace === "string" ? namespace : "metallb-system",
  };
}

function failed(error: ConfigError): Conversion {
  return { resources: [], errors: [error] };
}
