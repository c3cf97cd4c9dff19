import type { ConfigError } from "../config-error";
import { objectName } from "../raw-object";
import type { ValidatedKind } from "../validators/parsers";
import { convertConfigMap } from "./convert";
import type { Converted } from "./pieces";

type Resources<K extends ValidatedKind> = Readonly<Record<K, readonly unknown[]>>;

/** Resources from the API server and from the ConfigMap together. */
export type Merged<K extends ValidatedKind> = {
  readonly resources: Resources<K>;
  /** What is wrong in the ConfigMap and was left out. */
  readonly errors: readonly ConfigError[];
  /** What resources have taken the place of. */
  readonly notices: readonly ConfigError[];
};

/** What makes two objects of a kind the same thing, and the field that a user knows it by. */
const IDENTITY: Readonly<Partial<Record<ValidatedKind, (object: unknown) => string | undefined>>> =
  { IPAddressPool: nameOf, BFDProfile: nameOf, BGPPeer: peerAddressOf };

/**
 * Adds what the ConfigMap says to the given kinds of resources. A resource takes the place of the part of the
 * ConfigMap that describes the same pool, BFD profile (by name) or router (by address). The advertisements of a
 * pool that was replaced so are kept until there is a resource that advertises in that way, so that a migration
 * that brings the pools first does not interrupt traffic.
 */
export function mergeConfigMap<K extends ValidatedKind>(
  given: Resources<K>,
  configMap: unknown,
): Merged<K> {
  const { resources: converted, errors } = convertConfigMap(configMap);
  const kinds = Object.keys(given) as K[];
  const inKinds = converted.filter(({ kind }) => kinds.some(one => one === kind));
  const source = objectName("ConfigMap", configMap);
  const taken = inKinds.flatMap(piece => {
    const rival = rivalOf(piece, given[piece.kind as K]);
    return rival === undefined ? [] : [{ piece, rival }];
  });
  const replaced = new Set(taken.map(({ piece }) => piece));
  const pools = taken
    .filter(({ piece }) => piece.kind === "IPAddressPool")
    .map(({ piece }) => piece.object.metadata.name);
  const kept = inKinds.filter(piece => !replaced.has(piece) && !isObsolete(piece, given, pools));
  const resources = kinds.map(kind => {
    const added = kept.filter(piece => piece.kind === kind);
    return [kind, [...given[kind], ...withFreeNames(added, given[kind])]] as const;
  });
  return {
    resources: Object.fromEntries(resources) as unknown as Resources<K>,
    errors,
    notices: taken.map(({ piece, rival }) => notice(source, piece, rival)),
  };
}

function rivalOf({ kind, object }: Converted, given: readonly unknown[]): unknown {
  const identity = IDENTITY[kind];
  const mine = identity?.(object);
  if (identity === undefined || mine === undefined) return undefined;
  return given.find(other => identity(other) === mine);
}

function isObsolete<K extends ValidatedKind>(
  { kind, object }: Converted,
  given: Resources<K>,
  pools: readonly string[],
): boolean {
  const [pool] = (object.spec["ipAddressPools"] ?? []) as readonly string[];
  return pool !== undefined && pools.includes(pool) && given[kind as K].length > 0;
}

/** The names of advertisements and peers are our own invention, so they give way to those of resources. */
function withFreeNames(
  added: readonly Converted[],
  given: readonly unknown[],
): readonly Converted["object"][] {
  const taken = new Set(given.map(nameOf));
  return added.map(({ kind, object }) => {
    if (IDENTITY[kind] === nameOf) return object;
    let { name } = object.metadata;
    while (taken.has(name)) name = `${name}-config`;
    return { ...object, metadata: { ...object.metadata, name } };
  });
}

function notice(source: string, { kind, place }: Converted, rival: unknown): ConfigError {
  return {
    object: source,
    field: place,
    value: undefined,
    problem: `is not used, because ${objectName(kind, rival)} is in its place`,
    remedy: "delete it from the ConfigMap",
  };
}

function nameOf(object: unknown): string | undefined {
  const { metadata } = (object ?? {}) as { readonly metadata?: { readonly name?: string } };
  return metadata?.name;
}

function peerAddressOf(object: unknown): string | undefined {
  const { spec } = (object ?? {}) as { readonly spec?: { readonly peerAddress?: string } };
  return spec?.peerAddress;
}
