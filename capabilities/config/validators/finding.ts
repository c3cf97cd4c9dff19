import type * as z from "zod";
import { formatConfigError } from "../config-error";
import type { Parsed } from "../config-error";
import { objectName, readObject } from "../raw-object";
import type { Finding } from "../selector-rules";

/** Judges an untrusted object: one sentence for everything that is wrong with it. Never throws. */
export type Validator = (raw: unknown) => readonly string[];

/** A validator made of a parser: what it cannot read is wrong. */
export function validatorOf(parse: (raw: unknown) => Parsed<unknown>): Validator {
  return raw => {
    const parsed = parse(raw);
    return parsed.ok ? [] : parsed.errors.map(formatConfigError);
  };
}

/** A parser made of a schema and of rules for what the schema cannot say. */
export function parserOf<T>(
  kind: string,
  schema: z.ZodType<T>,
  rules: (value: T) => readonly Finding[],
): (raw: unknown) => Parsed<T> {
  return raw => {
    const read = readObject(schema, kind, raw);
    if (!read.ok) return read;
    const object = objectName(kind, raw);
    const errors = rules(read.value).map(finding => ({ object, ...finding }));
    return errors.length > 0 ? { ok: false, errors } : read;
  };
}
