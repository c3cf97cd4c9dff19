import type { Family } from "./wire/address";
import { afiOf, familyOfAfi } from "./wire/attributes/multiprotocol";
import { encodeCapability } from "./wire/capability";
import type { Capability } from "./wire/capability";
import { concat } from "./wire/bytes";
import { Afi, ErrorCode, OpenError, SAFI_UNICAST } from "./wire/codes";
import { asOf, shortAs } from "./wire/open";
import type { Open } from "./wire/open";
import { decoded, refused } from "./wire/result";
import type { Decoded } from "./wire/result";

/** What is offered to a peer, and asked of it. */
export type Offer = {
  readonly localAs: number;
  /** A number, or only whether it is our own AS. */
  readonly peerAs: number | "internal" | "external";
  /** Our BGP Identifier, unsigned 32 bits, not 0. */
  readonly identifier: number;
  /** Seconds: 0 (no keepalives) or 3–65535. */
  readonly holdTime: number;
  readonly families: readonly Family[];
  /** Offers IPv4 routes over IPv6 next hops (RFC 8950). */
  readonly ipv4OverIpv6?: boolean;
  /** Asks the peer to keep our routes while we restart (RFC 4724). */
  readonly gracefulRestart?: {
    /** Seconds, 0–4095. */
    readonly restartTime: number;
    /** We have just restarted: the R bit. */
    readonly isRestarting: boolean;
    /** Packets have found their way all the time: the F bit. */
    readonly isForwarding: boolean;
    /** Routes are also kept when the hold time ends, or after a NOTIFICATION: the N bit (RFC 8538). True if unsaid. */
    readonly hasNotification?: boolean;
  };
  /** Takes messages of up to 65535 octets (RFC 8654); ours are never longer than 4096. */
  readonly extendedMessages?: boolean;
  /** What we are to the peer (RFC 9234), by the number of the role. */
  readonly role?: { readonly own: number; readonly isRequired: boolean };
};

/** What both sides have agreed on. */
export type Session = {
  readonly peerAs: number;
  readonly peerIdentifier: number;
  /** The peer is in our own AS. */
  readonly isInternal: boolean;
  /** Seconds, the smaller of both; 0 for no keepalives. */
  readonly holdTime: number;
  readonly fourOctetAs: boolean;
  readonly families: readonly Family[];
  readonly hasEnhancedRefresh: boolean;
  readonly hasIpv4OverIpv6: boolean;
  /** The peer can restart without our dropping what it said. */
  readonly canPeerRestart: boolean;
  /** Both keep routes after a NOTIFICATION that is no hard reset (RFC 8538). */
  readonly hasRestartNotification: boolean;
  /** What the peer says of its own restarts (RFC 4724 section 3). */
  readonly peerRestart:
    | {
        /** Seconds to wait for its return. */
        readonly restartTime: number;
        /** Families whose routes are to be kept when it restarts. */
        readonly families: readonly Family[];
        /** Families for which it has gone on forwarding while it was away: the F bit. */
        readonly forwarding: readonly Family[];
      }
    | undefined;
  /** Messages may have up to 65535 octets (RFC 8654). */
  readonly hasExtendedMessages: boolean;
  /** What we are to the peer by RFC 9234, if that was told. */
  readonly ownRole: number | undefined;
};

/**
 * The OPEN that makes an offer.
 *
 * @param isPlain - without capabilities, for a peer that refused them (RFC 5492 section 3)
 * @param hasBeenUp - there was a session since we started, so we are not restarting any more
 */
export function openFor(offer: Offer, isPlain: boolean, hasBeenUp = false): Open {
  return {
    type: "open",
    myAs: shortAs(offer.localAs),
    holdTime: offer.holdTime,
    identifier: offer.identifier,
    capabilities: isPlain ? [] : capabilitiesOf(offer, hasBeenUp),
  };
}

function capabilitiesOf(offer: Offer, hasBeenUp: boolean): readonly Capability[] {
  const { families, gracefulRestart, role } = offer;
  const unicast = families.map(family => ({ afi: afiOf(family), safi: SAFI_UNICAST }));
  return [
    ...unicast.map(family => ({ kind: "multiprotocol" as const, ...family })),
    { kind: "routeRefresh" },
    ...(offer.ipv4OverIpv6 === true ? [IPV4_OVER_IPV6] : []),
    ...(offer.extendedMessages === true ? [{ kind: "extendedMessage" as const }] : []),
    ...(role === undefined ? [] : [{ kind: "role" as const, role: role.own }]),
    ...(gracefulRestart === undefined
      ? []
      : [
          {
            kind: "gracefulRestart" as const,
            isRestarting: gracefulRestart.isRestarting && !hasBeenUp,
            hasNotification: gracefulRestart.hasNotification ?? true,
            restartTime: gracefulRestart.restartTime,
            families: unicast.map(family => ({
              ...family,
              isForwarding: gracefulRestart.isForwarding,
            })),
          },
        ]),
    { kind: "fourOctetAs", as: offer.localAs },
    { kind: "enhancedRouteRefresh" },
  ];
}

const IPV4_OVER_IPV6: Capability = {
  kind: "extendedNextHop",
  families: [{ afi: Afi.Ipv4, safi: SAFI_UNICAST, nextHopAfi: Afi.Ipv6 }],
};

/**
 * Compares the peer's OPEN with our offer. The error is the NOTIFICATION that a peer deserves with
 * which there can be no session (RFC 4271 section 6.2).
 */
export function negotiate(offer: Offer, isPlain: boolean, theirs: Open): Decoded<Session> {
  const peerAs = asOf(theirs);
  const isInternal = peerAs === offer.localAs;
  const families = commonFamilies(offer, isPlain, theirs);
  const problem =
    checkAs(offer, peerAs) ??
    checkIdentifier(offer, theirs, isInternal) ??
    checkFamilies(offer, families) ??
    checkRole(offer, theirs, isInternal);
  if (problem !== undefined) {
    return problem;
  }
  return decoded(
    sessionOf(offer, isPlain ? { ...theirs, capabilities: [] } : theirs, {
      peerAs,
      isInternal,
      families,
      ownRole: isPlain || isInternal ? undefined : offer.role?.own,
    }),
  );
}

/** What the capabilities of both make of a session. */
function sessionOf(
  offer: Offer,
  theirs: Open,
  known: Pick<Session, "peerAs" | "isInternal" | "families" | "ownRole">,
): Session {
  const restart = capability(theirs, "gracefulRestart");
  const has = (kind: Capability["kind"]): boolean => capability(theirs, kind) !== undefined;
  return {
    ...known,
    peerIdentifier: theirs.identifier,
    holdTime: Math.min(offer.holdTime, theirs.holdTime),
    fourOctetAs: has("fourOctetAs"),
    hasEnhancedRefresh: has("enhancedRouteRefresh"),
    hasIpv4OverIpv6: offer.ipv4OverIpv6 === true && takesIpv4OverIpv6(theirs),
    canPeerRestart: restart !== undefined,
    hasRestartNotification:
      offer.gracefulRestart !== undefined &&
      offer.gracefulRestart.hasNotification !== false &&
      restart?.hasNotification === true,
    peerRestart: peerRestartOf(restart),
    hasExtendedMessages: offer.extendedMessages === true && has("extendedMessage"),
  };
}

function peerRestartOf(
  restart: Extract<Capability, { kind: "gracefulRestart" }> | undefined,
): Session["peerRestart"] {
  if (restart === undefined) return undefined;
  const known = restart.families.flatMap(({ afi, safi, isForwarding }) => {
    const family = familyOfAfi(afi, safi);
    return family === undefined ? [] : [{ family, isForwarding }];
  });
  return {
    restartTime: restart.restartTime,
    families: known.map(({ family }) => family),
    forwarding: known.flatMap(({ family, isForwarding }) => (isForwarding ? family : [])),
  };
}

function capability<K extends Capability["kind"]>(
  { capabilities }: Open,
  kind: K,
): Extract<Capability, { kind: K }> | undefined {
  return capabilities.find((one): one is Extract<Capability, { kind: K }> => one.kind === kind);
}

/** Who says nothing of families means IPv4 unicast (RFC 4760 section 8). */
function commonFamilies(offer: Offer, isPlain: boolean, theirs: Open): readonly Family[] {
  const named = theirs.capabilities.flatMap(one =>
    one.kind === "multiprotocol" ? [familyOfAfi(one.afi, one.safi)] : [],
  );
  const understood = named.length === 0 ? ["ipv4"] : named;
  return offer.families.filter(
    family => understood.includes(family) && (!isPlain || family === "ipv4"),
  );
}

function takesIpv4OverIpv6(theirs: Open): boolean {
  return theirs.capabilities.some(
    one =>
      one.kind === "extendedNextHop" &&
      one.families.some(
        ({ afi, safi, nextHopAfi }) =>
          afi === Afi.Ipv4 && safi === SAFI_UNICAST && nextHopAfi === Afi.Ipv6,
      ),
  );
}

function checkAs(offer: Offer, peerAs: number): Decoded<never> | undefined {
  const { peerAs: expected, localAs } = offer;
  const isExpected =
    typeof expected === "number"
      ? peerAs === expected
      : (peerAs === localAs) === (expected === "internal");
  const reason = `the peer's AS number is ${peerAs}, expected ${expected}`;
  return isExpected ? undefined : openError(OpenError.BadPeerAs, reason);
}

/** RFC 6286 section 2.2: within an AS they are unique. */
function checkIdentifier(
  offer: Offer,
  theirs: Open,
  isInternal: boolean,
): Decoded<never> | undefined {
  return isInternal && theirs.identifier === offer.identifier
    ? openError(OpenError.BadIdentifier, "the peer has our own BGP Identifier")
    : undefined;
}

/** RFC 5492 section 5: the data are the capabilities that we cannot do without. */
function checkFamilies(offer: Offer, common: readonly Family[]): Decoded<never> | undefined {
  const data = concat(
    ...offer.families.map(family =>
      encodeCapability({ kind: "multiprotocol", afi: afiOf(family), safi: SAFI_UNICAST }),
    ),
  );
  const reason = `the peer takes none of ${offer.families.join(", ")}`;
  return common.length === 0 ? openError(OpenError.UnsupportedCapability, reason, data) : undefined;
}

/** What each role must meet (RFC 9234 section 4.2): provider–customer, route server–client, peers. */
const counterparts = [3, 2, 1, 0, 4];

function checkRole(offer: Offer, theirs: Open, isInternal: boolean): Decoded<never> | undefined {
  const roles = theirs.capabilities.flatMap(one => (one.kind === "role" ? [one.role] : []));
  const { role } = offer;
  if (role === undefined || isInternal || (roles.length === 0 && !role.isRequired)) {
    return undefined;
  }
  const expected = counterparts[role.own];
  const isMatch = roles.length > 0 && roles.every(one => one === expected);
  const reason = `the peer's role is ${roles.join(", ") || "not told"}, expected ${expected ?? "none"}`;
  return isMatch ? undefined : openError(OpenError.RoleMismatch, reason);
}

function openError(subcode: number, reason: string, data?: Uint8Array): Decoded<never> {
  return refused(ErrorCode.OpenMessage, subcode, reason, data);
}
