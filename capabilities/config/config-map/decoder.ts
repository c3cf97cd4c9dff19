import type { Finding } from "../selector-rules";
import type { Tree } from "./tree";

/** A value that was read, or undefined and what is wrong with it. */
export type Decoded<T> = {
  readonly value: T | undefined;
  readonly findings: readonly Finding[];
};

/** Reads a part of the tree; `path` is where it stands. */
export type Decoder<T> = (tree: Tree, path: string) => Decoded<T>;

type Fields = Readonly<Record<string, Decoder<unknown>>>;
type Values<F extends Fields> = {
  readonly [K in keyof F]?: NonNullable<ReturnType<F[K]>["value"]>;
};

/** What go-yaml, which MetalLB reads its ConfigMap with, takes for a truth value. */
const FLAGS: Readonly<Record<string, boolean>> = {
  ...{ true: true, yes: true, y: true, on: true },
  ...{ false: false, no: false, n: false, off: false },
};

export const text: Decoder<string> = (tree, path) =>
  typeof tree === "string" ? good(tree) : bad(path, tree, "is not a text", "write one value");

export const number: Decoder<number> = (tree, path) =>
  typeof tree === "string" && /^\d{1,15}$/.test(tree)
    ? good(Number(tree))
    : bad(path, tree, "is not a whole number", "write digits only");

export const flag: Decoder<boolean> = (tree, path) => {
  const value = typeof tree === "string" ? FLAGS[tree.toLowerCase()] : undefined;
  return value === undefined
    ? bad(path, tree, "is neither true nor false", "write true or false")
    : good(value);
};

/** One of the given words. */
export function word<const W extends string>(...words: readonly W[]): Decoder<W> {
  return (tree, path) => {
    const found = words.find(one => one === tree);
    if (found !== undefined) return good(found);
    return bad(path, tree, "is not one of the allowed values", `write ${words.join(" or ")}`);
  };
}

/** A text that must not be shown: it is left out of what is said about it. */
export const secret: Decoder<string> = (tree, path) => {
  const { value, findings } = text(tree, path);
  return { value, findings: findings.map(finding => ({ ...finding, value: undefined })) };
};

/** A list; what is wrong with one element leaves out that element and no other. */
export function list<T>(element: Decoder<T>): Decoder<readonly Placed<T>[]> {
  return (tree, path) => {
    if (tree === "") return good([]);
    if (!isList(tree)) return bad(path, tree, "is not a list", 'begin each element with "- "');
    const places = tree.map((item, i) => ({ at: `${path}[${i}]`, item }));
    const decoded = places.map(({ at, item }) => ({ at, ...element(item, at) }));
    return {
      value: decoded.flatMap(({ at, value }) => (value === undefined ? [] : [{ at, value }])),
      findings: decoded.flatMap(({ findings }) => findings),
    };
  };
}

/** An element of a list, and where it stands. */
export type Placed<T> = { readonly at: string; readonly value: T };

/** A map from any key to texts. */
export const texts: Decoder<Readonly<Record<string, string>>> = (tree, path) => {
  if (tree === "") return good({});
  if (!isMap(tree)) return bad(path, tree, "is not a map", 'write lines of "key: value"');
  const decoded = Object.entries(tree).map(([key, item]) => ({
    key,
    ...text(item, `${path}.${key}`),
  }));
  const pairs = decoded.flatMap(({ key, value }) => (value === undefined ? [] : [[key, value]]));
  return {
    value: Object.fromEntries(pairs) as Record<string, string>,
    findings: decoded.flatMap(({ findings }) => findings),
  };
};

/**
 * A map with these fields and no others. A field that is wrong or unknown makes the whole map undefined, since
 * half of a peer or a pool is none; `isLenient` leaves out the field instead.
 */
export function fields<const F extends Fields>(known: F, isLenient = false): Decoder<Values<F>> {
  return (tree, path) => {
    if (tree === "") return good({} as Values<F>);
    if (!isMap(tree)) return bad(path, tree, "is not a map", fieldsRemedy(known));
    const decoded = Object.entries(tree).map(([key, item]) => {
      const at = path === "" ? key : `${path}.${key}`;
      const decoder = Object.hasOwn(known, key) ? known[key] : undefined;
      const result = decoder
        ? decoder(item, at)
        : bad(at, item, "is not a field of MetalLB's configuration", fieldsRemedy(known));
      return { key, ...result };
    });
    const findings = decoded.flatMap(one => one.findings);
    const pairs = decoded.flatMap(({ key, value }) => (value === undefined ? [] : [[key, value]]));
    const isWrong = pairs.length < decoded.length;
    if (isWrong && !isLenient) return { value: undefined, findings };
    return { value: Object.fromEntries(pairs) as Values<F>, findings };
  };
}

function fieldsRemedy(known: Fields): string {
  return `remove it, or write one of ${Object.keys(known).join(", ")}`;
}

function good<T>(value: T): Decoded<T> {
  return { value, findings: [] };
}

function bad(path: string, tree: Tree, problem: string, remedy: string): Decoded<never> {
  const field = path === "" ? "config" : path;
  const value = /(^|\.)password$/.test(path) ? undefined : tree;
  return { value: undefined, findings: [{ field, value, problem, remedy }] };
}

function isList(tree: Tree): tree is readonly Tree[] {
  return Array.isArray(tree);
}

function isMap(tree: Tree): tree is { readonly [key: string]: Tree } {
  return typeof tree === "object" && !Array.isArray(tree);
}
