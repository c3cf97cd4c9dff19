import type * as z from "zod";
import type { ConfigError, Parsed } from "./config-error";

type Issue = z.core.$ZodIssue;

/** Annotation of an object that exists in memory only: what it was made of, for messages. */
export const ORIGIN = "ancho.dev/origin";

/** What an object that exists in memory only was made of; undefined for one that the API server has. */
export function originOf(raw: unknown): string | undefined {
  return text(recordOf(recordOf(recordOf(raw)["metadata"])["annotations"])[ORIGIN]);
}

/** "IPAddressPool metallb-system/ip-pool", also for objects that lack the parts. */
export function objectName(kind: string, raw: unknown): string {
  const metadata = recordOf(recordOf(raw)["metadata"]);
  const { namespace, name, generateName } = metadata;
  const own =
    text(name) ?? (text(generateName) ? `${text(generateName) ?? ""}*` : "(without a name)");
  const title = `${kind} ${text(namespace) === undefined ? own : `${text(namespace) ?? ""}/${own}`}`;
  const origin = originOf(raw);
  return origin === undefined ? title : `${title} (${origin})`;
}

/** Reads an untrusted object with a kind's schema; every issue becomes an error that names the field. */
export function readObject<T>(schema: z.ZodType<T>, kind: string, raw: unknown): Parsed<T> {
  const result = schema.safeParse(raw);
  if (result.success) return { ok: true, value: result.data };
  const object = objectName(kind, raw);
  return { ok: false, errors: result.error.issues.map(issue => toError(object, issue, raw)) };
}

/** "spec.serviceSelectors[0].matchLabels.app", as the API server writes paths. */
function fieldPath(path: readonly PropertyKey[]): string {
  const steps = path.map(step => (typeof step === "number" ? `[${step}]` : `.${String(step)}`));
  return steps.join("").replace(/^\./, "") || "the object";
}

function toError(object: string, issue: Issue, raw: unknown): ConfigError {
  const value = issue.path.reduce<unknown>((at, step) => recordOf(at)[step as string], raw);
  return { object, field: fieldPath(issue.path), value, ...explain(issue, value) };
}

function explain(issue: Issue, value: unknown): { problem: string; remedy: string } {
  switch (issue.code) {
    case "invalid_type":
      return value === undefined
        ? { problem: "is missing", remedy: `add it, as ${withArticle(issue.expected)}` }
        : { problem: "has the wrong type", remedy: `write ${withArticle(issue.expected)}` };
    case "invalid_value":
      return {
        problem: value === undefined ? "is missing" : "is not one of the allowed values",
        remedy: `write one of ${issue.values.map(String).join(", ")}`,
      };
    case "too_small":
      return { problem: "is too small", remedy: atLeast(issue.origin, Number(issue.minimum)) };
    case "too_big":
      return { problem: "is too big", remedy: atMost(issue.origin, Number(issue.maximum)) };
    default:
      return { problem: `is wrong: ${issue.message}`, remedy: "correct it" };
  }
}

const ARTICLES: Readonly<Record<string, string>> = {
  int: "a whole number",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object of texts",
};

function withArticle(expected: string): string {
  return ARTICLES[expected] ?? `a ${expected}`;
}

function atLeast(origin: string, minimum: number): string {
  return origin === "array" ? `list at least ${minimum} of them` : `write at least ${minimum}`;
}

function atMost(origin: string, maximum: number): string {
  if (origin === "array") return `list at most ${maximum} of them`;
  return origin === "string" ? `write at most ${maximum} characters` : `write at most ${maximum}`;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** Two objects of one kind with one name, which only a file can hold. */
export function duplicateName(object: string, name: string): ConfigError {
  const problem = "is the name of another object of the same kind";
  return { object, field: "metadata.name", value: name, problem, remedy: "rename one of them" };
}
