/** What a BGPPeer means to bgp-ts. Pure. */
import type { PeerOptions } from "../../bgp/index";
import type { BgpPeer } from "../../config/bgp/peer";
import type { NodeFacts } from "../facts";
import { nextHopsOf, routerIdFor } from "./identity";

/** All that a session depends on: another value of this is another session. */
export type SessionTerms = {
  readonly identity: { readonly as: number; readonly routerId: string };
  readonly options: PeerOptions;
};

/** How a session begins; other values of these are no reason to end it. */
export type Beginning = {
  /** Seconds to wait before the router is called. */
  readonly idleHoldTime: number;
  /** An earlier run of the announcer may have had a session with that router. */
  readonly isRestarting: boolean;
};

/** For how long a router keeps the routes of an announcer that restarts, seconds: FRR's default, so MetalLB's. */
const RESTART_SECONDS = 120;

export function termsOf(peer: BgpPeer, me: NodeFacts): SessionTerms {
  const { localAsn, sourceAddress, bfd, vrf, interface: link } = peer;
  return {
    identity: { as: peer.myAsn, routerId: routerIdFor(peer, me) },
    options: {
      ...(link === undefined ? { address: peer.address } : { interface: link }),
      ...(vrf === undefined ? {} : { device: vrf }),
      port: peer.port,
      as: peer.peerAsn,
      holdTime: peer.holdTime,
      families: peer.families,
      ...(peer.isMultihop ? { multihop: 255 } : {}),
      // Where the router is found on a link, both families take our link-local address.
      nextHops: link === undefined ? otherNextHops(peer, me) : {},
      ...(localAsn === undefined ? {} : { localAs: localAsn }),
      ...(sourceAddress === undefined ? {} : { localAddress: sourceAddress }),
      ...(peer.password === undefined ? {} : { password: peer.password }),
      ...(peer.hasGracefulRestart ? { gracefulRestart: restart(false) } : {}),
      // Its timers change while it runs.
      ...(bfd && { bfd: pathOf(bfd) }),
    },
  };
}

/** The same, with what may differ while the session goes on. */
export function optionsFor(
  { options }: SessionTerms,
  { connectTime, bfd }: BgpPeer,
  { idleHoldTime, isRestarting }: Beginning,
): PeerOptions {
  return {
    ...options,
    idleHoldTime,
    ...(options.gracefulRestart && { gracefulRestart: restart(isRestarting) }),
    ...(bfd && { bfd }),
    ...(connectTime === undefined
      ? {}
      : { retryTime: Math.min(1, connectTime), maxRetryTime: connectTime }),
  };
}

/**
 * kube-proxy's rules are the kernel's, so packets find their way while the announcer is away. Without the N bit
 * (RFC 8538) a node that dies costs the hold time and not the restart time, too.
 */
function restart(isRestarting: boolean): NonNullable<PeerOptions["gracefulRestart"]> {
  const isForwarding = true;
  return { restartTime: RESTART_SECONDS, isRestarting, isForwarding, hasNotification: false };
}

/** Why an attempt failed, with what MetalLB's native mode did not ask for. */
export function explained(peer: BgpPeer, reason: string): string {
  const { peerAsn, myAsn, localAsn = myAsn, isMultihop, interface: link } = peer;
  const isInternal = peerAsn === "internal" || peerAsn === localAsn;
  const isLost = /EHOSTUNREACH|no answer within/.test(reason);
  if (!isLost || isInternal || isMultihop || link !== undefined) return reason;
  return `${reason}; a router of another AS that is not on a network of the node needs ebgpMultiHop: true`;
}

type Watched = NonNullable<BgpPeer["bfd"]>;

function pathOf({ isMultihop, minimumTtl }: Watched): Pick<Watched, "isMultihop" | "minimumTtl"> {
  return { isMultihop, ...(minimumTtl === undefined ? {} : { minimumTtl }) };
}

/** The session's own family takes the address that the session is on. */
function otherNextHops({ address }: BgpPeer, me: NodeFacts): ReturnType<typeof nextHopsOf> {
  const { ipv4, ipv6 } = nextHopsOf(me);
  if (address.includes(":")) return ipv4 === undefined ? {} : { ipv4 };
  return ipv6 === undefined ? {} : { ipv6 };
}
