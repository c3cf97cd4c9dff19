import type { Session } from "./negotiation";
import type { Family } from "./wire/address";
import type { PathAttributes } from "./wire/attribute";
import { Role } from "./wire/codes";
import { endOfRibFamily, routesOf } from "./wire/update";
import type { Prefixes, Update } from "./wire/update";

/** A route that a peer has told of. */
export type ReceivedRoute = {
  readonly prefix: string;
  readonly family: Family;
  readonly attributes: PathAttributes;
};

/** What came from the peer since the session is up. */
export type Received = {
  readonly updates: number;
  readonly announced: number;
  readonly withdrawn: number;
  /** Attributes that were malformed (RFC 7606). */
  readonly faults: number;
};

/** What is to be done with routes from a peer; without a filter none is kept (RFC 8212). */
export type IntakeOptions = {
  /** True for routes that are to be kept, to be read by `routes`. */
  readonly importFilter?: ((route: ReceivedRoute) => boolean) | undefined;
  /** How many prefixes of one family the peer may have told of before the session is ended. */
  readonly maxPrefixes?: number | undefined;
};

/** The peer's routes: counted, and those that a filter lets in kept (Adj-RIB-In). */
export type Intake = {
  begin(session: Session, localAs: number): void;
  /** The family of which there are too many prefixes, if there are. */
  take(update: Update): Family | undefined;
  /** The session is over: seconds to wait before `expire`, if the peer may come back for its routes. */
  end(isGraceful: boolean): number | undefined;
  /** The peer has not told again what it had told before it restarted (RFC 4724 section 4.2). */
  expire(): void;
  received(): Received;
  routes(): Iterable<ReceivedRoute>;
};

type Kept = ReceivedRoute & { readonly isStale: boolean };

const NOTHING: Received = { updates: 0, announced: 0, withdrawn: 0, faults: 0 };

export function createIntake({ importFilter, maxPrefixes }: IntakeOptions): Intake {
  const kept = new Map<string, Kept>();
  /** Only where they are limited, so that it cannot grow without one. */
  const told: Readonly<Record<Family, Set<string>>> = { ipv4: new Set(), ipv6: new Set() };
  let received = NOTHING;
  let up: { readonly session: Session; readonly localAs: number } | undefined;

  function withdraw({ family, prefixes }: Prefixes): void {
    for (const prefix of prefixes) {
      kept.delete(prefix);
      told[family].delete(prefix);
    }
  }

  function announce({ family, prefixes }: Prefixes, given: PathAttributes): void {
    const attributes = up && acceptable(given, up.session, up.localAs);
    for (const prefix of prefixes) {
      if (maxPrefixes !== undefined) told[family].add(prefix);
      const route = attributes && { prefix, family, attributes };
      if (route !== undefined && importFilter?.(route) === true) {
        kept.set(prefix, { ...route, isStale: false });
      } else {
        kept.delete(prefix);
      }
    }
  }

  function dropStale(families: readonly Family[]): void {
    for (const [prefix, { isStale, family }] of kept) {
      if (isStale && families.includes(family)) kept.delete(prefix);
    }
  }

  return {
    begin: (session, localAs) => {
      up = { session, localAs };
      received = NOTHING;
      const forwarding = session.peerRestart?.forwarding ?? [];
      dropStale((["ipv4", "ipv6"] as const).filter(family => !forwarding.includes(family)));
    },
    take: update => {
      const { announced, withdrawn } = routesOf(update);
      received = {
        updates: received.updates + 1,
        announced: received.announced + count(announced),
        withdrawn: received.withdrawn + count(withdrawn),
        faults: received.faults + update.faults.length,
      };
      withdrawn.forEach(withdraw);
      announced.forEach(part => {
        announce(part, update.attributes);
      });
      const end = endOfRibFamily(update);
      if (end !== undefined) dropStale([end]);
      const families = Object.keys(told) as Family[];
      return families.find(family => told[family].size > (maxPrefixes ?? Infinity));
    },
    end: isGraceful => {
      const restart = up?.session.peerRestart;
      up = undefined;
      Object.values(told).forEach(set => {
        set.clear();
      });
      if (!isGraceful || restart === undefined) {
        kept.clear();
        return undefined;
      }
      for (const [prefix, route] of kept) {
        // Whether it really went on forwarding, it says when it is back (RFC 4724 section 4.2).
        if (restart.families.includes(route.family)) kept.set(prefix, { ...route, isStale: true });
        else kept.delete(prefix);
      }
      return restart.restartTime;
    },
    expire: () => {
      dropStale(["ipv4", "ipv6"]);
    },
    received: () => received,
    *routes() {
      for (const { prefix, family, attributes } of kept.values()) {
        yield { prefix, family, attributes };
      }
    },
  };
}

function count(parts: readonly Prefixes[]): number {
  return parts.reduce((sum, { prefixes }) => sum + prefixes.length, 0);
}

/**
 * Attributes of a route that may be used: it has not been through our AS (RFC 4271 section 9.1.2),
 * and did not leak (RFC 9234 section 5), which is marked then for whoever gets it next.
 */
function acceptable(
  attributes: PathAttributes,
  { ownRole, peerAs }: Session,
  localAs: number,
): PathAttributes | undefined {
  const { asPath = [], onlyToCustomer } = attributes;
  if (asPath.some(({ ases }) => ases.includes(localAs))) return undefined;
  const isFromBelow = ownRole === Role.Provider || ownRole === Role.RouteServer;
  const isFromPeer = ownRole === Role.Peer;
  if (onlyToCustomer !== undefined) {
    return isFromBelow || (isFromPeer && onlyToCustomer !== peerAs) ? undefined : attributes;
  }
  return ownRole === undefined || isFromBelow
    ? attributes
    : { ...attributes, onlyToCustomer: peerAs };
}
