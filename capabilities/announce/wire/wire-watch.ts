import type { AgentParts } from "../agent-parts";
import type { NodeFacts } from "../facts";
import { chooseInterfaces } from "../layer2/interfaces";
import type { WantedInterfaces } from "../layer2/interfaces";
import type { Link } from "../layer2/kernel-state";
import { openNeighborTable } from "../layer2/neighbors";
import type { Gateway, Neighbor } from "../layer2/neighbors";
import type { Move } from "../moves";
import { openListenSocket } from "../packet/packet-socket";
import type { Plan } from "../plan";
import { startImmediate, startTimer } from "../timers";
import { vipFacts } from "../status/virtual-ips";
import type { VirtualIps } from "../status/virtual-ips";
import { dutiesOf } from "./duties";
import { createConverger } from "./converger";
import { hostsOf } from "./hosts";
import type { Hosts } from "./hosts";
import { createObserver } from "./observer";
import type { Observer } from "./observer";
import { createWire } from "./wire";
import type { Wire } from "./wire";

/** What the announcer knows, for the watch over the wire. */
export type WireNews = {
  readonly plan: Plan;
  /** Nodes that may own addresses. */
  readonly alive: ReadonlySet<string>;
  /** What other nodes say that they answer for. */
  readonly claimed: ReadonlyMap<string, ReadonlySet<string>>;
  /** What this node's kernel answers for. */
  readonly own: readonly { readonly address: string }[];
  /** False when the node leaves: then what it has is the others' to look after. */
  readonly isActive: boolean;
};

/** The watch over the wire as the announcer uses it. */
export type WireWatch = {
  planned(news: WireNews): void;
  isWithheld(address: string): boolean;
  /** Of these moves to this node, and of those kept back before, the ones that are made now. */
  release(moves: readonly Move[]): readonly Move[];
  /** The kernel answers for the address on a link, and the LAN was told so first. */
  announced(address: string, link: Link): void;
  stop(): void;
};

/** How long a move of an address to this node took, ms from the decision. */
export type MoveTimes = { readonly answeredMs?: number; readonly convergedMs?: number };

export type WireWatchOptions = {
  readonly links: () => readonly Link[];
  readonly nodes: () => readonly NodeFacts[];
  readonly vips: VirtualIps;
  /** Called when addresses are free to be answered for, or a stranger was seen or is gone. */
  readonly onChange: (wire: Wire) => void;
  /** Called when another one is seen to answer for an address of another node. */
  readonly onSight: (address: string, observer: Observer) => void;
  readonly onTimes: (address: string, times: MoveTimes) => void;
};

/** Time between questions whether a stranger is still there, ms. */
const RECHECK_MS = 10_000;
/** The kernel's table of neighbours is read so often; it changes when nodes come, which takes longer, ms. */
const NEIGHBORS_MS = 5_000;
/** Nodes, links and VirtualIPs say more of who has which hardware address; what they say is looked up anew after that, ms. */
const HOSTS_MS = 1_000;
/** The observer learns of a plan so much later, ms. */
const LOOK_MS = 250;
/** What is announced later than this is not announced because of the move, ms. */
const MOVE_MS = 10_000;

const NO_PLAN: Plan = { addresses: new Map(), verdicts: [], groups: [] };

export function watchWire(parts: AgentParts, options: WireWatchOptions): WireWatch {
  const { log, metrics, socket } = parts;
  const send = (index: number, frame: Uint8Array): void => {
    socket.send(index, frame);
  };
  const {
    conflictProbes,
    conflictProbeIntervalMs,
    excludeInterfaces,
    nodeName: me,
  } = parts.options;
  const table = openNeighborTable();
  const waiting = new Map<string, Move>();
  let heldEver: ReadonlySet<string> = new Set();
  const moved = new Map<string, { readonly at: number; readonly links: Set<number> }>();
  let known: { readonly hosts: Hosts; readonly at: number } = { hosts: new Map(), at: -Infinity };
  let neighbors: readonly Neighbor[] = [];
  let gateways: readonly Gateway[] = [];
  let problem = "";
  let latest: Parameters<Observer["look"]>[0] = { plan: NO_PLAN, alive: new Set() };
  let cancelLook: (() => void) | undefined;
  let cancelWake: (() => void) | undefined;
  let plan: Plan | undefined;

  const linksFor = (interfaces: WantedInterfaces): readonly Link[] =>
    chooseInterfaces(options.links(), interfaces, excludeInterfaces).filter(l => l.carrier);
  const now = (): number => performance.now();
  const onError = (error: unknown): void => {
    const text = String(error);
    if (text !== problem) log.warn({ err: error }, "strangers on the LAN may not be noticed");
    problem = text;
  };

  const observer = createObserver({
    ...{ me, now, onError, canSee },
    send: (index, frame) => {
      send(index, frame);
      metrics.observationsSent.inc();
    },
    links: () => linksFor("all"),
    hosts,
    onChange: address => {
      options.onSight(address, observer);
    },
  });
  metrics.countSights(() => observer.counts());

  const converger = createConverger({
    ...{ send, now, onError },
    surroundings: () => ({ neighbors, gateways, hosts: hosts() }),
    onDone: ({ address, ms, silent }) => {
      if (silent.length > 0)
        log.info({ address, silent }, "hosts that did not answer to the address");
      if (ms === undefined) return;
      metrics.convergence.observe(ms / 1000);
      options.onTimes(address, { convergedMs: ms });
    },
  });

  const wire = createWire({
    ...{ send, after: startTimer, openSocket: openListenSocket, now, onError },
    links: ({ interfaces }) => linksFor(interfaces),
    // Before the nodes are known nobody can be told from a stranger.
    isOfCluster: mac => options.nodes().length === 0 || hosts().has(mac),
    times: {
      probes: conflictProbes,
      probeIntervalMs: conflictProbeIntervalMs,
      recheckMs: RECHECK_MS,
    },
    ears: [observer, converger],
    onChange: () => {
      options.onChange(wire);
    },
    onDefence: () => {
      metrics.defences.inc();
    },
  });

  /** A node whose addresses this one's kernel has resolved on a link that questions go out on. */
  function canSee(node: string): boolean {
    const addresses = options.nodes().find(({ name }) => name === node)?.addresses ?? [];
    const asked = linksFor("all").map(({ index }) => index);
    return neighbors.some(
      one => addresses.includes(one.address) && asked.includes(one.interfaceIndex),
    );
  }

  function learnHosts(): void {
    const { links, nodes, vips } = options;
    const hosts = hostsOf({
      ...{ before: known.hosts, me, neighbors },
      ...{ links: links(), nodes: nodes(), vips: vips.list() },
    });
    known = { hosts, at: now() };
  }

  /** A process that has just started learns within the second who the others are. */
  function hosts(): Hosts {
    if (now() - known.at >= HOSTS_MS) learnHosts();
    return known.hosts;
  }

  async function readNeighbors(): Promise<void> {
    neighbors = await table.neighbors().catch(() => neighbors);
    gateways = await table.gateways().catch(() => gateways);
    // Whoever is in the table now may not be when somebody asks who has that hardware address.
    learnHosts();
  }

  void readNeighbors();
  const timer = setInterval(() => void readNeighbors(), NEIGHBORS_MS);

  return {
    planned: news => {
      plan = news.plan;
      const others = new Set([...news.claimed.values()].flatMap(set => [...set]));
      const now = new Set([...heldEver, ...others, ...news.own.map(({ address }) => address)]);
      heldEver = new Set([...now].filter(address => news.plan.addresses.has(address)));
      const duties = dutiesOf({
        ...{ plan: news.plan, me, alive: news.alive, heldEver },
        heldByOthers: others,
        vips: options.vips.list().map(vipFacts),
      });
      wire.lookAfter(news.isActive ? duties : new Map());
      for (const address of moved.keys()) {
        if (news.plan.addresses.get(address)?.owner === me) continue;
        converger.stop(address);
        moved.delete(address);
      }
      latest = news.isActive ? news : { plan: NO_PLAN, alive: news.alive };
      // Off the way of a takeover: who observes what costs a hash for each address and node.
      cancelLook ??= startTimer(LOOK_MS, () => {
        cancelLook = undefined;
        if (observer.look(latest)) wire.wake();
      });
    },
    isWithheld: address => wire.isWithheld(address),
    release: moves => {
      for (const move of moves) waiting.set(move.address, move);
      const isMine = ({ address }: Move): boolean => plan?.addresses.get(address)?.owner === me;
      const made = [...waiting.values()].filter(m => isMine(m) && !wire.isWithheld(m.address));
      for (const move of [...waiting.values()]) {
        if (!isMine(move) || made.includes(move)) waiting.delete(move.address);
      }
      for (const { address } of made) moved.set(address, { at: now(), links: new Set() });
      return made;
    },
    announced: (address, link) => {
      const move = moved.get(address);
      const sinceMs = move ? now() - move.at : Infinity;
      // A link that comes later has nothing to do with the move.
      if (!move || move.links.has(link.index) || sinceMs > MOVE_MS) return;
      if (move.links.size === 0) {
        metrics.takeover.observe(sinceMs / 1000);
        options.onTimes(address, { answeredMs: sinceMs });
      }
      move.links.add(link.index);
      converger.begin(address, link, move.at);
      // Once for all that are announced together: each time all addresses are gone through.
      cancelWake ??= startImmediate(() => {
        cancelWake = undefined;
        wire.wake();
      });
    },
    stop: () => {
      clearInterval(timer);
      cancelLook?.();
      cancelWake?.();
      wire.stop();
      table.close();
    },
  };
}
