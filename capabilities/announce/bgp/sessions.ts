import { createSpeaker, startBfd } from "../../bgp/index";
import type {
  Bfd,
  Peer,
  PeerOptions,
  PeerStatus,
  RouteAttributes,
  SessionChange,
  Speaker,
  Transport,
} from "../../bgp/index";
import type { BgpPeer } from "../../config/bgp/peer";
import type { Log } from "../../kube/log";
import type { NodeFacts } from "../facts";
import { nextHopsOf, routerIdFor } from "./identity";
import type { Routes, WantedPeer } from "./routes";

/** How a session is, for metrics and statuses. */
export type SessionReport = {
  /** Name of the BGPPeer. */
  readonly name: string;
  /** ADDRESS:PORT of the router, by which MetalLB's metrics know it. */
  readonly peer: string;
  readonly isUp: boolean;
  readonly prefixes: number;
  /** When the session came up or went down last, ms since 1970; undefined before it was ever up. */
  readonly changedAt: number | undefined;
  readonly status: PeerStatus;
};

/** Something that happened to a session; told once. */
export type SessionNews = { readonly peer: string; readonly change: SessionChange };

/** The BGP sessions of this node. */
export type BgpSessions = {
  /** Makes sessions and routes what is wanted; touches nothing else. */
  apply(wanted: readonly WantedPeer[], me: NodeFacts | undefined): void;
  reports(): readonly SessionReport[];
  /** Tells all peers why, and ends. */
  stop(reason: string): Promise<void>;
};

type Running = {
  readonly settings: string;
  /** What does not matter before the session is down. */
  readonly waits: number | undefined;
  readonly title: string;
  readonly speaker: Speaker;
  readonly peer: Peer;
  /** What was announced, with the attributes as text. */
  readonly announced: Map<string, string>;
  /** BFD's timers, as text. */
  timers: string;
  changedAt: number | undefined;
};

export type SessionsOptions = {
  readonly log: Log;
  /** Makes TCP connections that are signed with a password. */
  readonly signed: (password: string) => Transport;
  /** Begins BFD for all sessions, when the first one is to be watched. */
  readonly watch?: () => Bfd;
  /** Called when a session came up or went down, or an attempt failed. */
  readonly onNews?: (news: SessionNews) => void;
};

export function createSessions(options: SessionsOptions): BgpSessions {
  const { log, signed, onNews, watch = startBfd } = options;
  let bfd: Bfd | undefined;
  const running = new Map<string, Running>();
  const ending = new Set<Promise<void>>();

  function end(name: string, reason: string): void {
    const one = running.get(name);
    if (!one) return;
    running.delete(name);
    const ended = one.speaker.stop(reason).finally(() => ending.delete(ended));
    ending.add(ended);
    log.info({ peer: name, reason }, "BGP session is ended");
  }

  function begin(peer: BgpPeer, me: NodeFacts, settings: string): Running {
    const speaker = createSpeaker({
      ...{ as: peer.myAsn, routerId: routerIdFor(peer, me) },
      ...(peer.password === undefined ? {} : { transport: signed(peer.password) }),
      ...(peer.bfd && { bfd: (bfd ??= watch()) }),
    });
    const onChange = (change: SessionChange): void => {
      // What is ended on purpose is told where that is decided.
      if (running.get(peer.name) !== one) return;
      const isChange = change.type === "up" || change.wasUp;
      if (isChange) one.changedAt = Date.now();
      onNews?.({ peer: peer.name, change });
    };
    const handle = speaker.addPeer({ ...optionsOf(peer, me), onChange });
    const title = `${peer.address}:${peer.port}`;
    const known = { settings, title, speaker, peer: handle, waits: peer.connectTime };
    const one: Running = {
      ...known,
      announced: new Map(),
      changedAt: undefined,
      timers: timersOf(peer),
    };
    return one;
  }

  return {
    apply: (wanted, me) => {
      const names = new Set(wanted.map(({ peer }) => peer.name));
      [...running.keys()]
        .filter(name => !names.has(name))
        .forEach(name => {
          end(name, "no BGPPeer for this node any more");
        });
      if (!me) return;
      for (const { peer, routes } of wanted) {
        const own = [peer.myAsn, routerIdFor(peer, me), peer.password];
        const settings = JSON.stringify([sessionOptions(peer, me), ...own]);
        const present = running.get(peer.name);
        if (present && isOutdated(present, peer, settings))
          end(peer.name, "its BGPPeer was changed");
        const one = running.get(peer.name) ?? begin(peer, me, settings);
        running.set(peer.name, one);
        if (peer.bfd && one.timers !== timersOf(peer)) {
          one.timers = timersOf(peer);
          one.peer.configureBfd(peer.bfd);
        }
        announce(one, routes);
      }
    },
    reports: () =>
      [...running].map(([name, { title, peer, announced, changedAt }]) => {
        const status = peer.status();
        const isUp = status.state === "Established";
        return { name, peer: title, isUp, prefixes: announced.size, changedAt, status };
      }),
    stop: async reason => {
      [...running.keys()].forEach(name => {
        end(name, reason);
      });
      await Promise.all(ending);
      await bfd?.stop();
      bfd = undefined;
    },
  };
}

function isOutdated({ settings, waits, peer }: Running, to: BgpPeer, wanted: string): boolean {
  if (settings !== wanted) return true;
  return waits !== to.connectTime && peer.status().state !== "Established";
}

function optionsOf(peer: BgpPeer, me: NodeFacts): PeerOptions {
  const { connectTime } = peer;
  return {
    ...sessionOptions(peer, me),
    ...(peer.bfd && { bfd: peer.bfd }),
    ...(connectTime === undefined
      ? {}
      : { retryTime: Math.min(1, connectTime), maxRetryTime: connectTime }),
  };
}

/** All that a session depends on: another value of this is another session. */
function sessionOptions(peer: BgpPeer, me: NodeFacts): PeerOptions {
  const { localAsn, sourceAddress, bfd } = peer;
  return {
    address: peer.address,
    port: peer.port,
    as: peer.peerAsn,
    holdTime: peer.holdTime,
    families: peer.families,
    // Routers are found however far away they are.
    multihop: 255,
    nextHops: otherNextHops(peer, me),
    ...(localAsn === undefined ? {} : { localAs: localAsn }),
    ...(sourceAddress === undefined ? {} : { localAddress: sourceAddress }),
    // Its timers change while it runs.
    ...(bfd && { bfd: pathOf(bfd) }),
  };
}

type Watched = NonNullable<BgpPeer["bfd"]>;

function pathOf({ isMultihop, minimumTtl }: Watched): Pick<Watched, "isMultihop" | "minimumTtl"> {
  return { isMultihop, ...(minimumTtl === undefined ? {} : { minimumTtl }) };
}

function timersOf({ bfd }: BgpPeer): string {
  return JSON.stringify(bfd ?? {});
}

/** The session's own family takes the address that the session is on. */
function otherNextHops({ address }: BgpPeer, me: NodeFacts): ReturnType<typeof nextHopsOf> {
  const { ipv4, ipv6 } = nextHopsOf(me);
  if (address.includes(":")) return ipv4 === undefined ? {} : { ipv4 };
  return ipv6 === undefined ? {} : { ipv6 };
}

/** Only what changed is said; prefixes that share attributes are said together. */
function announce({ peer, announced }: Running, routes: Routes): void {
  const gone = [...announced.keys()].filter(prefix => !routes.has(prefix));
  if (gone.length > 0) peer.withdraw(gone);
  gone.forEach(prefix => announced.delete(prefix));
  const groups = new Map<string, { attributes: RouteAttributes; prefixes: string[] }>();
  for (const [prefix, attributes] of routes) {
    const key = JSON.stringify(attributes);
    if (announced.get(prefix) === key) continue;
    announced.set(prefix, key);
    const group = groups.get(key) ?? { attributes, prefixes: [] };
    group.prefixes.push(prefix);
    groups.set(key, group);
  }
  for (const { attributes, prefixes } of groups.values()) peer.announce(prefixes, attributes);
}
