import type { ConfigError, Parsed } from "../config-error";
import { communityResource } from "../kinds/community";
import { objectName } from "../raw-object";
import { parseCommunity } from "../validators/bgp";

/** Names of communities and what they stand for: `65535:65282` or `large:64500:1:2`. */
export type Aliases = ReadonlyMap<string, string>;

/** Reads all Community objects, the oldest first. A name that is taken already is an error, and stays what it was. */
export function readAliases(raws: readonly unknown[]): {
  readonly aliases: Aliases;
  readonly errors: readonly ConfigError[];
} {
  const aliases = new Map<string, string>();
  const errors: ConfigError[] = [];
  for (const raw of raws) {
    const parsed = parseCommunity(raw);
    if (!parsed.ok) {
      errors.push(...parsed.errors);
      continue;
    }
    const own = parsed.value.spec.communities ?? [];
    const object = objectName(communityResource.kind, raw);
    own.forEach(({ name = "", value = "" }, i) => {
      if (aliases.has(name)) errors.push(takenName(object, i, name));
      else aliases.set(name, value);
    });
  }
  return { aliases, errors };
}

function takenName(object: string, index: number, name: string): ConfigError {
  const problem = "is defined by another Community, too";
  const field = `spec.communities[${index}].name`;
  return { object, field, value: name, problem, remedy: "use another name" };
}

/** Communities by their kind, in the text form of the wire: `64500:1`, and `64500:1:2` for large ones. */
export type Communities = {
  readonly communities: readonly string[];
  readonly largeCommunities: readonly string[];
};

/**
 * Resolves what a BGPAdvertisement lists: communities as they are, or names of them.
 * @param object the advertisement, for errors
 */
export function resolveCommunities(
  listed: readonly string[],
  aliases: Aliases,
  object: string,
): Parsed<Communities> {
  const errors: ConfigError[] = [];
  const values = listed.flatMap((text, i): readonly string[] => {
    const value = text.includes(":") ? text : aliases.get(text);
    if (value !== undefined && isCommunity(value)) return [value];
    errors.push({
      object,
      field: `spec.communities[${i}]`,
      value: text,
      problem: "is no community, and no Community object defines that name",
      remedy: 'write "65535:65282" or "large:64500:1:2", or create a Community that defines it',
      ...(text.includes(":") ? {} : { mayComeLater: true }),
    });
    return [];
  });
  if (errors.length > 0) return { ok: false, errors };
  const [large, plain] = [true, false].map(wanted =>
    [...new Set(values)].filter(value => value.startsWith(LARGE) === wanted),
  );
  return {
    ok: true,
    value: {
      communities: plain ?? [],
      largeCommunities: (large ?? []).map(value => value.slice(LARGE.length)),
    },
  };
}

const LARGE = "large:";

/** Two numbers of 16 bits (RFC 1997), or three of 32 bits behind a mark (RFC 8092). */
function isCommunity(text: string): boolean {
  const isLarge = text.startsWith(LARGE);
  const parts = (isLarge ? text.slice(LARGE.length) : text).split(":");
  const max = isLarge ? 0xffff_ffff : 0xffff;
  return (
    parts.length === (isLarge ? 3 : 2) &&
    parts.every(part => /^\d{1,10}$/.test(part) && Number(part) <= max)
  );
}
