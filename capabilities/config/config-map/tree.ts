import { isAlias, isMap, isScalar, isSeq, parseDocument, visit } from "yaml";

/** A YAML text as lists, maps and texts: what a scalar means is for its reader to say, as in Go. */
export type Tree = string | readonly Tree[] | { readonly [key: string]: Tree };

export type TreeResult =
  | { readonly ok: true; readonly tree: Tree }
  | { readonly ok: false; readonly problem: string };

/** Deeper than any configuration, and far from where recursion would end. */
const DEEPEST = 32;

/**
 * Reads a YAML text in which every scalar stays the text that was written, so that a password of digits keeps
 * its zeros. Repeated keys, several documents and whatever is no YAML are problems. Never throws.
 */
export function parseTree(text: string): TreeResult {
  try {
    const document = parseDocument(text, { schema: "failsafe", merge: true });
    const [error] = document.errors;
    if (error) return { ok: false, problem: firstLine(error.message) };
    if (depthOf(document.contents) > DEEPEST) {
      return { ok: false, problem: `is nested more than ${DEEPEST} levels deep` };
    }
    return { ok: true, tree: normalize(document.toJS({ maxAliasCount: 100 })) };
  } catch (error) {
    return { ok: false, problem: firstLine(error instanceof Error ? error.message : "no YAML") };
  }
}

function firstLine(message: string): string {
  return (message.split("\n")[0] ?? "").replace(/:$/, "");
}

function depthOf(root: unknown): number {
  let deepest = 0;
  if (!isMap(root) && !isSeq(root) && !isScalar(root) && !isAlias(root)) return deepest;
  visit(root, (_, __, path) => {
    deepest = Math.max(deepest, path.length);
    return deepest > DEEPEST ? visit.BREAK : undefined;
  });
  return deepest;
}

/** Nothing written is the empty text; a map is made without a prototype, so no key of it is special. */
function normalize(value: unknown): Tree {
  if (Array.isArray(value)) return value.map(normalize);
  if (typeof value !== "object" || value === null) return typeof value === "string" ? value : "";
  const entries = Object.entries(value).map(([key, item]) => [key, normalize(item)] as const);
  return Object.assign(Object.create(null) as object, Object.fromEntries(entries));
}
