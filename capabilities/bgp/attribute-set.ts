import { addressBytes, familyOf } from "./wire/address";
import type { Family } from "./wire/address";
import type { PathAttributes } from "./wire/attribute";
import { encodeAttributes } from "./wire/attribute-encoder";
import type { Origin } from "./wire/attributes/basic";
import { reachHead } from "./wire/attributes/multiprotocol";
import { concat } from "./wire/bytes";
import { Role } from "./wire/codes";

/** What can be said of prefixes that are announced. Communities are text, as in `wire/attributes/`. */
export type RouteAttributes = {
  /** `igp` unless it is said otherwise. */
  readonly origin?: Origin;
  /** How often our AS number is put before the path once more. */
  readonly prepend?: number;
  readonly med?: number;
  /** Told to peers in our own AS only; 100 unless it is said otherwise. */
  readonly localPref?: number;
  /** Whom packets are to be sent to; our address on the session unless it is said otherwise. */
  readonly nextHop?: string;
  /** E.g. `65535:0` or `64512:100`. */
  readonly communities?: readonly string[];
  /** 16 hexadecimal digits each. */
  readonly extendedCommunities?: readonly string[];
  /** E.g. `4200000001:1:2`. */
  readonly largeCommunities?: readonly string[];
};

/** Attributes in one order, so that equal ones have equal keys and share messages. */
export type AttributeSet = { readonly key: string; readonly attributes: RouteAttributes };

/** Where routes go, as far as it changes what is said of them. */
export type Egress = {
  readonly localAs: number;
  readonly isInternal: boolean;
  readonly fourOctetAs: boolean;
  readonly hasIpv4OverIpv6: boolean;
  readonly families: readonly Family[];
  /** A refresh has a beginning and an end (RFC 7313). */
  readonly hasEnhancedRefresh: boolean;
  /** What we are to the peer by RFC 9234, if that was told. */
  readonly ownRole?: number | undefined;
  /** We are about to leave: all routes are the last choice (RFC 8326). */
  readonly isShuttingDown?: boolean;
  /** Our addresses there; a family without one has only routes with a next hop of their own. */
  readonly nextHops: {
    readonly ipv4?: string;
    readonly ipv6?: string;
    readonly linkLocal?: string;
  };
};

/**
 * Puts attributes in order: each community once, by value.
 * @throws RangeError that quotes what no peer could be told.
 */
export function attributeSet(attributes: RouteAttributes): AttributeSet {
  const { prepend = 0, nextHop } = attributes;
  if (!Number.isInteger(prepend) || prepend < 0 || prepend >= LONGEST_PATH) {
    throw new RangeError(`prepend ${prepend} is not between 0 and ${LONGEST_PATH - 1}`);
  }
  if (nextHop !== undefined) {
    addressBytes(nextHop);
  }
  const ordered: RouteAttributes = {
    origin: attributes.origin ?? "igp",
    prepend,
    ...(attributes.med !== undefined && { med: attributes.med }),
    localPref: attributes.localPref ?? DEFAULT_LOCAL_PREF,
    ...(nextHop !== undefined && { nextHop }),
    ...sorted("communities", attributes.communities),
    ...sorted("extendedCommunities", attributes.extendedCommunities),
    ...sorted("largeCommunities", attributes.largeCommunities),
  };
  // What cannot be encoded is to be refused here and not when a session comes up.
  const anywhere = { localAs: 1, isInternal: true, fourOctetAs: true };
  encodeAttributes(pathAttributes(ordered, undefined, anywhere), anywhere);
  return { key: JSON.stringify(ordered), attributes: ordered };
}

/** RFC 4271 section 9.1.1 leaves it to us; 100 is what routers take. */
const DEFAULT_LOCAL_PREF = 100;
const LONGEST_PATH = 255;
/** RFC 8326 section 5. */
const GRACEFUL_SHUTDOWN = "65535:0";

/** RFC 9234 section 5: as provider, route server or peer we mark what must not go up again. */
function isOnlyToCustomer({ ownRole }: Pick<Egress, "ownRole">): boolean {
  return ownRole === Role.Provider || ownRole === Role.RouteServer || ownRole === Role.Peer;
}

type CommunityName = "communities" | "extendedCommunities" | "largeCommunities";

function sorted(name: CommunityName, values: readonly string[] = []): RouteAttributes {
  const unique = [...new Set(values)];
  return unique.length === 0 ? {} : { [name]: unique.sort(byNumbers) };
}

function byNumbers(a: string, b: string): number {
  const [left, right] = [a, b].map(text => text.split(":").map(Number));
  const index = left?.findIndex((part, at) => part !== right?.[at]) ?? -1;
  const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
  return Number.isNaN(difference) ? (a < b ? -1 : 1) : difference;
}

function pick(attributes: RouteAttributes, name: CommunityName): PathAttributes {
  const values = attributes[name];
  return values === undefined ? {} : { [name]: values };
}

/** What peers are told, with the next hop of the old field if there is one. */
function pathAttributes(
  attributes: RouteAttributes,
  oldNextHop: string | undefined,
  egress: Pick<Egress, "localAs" | "isInternal" | "ownRole" | "isShuttingDown">,
): PathAttributes {
  const { localAs, isInternal } = egress;
  const { origin, med, prepend = 0 } = attributes;
  const ases = Array<number>(1 + prepend).fill(localAs);
  return {
    origin: origin ?? "igp",
    asPath: isInternal ? [] : [{ kind: "sequence", ases }],
    ...(oldNextHop !== undefined && { nextHop: oldNextHop }),
    ...(med !== undefined && { med }),
    ...preference(attributes, egress),
    ...(isOnlyToCustomer(egress) && { onlyToCustomer: localAs }),
    ...pick(attributes, "extendedCommunities"),
    ...pick(attributes, "largeCommunities"),
  };
}

/** How routes are preferred; RFC 8326 section 4 makes those of who leaves the last choice. */
function preference(
  { localPref = DEFAULT_LOCAL_PREF, communities = [] }: RouteAttributes,
  { isInternal, isShuttingDown = false }: Pick<Egress, "isInternal" | "isShuttingDown">,
): PathAttributes {
  return {
    ...(isInternal && { localPref: isShuttingDown ? 0 : localPref }),
    ...sorted("communities", isShuttingDown ? [...communities, GRACEFUL_SHUTDOWN] : communities),
  };
}

/** The parts of an UPDATE that do not depend on the prefixes. */
export type Rendering = {
  /** All path attributes but MP_REACH_NLRI. */
  readonly attributes: Uint8Array;
  /** What MP_REACH_NLRI has before the prefixes; undefined for the old IPv4 field. */
  readonly reach: Uint8Array | undefined;
};

/**
 * Writes attributes for one peer. Undefined if routes of this family cannot be told to it, since
 * there is no next hop that it could use; they are withheld then.
 */
export function renderAttributes(
  { attributes }: AttributeSet,
  family: Family,
  egress: Egress,
): Rendering | undefined {
  const hop = chooseNextHop(attributes.nextHop, family, egress);
  if (hop === undefined) {
    return undefined;
  }
  const isOld = family === "ipv4" && familyOf(hop[0]) === "ipv4";
  return {
    attributes: encodeAttributes(
      pathAttributes(attributes, isOld ? hop[0] : undefined, egress),
      egress,
    ),
    reach: isOld ? undefined : reachHead(family, concat(...hop.map(addressBytes))),
  };
}

/** One address, or a global and a link-local one (RFC 2545 section 3). */
function chooseNextHop(
  configured: string | undefined,
  family: Family,
  { nextHops, hasIpv4OverIpv6 }: Egress,
): readonly [string, ...string[]] | undefined {
  const mayBeIpv6 = family === "ipv6" || hasIpv4OverIpv6;
  if (configured !== undefined) {
    const isUsable = familyOf(configured) === family || (family === "ipv4" && mayBeIpv6);
    return isUsable ? [configured] : undefined;
  }
  if (family === "ipv4" && nextHops.ipv4 !== undefined) {
    return [nextHops.ipv4];
  }
  return mayBeIpv6 ? ipv6NextHop(nextHops) : undefined;
}

function ipv6NextHop({
  ipv6,
  linkLocal,
}: Egress["nextHops"]): readonly [string, ...string[]] | undefined {
  const global = ipv6 ?? linkLocal;
  if (global === undefined || linkLocal === undefined) {
    return global === undefined ? undefined : [global];
  }
  return [global, linkLocal];
}
