import type { Socket } from "node:net";
import type { Bfd } from "./bfd/bfd";
import { startBfd } from "./bfd/thread";
import { createPeer } from "./peer";
import type { Peer, PeerEnvironment, RunningPeer, StopOptions } from "./peer";
import type { Identity, PeerOptions } from "./peer-options";
import { createRange } from "./range";
import type { PeerRange, RangeOptions, RunningRange } from "./range";
import { linuxTcp } from "./transport/linux-tcp";
import { plainTcp } from "./transport/plain-tcp";
import { splitZone } from "./transport/socket-address";
import type { ListenAddress, Transport } from "./transport/transport";
import { discoverByAdvertisement } from "./unnumbered/discovery";
import type { Discover } from "./unnumbered/discovery";
import { familyOf } from "./wire/address";

export type SpeakerOptions = Identity & {
  /** Without it nobody can connect to us. */
  readonly listen?: ListenAddress | readonly ListenAddress[];
  /** On Linux TCP with all options, elsewhere that of Node.js, unless it is said otherwise. */
  readonly transport?: Transport;
  /** How routers on an interface are found; by router advertisements unless it is said otherwise. */
  readonly discover?: Discover;
  /** Shared by several speakers; otherwise the first peer with `bfd` starts one, with its thread. */
  readonly bfd?: Bfd;
  /** From [0, 1), for the jitter of timers. */
  readonly random?: () => number;
};

export type Speaker = {
  /** @throws RangeError if an option is out of its range. */
  addPeer(options: PeerOptions): Peer;
  /**
   * Takes connections from routers that are not known one by one.
   * @throws RangeError if an option is out of its range.
   */
  addRange(options: RangeOptions): PeerRange;
  /** Resolves when connections are accepted, at once without `listen`; rejects if they cannot be. */
  listening(): Promise<void>;
  /** Stops all peers and listens no more. Resolves when all connections are closed. */
  stop(how?: string | StopOptions): Promise<void>;
};

/** A BGP speaker that announces prefixes. Of routes it takes what import filters let in. */
export function createSpeaker(options: SpeakerOptions): Speaker {
  const transport = options.transport ?? (process.platform === "linux" ? linuxTcp : plainTcp);
  const peers = new Map<Peer, RunningPeer>();
  const ranges = new Map<PeerRange, RunningRange>();
  let ownBfd: Bfd | undefined;
  const where = options.listen === undefined ? [] : [options.listen].flat();
  const listeners = where.map(address => ({
    family: familyOf(address.address),
    listener: transport.listen(address, accept),
  }));

  function accept(socket: Socket): void {
    const { remoteAddress: remote = "", localAddress: local = "" } = socket;
    const candidates = [...peers.values()].filter(peer => peer.isAt(remote, local));
    const waiting = candidates.find(({ peer }) => peer.status().session === undefined);
    const target =
      waiting ?? candidates[0] ?? [...ranges.values()].find(range => range.contains(remote));
    if (target === undefined) {
      socket.destroy();
    } else {
      target.accept(socket);
    }
  }

  /** Keys are the listeners' too, since signatures begin with the first segment. */
  function sign(from: string, password: string | undefined): void {
    listeners.forEach(({ family, listener }) => {
      if (family === "ipv6" || familyOf(from) === "ipv4") listener.setPassword(from, password);
    });
  }

  function environment<K>(
    running: Map<K, unknown>,
    from: string | undefined,
  ): Omit<PeerEnvironment, "stopped"> & { stopped(one: K): void } {
    return {
      identity: options,
      transport,
      discover: options.discover ?? discoverByAdvertisement,
      bfd: () => options.bfd ?? (ownBfd ??= startBfd()),
      random: options.random ?? Math.random,
      stopped: (one: K): void => {
        if (running.delete(one) && from !== undefined) sign(from, undefined);
      },
    };
  }

  return {
    addPeer: peer => {
      const signed = peer.password === undefined ? undefined : signedFrom(peer);
      const running = createPeer(peer, environment(peers, signed));
      if (signed !== undefined) sign(signed, peer.password);
      peers.set(running.peer, running);
      return running.peer;
    },
    addRange: range => {
      const signed = range.password === undefined ? undefined : range.prefix;
      const running = createRange(range, environment(ranges, signed));
      if (signed !== undefined) sign(signed, range.password);
      ranges.set(running.range, running);
      return running.range;
    },
    listening: async () => {
      await Promise.all(listeners.map(({ listener }) => listener.listening()));
    },
    stop: async how => {
      await Promise.all([...ranges.keys(), ...peers.keys()].map(one => one.stop(how)));
      await Promise.all(listeners.map(({ listener }) => listener.close()));
      await ownBfd?.stop();
    },
  };
}

/** Whose connections to us are to be signed; of an unnumbered peer, all link-local ones. */
function signedFrom(peer: PeerOptions): string {
  return peer.address === undefined ? "fe80::/10" : splitZone(peer.address)[0];
}
