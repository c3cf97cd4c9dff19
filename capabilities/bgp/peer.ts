import type { Socket } from "node:net";
import { attributeSet } from "./attribute-set";
import type { Egress, RouteAttributes } from "./attribute-set";
import type { Bfd, BfdStatus } from "./bfd/bfd";
import { guardSession } from "./bfd/guard";
import type { Guard, PeerBfd } from "./bfd/guard";
import type { BfdOptions, BfdTimers } from "./bfd/options";
import type { StateName } from "./fsm-types";
import type { Traffic } from "./message-counts";
import type { Session } from "./negotiation";
import { settingsOf, socketOptionsOf } from "./peer-options";
import type { Identity, PeerOptions } from "./peer-options";
import { createSession } from "./session";
import type { Received, ReceivedRoute } from "./intake";
import { plainAddress, splitZone } from "./transport/socket-address";
import type { Transport } from "./transport/transport";
import type { Discover, Search } from "./unnumbered/discovery";
import { addressBytes, familyOf, formatAddress } from "./wire/address";
import { Cease, ErrorCode } from "./wire/codes";
import { notificationOf, shutdownNotification } from "./wire/notification";
import type { Notification } from "./wire/notification";
import { canonicalPrefix } from "./wire/prefix";

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
  /** How many prefixes the peer is yet to be told of, or that they are gone. */
  pending(): number;
  status(): PeerStatus;
  /** Other timers of BFD, of which the peer is told while it stays up. Nothing for a peer without BFD. */
  configureBfd(timers: BfdTimers): void;
  /** Ends the session for this reason and begins again. */
  reset(notification: Notification, reason: string): void;
  /** Routes that the peer announced and the import filter let in. */
  routes(): Iterable<ReceivedRoute>;
  /** All has been announced that there is after a restart: what the peer kept beyond it is to go. */
  complete(): void;
  /** Tells the peer why, and stops for good. Resolves when the connection is closed. */
  stop(how?: string | StopOptions): Promise<void>;
};

/** How to stop. A text is the reason. */
export type StopOptions = {
  /** For the peer's operator (RFC 9003). */
  readonly reason?: string;
  /** A Cease of RFC 4486: AdministrativeShutdown unless it is said otherwise. */
  readonly subcode?: number;
  /**
   * Seconds for which routes are the last choice before they are taken back (RFC 8326), so that
   * others can take over: 0.
   */
  readonly drainTime?: number;
  /**
   * We come back soon and the peer is to keep our routes: says nothing, if both sides know graceful
   * restart (RFC 4724); without it this changes nothing.
   */
  readonly isRestart?: boolean;
};

export type PeerStatus = {
  readonly state: StateName;
  /** Of the peer; undefined for one that has not been found on its interface yet. */
  readonly address: string | undefined;
  readonly session: Session | undefined;
  readonly received: Received;
  /** Messages by type, since the peer was added. */
  readonly traffic: Traffic;
  /** Why the last session ended or the last attempt failed. */
  readonly lastError: string | undefined;
  /** Undefined for a peer without, and before the session was up for the first time. */
  readonly bfd: BfdStatus | undefined;
};

/** A peer as the speaker sees it. */
export type RunningPeer = {
  readonly peer: Peer;
  /** Whether a connection from there to here may be this peer's. */
  isAt(remote: string, local: string): boolean;
  accept(socket: Socket): void;
};

/** What a peer needs of its speaker and of the world. */
export type PeerEnvironment = {
  readonly identity: Identity;
  readonly transport: Transport;
  readonly discover: Discover;
  bfd(): Bfd;
  readonly random: () => number;
  /** It is no more. */
  stopped(peer: Peer): void;
};

const BGP_PORT = 179;

/** Whom BFD is to watch. */
function watchOf(
  { bfd, localAddress, device, interface: name }: PeerOptions,
  address: string,
): BfdOptions & PeerBfd {
  const [host, zone = device ?? name] = splitZone(address);
  return {
    ...bfd,
    address: host,
    ...(localAddress !== undefined && { localAddress }),
    ...(zone !== undefined && { device: zone }),
  };
}

/** @throws RangeError if an option is out of its range */
export function createPeer(options: PeerOptions, environment: PeerEnvironment): RunningPeer {
  const { identity, transport } = environment;
  const socketOptions = socketOptionsOf(identity, options);
  let address = configuredAddress(options);
  let lastError: string | undefined;
  let search: Search | undefined;
  let guard: Guard | undefined;
  let endDrain: (() => void) | undefined;
  const { importFilter, maxPrefixes, gracefulRestart } = options;
  const isRestarting = gracefulRestart?.isRestarting === true;

  const session = createSession(settingsOf(identity, options), {
    dial: () =>
      transport.dial({
        address: address ?? "",
        port: options.port ?? BGP_PORT,
        ...(options.localAddress !== undefined && { localAddress: options.localAddress }),
        options: socketOptions,
      }),
    random: environment.random,
    intake: { importFilter, maxPrefixes },
    deferralMs: isRestarting ? 1_000 * (options.deferralTime ?? 0) : 0,
    nextHops: socket => ({ ...ownAddresses(socket), ...options.nextHops }),
    changed: change => {
      if (change.type === "down") lastError = change.reason;
      else guard?.established();
      options.onChange?.(change);
    },
  });

  const peer: Peer = {
    announce: (prefixes, attributes = {}) => {
      session.announce([...prefixes].map(canonicalPrefix), attributeSet(attributes));
    },
    withdraw: prefixes => {
      session.withdraw([...prefixes].map(canonicalPrefix));
    },
    prefixes: () => session.prefixes(),
    pending: () => session.pending(),
    status: () => ({
      state: session.state(),
      address,
      session: session.session(),
      received: session.received(),
      traffic: session.traffic(),
      lastError,
      bfd: guard?.status(),
    }),
    configureBfd: timers => {
      guard?.configure(timers);
    },
    reset: (notification, reason) => {
      session.reset(notification, reason);
    },
    routes: () => session.routes(),
    complete: () => {
      session.complete();
    },
    stop: async how => {
      const stop = typeof how === "string" ? { reason: how } : (how ?? {});
      search?.stop();
      if (isKept(stop)) {
        environment.stopped(peer);
        await Promise.all([guard?.close(), session.stop()]);
        return;
      }
      await drain(stop.drainTime ?? 0);
      environment.stopped(peer);
      await Promise.all([guard?.close(), session.stop(lastWords(stop))]);
    },
  };

  function isKept({ isRestart }: StopOptions): boolean {
    const agreed = gracefulRestart !== undefined && session.session()?.canPeerRestart === true;
    return isRestart === true && agreed;
  }

  /** Ends early when it is to stop once more. */
  async function drain(seconds: number): Promise<void> {
    endDrain?.();
    if (seconds === 0 || session.session() === undefined) return;
    session.drain();
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, 1_000 * seconds);
      endDrain = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** The first one that is found; another when the session with that one is gone. */
  function found(neighbour: string): void {
    if (session.session() === undefined && address !== neighbour) {
      void guard?.close();
      guard = undefined;
      address = neighbour;
    }
    begin();
  }

  /** With BFD it is BFD that says when the session may be. */
  function begin(): void {
    if (options.bfd === undefined || address === undefined) {
      session.start();
      return;
    }
    const guarded = {
      start: () => {
        session.start();
      },
      stop: (notification: Notification, reason: string) => void session.stop(notification, reason),
    };
    guard ??= guardSession(environment.bfd(), watchOf(options, address), guarded);
  }

  function accept(socket: Socket): void {
    try {
      transport.adopt(socket, socketOptions);
    } catch (error) {
      lastError = (error as Error).message;
      socket.destroy();
      return;
    }
    if (options.interface !== undefined) found(socket.remoteAddress ?? "");
    session.accept(socket);
  }

  if (options.interface === undefined) {
    begin();
  } else {
    search = environment.discover(options.interface, found, error => {
      lastError = error.message;
    });
  }

  return {
    peer,
    accept,
    isAt: (remote, local) => isAt(options, address, remote, local),
  };
}

function lastWords({ reason = "", subcode }: StopOptions): Notification {
  if (subcode === undefined || subcode === Cease.AdministrativeShutdown) {
    return shutdownNotification(Cease.AdministrativeShutdown, reason);
  }
  return subcode === Cease.AdministrativeReset
    ? shutdownNotification(Cease.AdministrativeReset, reason)
    : notificationOf({ code: ErrorCode.Cease, subcode, data: new Uint8Array() });
}

/** The text of an address in one form, with its zone. */
function configuredAddress(options: PeerOptions): string | undefined {
  if ((options.address === undefined) === (options.interface === undefined)) {
    throw new RangeError("a peer has an address or an interface, and not both");
  }
  if (options.address === undefined) return undefined;
  const [host, zone] = splitZone(options.address);
  const text = formatAddress(addressBytes(host));
  return zone === undefined ? text : `${text}%${zone}`;
}

function isAt(
  { interface: name, localAddress }: PeerOptions,
  address: string | undefined,
  remote: string,
  local: string,
): boolean {
  const [host, zone] = splitZone(remote);
  if (name !== undefined) return zone === name && host.startsWith("fe80:");
  const [expected, expectedZone] = splitZone(address ?? "");
  return (
    expected === plainAddress(host) &&
    (expectedZone === undefined || expectedZone === zone) &&
    (localAddress === undefined || plainAddress(localAddress) === plainAddress(local))
  );
}

function ownAddresses(socket: Socket): Egress["nextHops"] {
  if (socket.localAddress === undefined) {
    return {};
  }
  const address = plainAddress(socket.localAddress);
  if (familyOf(address) === "ipv4") {
    return { ipv4: address };
  }
  return address.startsWith("fe80:") ? { linkLocal: address } : { ipv6: address };
}
