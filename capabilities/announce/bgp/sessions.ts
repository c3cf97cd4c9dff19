import { isDeepStrictEqual } from "node:util";
import { createSpeaker, startBfd } from "../../bgp/index";
import type {
  Bfd,
  Peer,
  PeerStatus,
  RouteAttributes,
  SessionChange,
  Speaker,
} from "../../bgp/index";
import type { BgpPeer } from "../../config/bgp/peer";
import type { Log } from "../../kube/log";
import type { NodeFacts } from "../facts";
import type { Routes, WantedPeer } from "./routes";
import { explained, optionsFor, termsOf } from "./session-options";
import type { SessionTerms } from "./session-options";

/** How a session is, for metrics and statuses. */
export type SessionReport = {
  /** Name of the BGPPeer. */
  readonly name: string;
  /** ADDRESS:PORT of the router, by which MetalLB's metrics know it; INTERFACE:PORT if it is found there. */
  readonly peer: string;
  readonly isUp: boolean;
  /** Name of the VRF, or `default`. */
  readonly vrf: string;
  readonly prefixes: number;
  /** How many of them the router is yet to be told of, or that they are gone. */
  readonly pending: () => number;
  /** The router keeps the routes while this announcer restarts: both sides agreed on it. */
  readonly isKept: boolean;
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
  /** Tells all peers why, and ends. Those that agreed to keep the routes over a restart are told nothing. */
  stop(reason: string, how?: { readonly isRestart: boolean }): Promise<void>;
};

type Running = {
  readonly terms: SessionTerms;
  /** What does not matter before the session is down. */
  readonly waits: number | undefined;
  readonly title: string;
  readonly speaker: Speaker;
  readonly peer: Peer;
  /** What was announced, with the attributes as text. */
  readonly announced: Map<string, string>;
  timers: BgpPeer["bfd"];
  changedAt: number | undefined;
};

export type SessionsOptions = {
  readonly log: Log;
  /** Begins BFD for all sessions, when the first one is to be watched. */
  readonly watch?: () => Bfd;
  /** Called when a session came up or went down, or an attempt failed. */
  readonly onNews?: (news: SessionNews) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
};

/** FRR 8.4 loses a neighbor of a listen range that comes back while it still says goodbye, seconds. */
const IDLE_HOLD = 1;

export function createSessions(options: SessionsOptions): BgpSessions {
  const { log, onNews, watch = startBfd, now = () => performance.now() } = options;
  let bfd: Bfd | undefined;
  const running = new Map<string, Running>();
  const ending = new Set<Promise<void>>();
  /** When the last session with a router was ended, by its title. */
  const endedAt = new Map<string, number>();

  function end(name: string, reason: string, isRestart = false): void {
    const one = running.get(name);
    if (!one) return;
    running.delete(name);
    endedAt.set(one.title, now());
    const ended = one.speaker.stop({ reason, isRestart }).finally(() => ending.delete(ended));
    ending.add(ended);
    log.info({ peer: name, reason }, "BGP session is ended");
  }

  function begin(peer: BgpPeer, terms: SessionTerms): Running {
    const title = `${peer.interface ?? peer.address}:${peer.port}`;
    const before = endedAt.get(title);
    const speaker = createSpeaker({
      ...terms.identity,
      ...(peer.bfd && { bfd: (bfd ??= watch()) }),
    });
    const onChange = (change: SessionChange): void => {
      // What is ended on purpose is told where that is decided.
      if (running.get(peer.name) !== one) return;
      const isChange = change.type === "up" || change.wasUp;
      if (isChange) one.changedAt = Date.now();
      onNews?.({ peer: peer.name, change: isChange ? change : failure(peer, change) });
    };
    const handle = speaker.addPeer({
      ...optionsFor(terms, peer, {
        idleHoldTime: before === undefined ? 0 : Math.max(0, IDLE_HOLD - (now() - before) / 1000),
        isRestarting: before === undefined,
      }),
      onChange,
    });
    const one: Running = {
      ...{ terms, title, speaker, peer: handle, waits: peer.connectTime, timers: peer.bfd },
      ...{ announced: new Map(), changedAt: undefined },
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
        const terms = termsOf(peer, me);
        const present = running.get(peer.name);
        if (present && isOutdated(present, peer, terms)) end(peer.name, "its BGPPeer was changed");
        const one = running.get(peer.name) ?? begin(peer, terms);
        running.set(peer.name, one);
        if (peer.bfd && !isDeepStrictEqual(one.timers, peer.bfd)) {
          one.timers = peer.bfd;
          one.peer.configureBfd(peer.bfd);
        }
        announce(one, routes);
      }
    },
    reports: () =>
      [...running].map(([name, { title, terms, peer, announced, changedAt }]) => {
        const status = peer.status();
        const isUp = status.state === "Established";
        const isKept =
          terms.options.gracefulRestart !== undefined && status.session?.canPeerRestart === true;
        return {
          ...{ name, peer: title, vrf: terms.options.device ?? "default", isUp, isKept, status },
          ...{ prefixes: announced.size, pending: () => peer.pending(), changedAt },
        };
      }),
    stop: async (reason, how) => {
      [...running.keys()].forEach(name => {
        end(name, reason, how?.isRestart);
      });
      await Promise.all(ending);
      await bfd?.stop();
      bfd = undefined;
    },
  };
}

function failure(peer: BgpPeer, change: SessionChange & { type: "down" }): SessionChange {
  return { ...change, reason: explained(peer, change.reason) };
}

function isOutdated({ terms, waits, peer }: Running, to: BgpPeer, wanted: SessionTerms): boolean {
  if (!isDeepStrictEqual(terms, wanted)) return true;
  return waits !== to.connectTime && peer.status().state !== "Established";
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
