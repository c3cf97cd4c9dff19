import { once } from "node:events";
import type { Server, Socket } from "node:net";
import { attributeSet } from "./attribute-set";
import type { Egress, RouteAttributes } from "./attribute-set";
import type { Bfd, BfdStatus } from "./bfd/bfd";
import { guardSession } from "./bfd/guard";
import type { PeerBfd } from "./bfd/guard";
import type { BfdTimers } from "./bfd/options";
import { startBfd } from "./bfd/thread";
import type { FsmSettings, StateName } from "./fsm-types";
import type { Offer, Session } from "./negotiation";
import { createSession } from "./session";
import type { PeerSession, Received, SessionChange } from "./session";
import { tcp } from "./transport";
import type { ListenAddress, Transport } from "./transport";
import { addressBytes, familyOf, formatAddress } from "./wire/address";
import { createReader } from "./wire/bytes";
import { Cease } from "./wire/codes";
import { shutdownNotification } from "./wire/notification";
import type { Notification } from "./wire/notification";
import { canonicalPrefix } from "./wire/prefix";

export type SpeakerOptions = {
  /** Our AS number, 1 to 2^32 - 1. */
  readonly as: number;
  /** BGP Identifier in the form of an IPv4 address, not 0.0.0.0. */
  readonly routerId: string;
  /** Without it nobody can connect to us. */
  readonly listen?: ListenAddress;
  /** TCP of Node.js unless it is said otherwise. */
  readonly transport?: Transport;
  /** Shared by several speakers; otherwise the first peer with `bfd` starts one, with its thread. */
  readonly bfd?: Bfd;
  /** From [0, 1), for the jitter of timers. */
  readonly random?: () => number;
};

/** A router to talk to. All times are seconds. */
export type PeerOptions = Partial<
  Pick<Offer, "families" | "ipv4OverIpv6" | "gracefulRestart" | "role">
> & {
  readonly address: string;
  /** A number, or whether it is our own AS. */
  readonly as: Offer["peerAs"];
  /** 179 unless it is said otherwise. */
  readonly port?: number;
  /** Another AS number for us towards this peer. */
  readonly localAs?: number;
  readonly localAddress?: string;
  /** 0 or at least 3; 90 unless it is said otherwise. */
  readonly holdTime?: number;
  /** Never dials. */
  readonly isPassive?: boolean;
  /** The first wait after a failure, doubled each time: 1. */
  readonly retryTime?: number;
  /** The longest one: 120. */
  readonly maxRetryTime?: number;
  /** How long to wait for the peer's OPEN before sending ours: 0. */
  readonly openDelay?: number;
  /** How long the peer may read nothing: 480, and at least twice the hold time (RFC 9687). */
  readonly sendHoldTime?: number;
  /** Addresses to send packets to, where those of the session will not do. */
  readonly nextHops?: Egress["nextHops"];
  /** Watches the peer by BFD: the session ends as soon as that is down. */
  readonly bfd?: PeerBfd;
  /** Called when the session comes up, goes away, or an attempt has failed. */
  readonly onChange?: (change: SessionChange) => void;
};

/** What can be done with a peer. */
export type Peer = {
  /**
   * Announces prefixes, now and whenever the session is up. What was said of them before is replaced;
   * what is the same is not sent again. All calls in one turn of the event loop go out together.
   * @throws RangeError that quotes a prefix or an attribute that is none.
   */
  announce(prefixes: Iterable<string>, attributes?: RouteAttributes): void;
  withdraw(prefixes: Iterable<string>): void;
  /** Prefixes that are announced, or will be once the session is up. */
  prefixes(): Iterable<string>;
  status(): PeerStatus;
  /** Other timers of BFD, of which the peer is told while it stays up. Nothing for a peer without BFD. */
  configureBfd(timers: BfdTimers): void;
  /** Ends the session for this reason and begins again. */
  reset(notification: Notification, reason: string): void;
  /** Tells the peer why, and stops for good. */
  stop(reason?: string): void;
};

export type PeerStatus = {
  readonly state: StateName;
  readonly session: Session | undefined;
  readonly received: Received;
  /** Why the last session ended or the last attempt failed. */
  readonly lastError: string | undefined;
  /** Undefined for a peer without, and before the session was up for the first time. */
  readonly bfd: BfdStatus | undefined;
};

export type Speaker = {
  /** @throws RangeError if an option is out of its range. */
  addPeer(options: PeerOptions): Peer;
  /** Resolves when connections are accepted, at once without `listen`. */
  listening(): Promise<void>;
  /** Stops all peers and listens no more. */
  stop(reason?: string): Promise<void>;
};

/** A BGP speaker that announces prefixes. It takes routes from nobody: they are counted. */
export function createSpeaker(options: SpeakerOptions): Speaker {
  const transport = options.transport ?? tcp;
  const peers = new Map<Peer, { readonly address: string; readonly session: PeerSession }>();
  let ownBfd: Bfd | undefined;
  const closing = new Set<Promise<void>>();
  const server = options.listen && transport.listen(options.listen, accept);

  function accept(socket: Socket): void {
    const from = plainAddress(socket.remoteAddress);
    const candidates = [...peers.values()].filter(({ address }) => address === from);
    const waiting = candidates.find(({ session }) => session.session() === undefined);
    const peer = waiting ?? candidates[0];
    if (peer === undefined) {
      socket.destroy();
    } else {
      peer.session.accept(socket);
    }
  }

  function addPeer(peer: PeerOptions): Peer {
    const address = formatAddress(addressBytes(peer.address));
    let lastError: string | undefined;
    const session = createSession(settingsOf(options, peer), {
      dial: () =>
        transport.dial({
          address,
          port: peer.port ?? BGP_PORT,
          ...(peer.localAddress !== undefined && { localAddress: peer.localAddress }),
        }),
      random: options.random ?? Math.random,
      nextHops: socket => ({ ...ownAddresses(socket), ...peer.nextHops }),
      changed: change => {
        if (change.type === "down") lastError = change.reason;
        else guard?.established();
        peer.onChange?.(change);
      },
    });
    const guard =
      peer.bfd &&
      guardSession(
        options.bfd ?? (ownBfd ??= startBfd()),
        {
          ...peer.bfd,
          address,
          ...(peer.localAddress !== undefined && { localAddress: peer.localAddress }),
        },
        session,
        1_000 * (peer.holdTime || defaults.holdTime),
      );
    if (!guard) session.start();
    const handle: Peer = {
      announce: (prefixes, attributes = {}) => {
        session.announce([...prefixes].map(canonicalPrefix), attributeSet(attributes));
      },
      withdraw: prefixes => {
        session.withdraw([...prefixes].map(canonicalPrefix));
      },
      prefixes: () => session.prefixes(),
      status: () => ({
        state: session.state(),
        session: session.session(),
        received: session.received(),
        lastError,
        bfd: guard?.status(),
      }),
      configureBfd: timers => {
        guard?.configure(timers);
      },
      reset: (notification, reason) => {
        session.reset(notification, reason);
      },
      stop: (reason = "") => {
        peers.delete(handle);
        if (guard) {
          const closed = guard.close().finally(() => closing.delete(closed));
          closing.add(closed);
        }
        session.stop(shutdownNotification(Cease.AdministrativeShutdown, reason));
      },
    };
    peers.set(handle, { address, session });
    return handle;
  }

  return {
    addPeer,
    listening: async () => {
      if (server?.listening === false) await once(server, "listening");
    },
    stop: async reason => {
      [...peers.keys()].forEach(peer => {
        peer.stop(reason);
      });
      await Promise.all([closed(server), ...closing]);
      await ownBfd?.stop();
    },
  };
}

const BGP_PORT = 179;

async function closed(server: Server | undefined): Promise<void> {
  if (server !== undefined) {
    const end = once(server, "close");
    server.close();
    await end;
  }
}

const defaults = {
  families: ["ipv4", "ipv6"],
  holdTime: 90,
  isPassive: false,
  retryTime: 1,
  maxRetryTime: 120,
  openDelay: 0,
  /** RFC 9687 section 5. */
  sendHoldTime: 480,
} as const;

/** A SYN that was lost must not cost half a minute. */
const DIAL_MS = 5_000;

function settingsOf(speaker: SpeakerOptions, options: PeerOptions): FsmSettings {
  const peer = { ...defaults, localAs: speaker.as, ...options };
  const { holdTime, retryTime, maxRetryTime, localAs } = peer;
  check("holdTime", holdTime, holdTime === 0 || (holdTime >= 3 && holdTime <= 0xffff));
  check("retryTime", retryTime, retryTime > 0 && retryTime <= maxRetryTime);
  check("as", localAs, Number.isInteger(localAs) && localAs > 0 && localAs <= 0xffff_ffff);
  return {
    offer: offerOf(speaker, peer),
    isPassive: peer.isPassive,
    retry: { minMs: 1_000 * retryTime, maxMs: 1_000 * maxRetryTime },
    dialMs: DIAL_MS,
    openDelayMs: 1_000 * peer.openDelay,
    sendHoldMs: 1_000 * peer.sendHoldTime,
  };
}

function offerOf(
  speaker: SpeakerOptions,
  peer: PeerOptions & Pick<Offer, "localAs" | "holdTime" | "families">,
): Offer {
  const { localAs, holdTime, families, ipv4OverIpv6, gracefulRestart, role } = peer;
  return {
    localAs,
    peerAs: peer.as,
    identifier: identifierOf(speaker.routerId),
    holdTime,
    families,
    ...(ipv4OverIpv6 !== undefined && { ipv4OverIpv6 }),
    ...(gracefulRestart !== undefined && { gracefulRestart }),
    ...(role !== undefined && { role }),
  };
}

function check(name: string, value: number, isValid: boolean): void {
  if (!isValid) {
    throw new RangeError(`${name} ${value} is out of its range`);
  }
}

function identifierOf(routerId: string): number {
  const identifier = createReader(addressBytes(routerId)).u32() ?? 0;
  if (familyOf(routerId) !== "ipv4" || identifier === 0) {
    throw new RangeError(`routerId "${routerId}" is no IPv4 address other than 0.0.0.0`);
  }
  return identifier;
}

/** Without the zone of a link-local address, and IPv4 as such where the socket is IPv6's. */
function plainAddress(address: string | undefined): string | undefined {
  return address?.replace(/%.*$/, "").replace(/^::ffff:(?=\d+\.)/, "");
}

function ownAddresses(socket: Socket): Egress["nextHops"] {
  const address = plainAddress(socket.localAddress);
  if (address === undefined) {
    return {};
  }
  if (familyOf(address) === "ipv4") {
    return { ipv4: address };
  }
  return address.startsWith("fe80:") ? { linkLocal: address } : { ipv6: address };
}
