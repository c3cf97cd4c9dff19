import type { Advertiser } from "./bgp/advertiser";
import { watchCluster } from "./cluster-watch";
import type { ClusterWatch } from "./cluster-watch";
import { aliveOf, createPlanner, isSettled, urgencyOf } from "./decision";
import type { Facts, Standing, Turn } from "./decision";
import { NO_CONTESTS, announcedAgain, contestsOf } from "./contests";
import type { Contests } from "./contests";
import { claimsByNode, nextClaims, replacedClaims } from "./holders";
import { createPacketResponder } from "./layer2/packet-mode/packet-responder";
import { createResponder } from "./layer2/responder";
import type { Binding, Outcome, Responder } from "./layer2/responder";
import { announcingLinks } from "./layer2/interfaces";
import type { Link } from "./layer2/kernel-state";
import type { Claim, Member } from "./membership/membership";
import type { Prober } from "./membership/prober";
import { fateOf, movesBetween } from "./moves";
import type { Move } from "./moves";
import type { Handover } from "./handover/handover";
import { inTurn } from "./in-turn";
import { advertiserFor, announcerFor, handoverFor, proberFor } from "./agent-edges";
import type { AgentParts } from "./agent-parts";
import { startPeers } from "./agent-peers";
import type { Peers } from "./agent-peers";
import { NOTHING_OWNED, isSameOwned, nextOwnership, withoutAddresses } from "./ownership";
import type { Ownership } from "./ownership";
import type { Announcer } from "./packet/burst";
import type { Plan } from "./plan";
import { createRebalancer } from "./rebalancer";
import type { Rebalancer } from "./rebalancer";
import { createReporter } from "./reporter";
import type { Reporter } from "./reporter";
import { unheardNodes } from "./status/divided";
import { watchVirtualIps } from "./status/virtual-ips";
import type { VirtualIps } from "./status/virtual-ips";
import { createPlanSoon } from "./plan-soon";
import { delay, startInterval, startTimer } from "./timers";
import { AWAKE, isListening, wakingAfterStall } from "./waking";
import { watchWire } from "./wire/wire-watch";
import type { WireWatch } from "./wire/wire-watch";

export type Agent = {
  /** True once this node knows the cluster's state and takes part. */
  isReady(): boolean;
  /** Hands over what this node owns, removes it from the kernel and ends. */
  stop(): Promise<void>;
};

/** Heartbeat intervals to listen before taking part: who is there must have been asked and have answered. */
const LISTEN_INTERVALS = 6;
/** So long others may take to answer for what we have when we leave, ms. */
const HANDOVER_LIMIT_MS = 5000;
const HANDOVER_CHECK_MS = 20;
/** The plan also depends on the time that nodes are not Ready, and on nothing else that makes no event, ms. */
const REPLAN_MS = 10_000;

/** Runs the announcer: adopts, listens, then answers for what the plan gives this node. */
export async function startAgent(parts: AgentParts): Promise<Agent> {
  const agent = new RunningAgent(parts);
  await agent.start();
  return agent;
}

/**
 * Ties the parts together. All state that decides is in the plan, the members and the ownership, plain values
 * all; nothing here waits for the API server, so that an address moves as fast without it.
 */
class RunningAgent implements Agent {
  readonly #parts: AgentParts;
  readonly #me: string;
  readonly #listenMs: number;
  readonly #watch: ClusterWatch;
  readonly #responder: Responder;
  readonly #announcer: Announcer;
  readonly #prober: Prober;
  readonly #reporter: Reporter;
  readonly #vips: VirtualIps;
  readonly #wire: WireWatch;
  readonly #bgp: Advertiser;
  readonly #handover: Handover;
  #peers: Peers | undefined;
  readonly #planner = createPlanner();
  #plan: Plan | undefined;
  #ownership: Ownership = NOTHING_OWNED;
  #phase: "starting" | "active" | "leaving" | "stopped" = "starting";
  /** More has changed than how well the others are heard. */
  #hasNews = true;
  readonly #plans = createPlanSoon(() => {
    this.#peers?.setNodes(this.#watch.nodes());
    this.#tellLinks();
    this.#replan();
  });
  /** Whether the wire is to be asked for somebody who is late. */
  readonly #looks = createPlanSoon(() => {
    this.#suspect();
  });
  readonly #planSoon = (): void => {
    this.#hasNews = true;
    this.#plans.soon();
  };
  readonly #tell = inTurn();
  #stopReplans = (): void => undefined;
  #stopLinger = (): void => undefined;
  #waking = AWAKE;
  readonly #rebalancer: Rebalancer;
  #stopWaking = (): void => undefined;
  /** What the kernel answers for, as the peers were told. */
  #claims: readonly Claim[] = [];
  #announcing: readonly Link[] | undefined;
  #links: readonly Link[] = [];
  #contests: Contests = NO_CONTESTS;
  /** Addresses to announce when the kernel answers for them. */
  readonly #toAnnounce = new Set<string>();

  constructor(parts: AgentParts) {
    const { options, kernel, metrics, log } = parts;
    this.#parts = parts;
    this.#me = options.nodeName;
    this.#listenMs = LISTEN_INTERVALS * options.heartbeatIntervalMs;
    this.#vips = watchVirtualIps(log);
    this.#reporter = createReporter(parts, this.#vips);
    this.#bgp = advertiserFor(parts, this.#reporter);
    metrics.watchSessions(() => this.#bgp.reports());
    this.#announcer = announcerFor(parts);
    this.#responder = createResponder({
      ...{ kernel, packets: createPacketResponder(metrics.countAnswers) },
      sysctlRoot: options.sysctlRoot,
      excludes: options.excludeInterfaces,
      after: startTimer,
      onOutcome: outcome => {
        this.#onOutcome(outcome);
      },
    });
    this.#prober = proberFor(parts, {
      links: () => this.#links,
      onVerdict: this.#plans.now,
    });
    this.#rebalancer = createRebalancer({
      ...{ me: this.#me, everyMs: options.rebalanceIntervalMs, now: () => performance.now() },
      plan: () => (this.#isQuiet() ? this.#plan : undefined),
      onTake: this.#planSoon,
      every: startInterval,
    });
    this.#watch = watchCluster({
      ...{ namespace: options.namespace, nodeName: this.#me, log },
      loadBalancerClass: options.loadBalancerClass,
      onChange: this.#planSoon,
      onUnplanned: service => {
        this.#reporter.serviceChanged(service);
      },
      onConfig: errors => {
        this.#reporter.configRead(errors);
      },
    });
    this.#reporter.useServices(this.#watch);
    this.#vips.onConflict(this.#planSoon);
    this.#handover = handoverFor(parts, this.#planSoon);
    this.#wire = watchWire(parts, {
      ...{ vips: this.#vips, links: () => this.#links },
      nodes: () => this.#watch.nodes(),
      onChange: wire => {
        this.#reporter.wireChanged(wire);
        this.#planSoon();
      },
      onSight: this.#reporter.seen,
      onTimes: (address, times) => {
        void this.#tell(() => {
          this.#reporter.moveMeasured(address, times);
        });
      },
    });
  }

  async start(): Promise<void> {
    const { log, metrics } = this.#parts;
    const adopted = await this.#responder.adopt();
    this.#ownership = { owned: adopted, lingering: new Map() };
    log.info({ addresses: [...adopted.keys()] }, "adopted what an earlier run left in the kernel");
    const peers = await startPeers(this.#parts, {
      onChange: turn => {
        this.#onMembers(turn);
      },
      onStall: () => {
        this.#wake();
      },
    });
    this.#peers = peers;
    metrics.countHeartbeats(() => peers.counts());
    // Before any peer is spoken to: a restarted owner must not be heard to own nothing.
    this.#claim(new Set(adopted.keys()));
    await this.#responder.own(adopted);
    // Not awaited: with the API server down this takes as long as it takes, and what was adopted is kept.
    void this.#activateOnceSynced(peers.speak());
  }

  isReady(): boolean {
    return this.#phase === "active";
  }

  async stop(): Promise<void> {
    const wasActive = this.#phase === "active";
    this.#phase = wasActive ? "leaving" : "stopped";
    const sessions = this.#bgp.stop("the announcer stops");
    if (wasActive) await this.#handOver();
    this.#phase = "stopped";
    this.#stopReplans();
    this.#stopLinger();
    this.#stopWaking();
    this.#rebalancer.stop();
    this.#announcer.stopAll();
    this.#prober.stop();
    this.#wire.stop();
    this.#watch.stop();
    this.#vips.stop();
    if (wasActive) await this.#responder.own(new Map());
    await this.#responder.stop();
    await this.#handover.stop();
    await sessions;
    await this.#peers?.stop();
    await this.#tell(() => undefined);
    await this.#reporter.stop();
  }

  /** The others take over while we go on; the plan says when each address is theirs. */
  async #handOver(): Promise<void> {
    this.#peers?.setPhase("leaving");
    const until = performance.now() + HANDOVER_LIMIT_MS;
    this.#replan();
    while (this.#ownership.owned.size > 0 && performance.now() < until) {
      await delay(HANDOVER_CHECK_MS);
    }
  }

  async #activateOnceSynced(keyed: Promise<void>): Promise<void> {
    const known = [this.#watch.synced, this.#vips.synced, this.#handover.start()];
    await Promise.all([...known, keyed]);
    this.#peers?.setNodes(this.#watch.nodes());
    // Who is there must be known before anything is owned or released: a node that comes back must not
    // believe that it is alone.
    await delay(this.#listenMs);
    if (this.#phase !== "starting") return;
    this.#phase = "active";
    this.#peers?.setPhase("active");
    this.#parts.metrics.ready.set(1);
    this.#parts.log.info({ alive: [...aliveOf(this.#standing())] }, "active");
    this.#replan();
    this.#stopReplans = startInterval(REPLAN_MS, this.#planSoon);
  }

  #members(): readonly Member[] {
    return this.#peers?.members() ?? [];
  }

  #standing(): Standing {
    return {
      me: this.#me,
      isActive: this.#phase === "active",
      members: this.#members(),
      claims: this.#claims,
      interfaces: this.#announcing?.map(({ name }) => name),
      taking: this.#rebalancer.taking(),
      isGone: (owner, address) => this.#prober.isGone(owner, address),
      verdicts: this.#prober.verdicts(),
    };
  }

  #facts(): Facts {
    const { ignoreExcludeLabel, placement } = this.#parts.options;
    const [config, services] = [this.#watch.config(), this.#watch.services()];
    const nodes = this.#watch.nodes();
    return { config, services, nodes, ignoreExcludeLabel, placement, now: Date.now() };
  }

  /** Where this node can announce is where its heartbeats go. */
  #tellLinks(): void {
    // News of the kernel may be here before there is anybody to tell.
    if (!this.#peers || this.#links.length === 0) return;
    const named = this.#watch.config().l2Ads.flatMap(({ interfaces }) => interfaces);
    const links = announcingLinks(this.#links, named, this.#parts.options.excludeInterfaces);
    if (JSON.stringify(links) === JSON.stringify(this.#announcing)) return;
    this.#announcing = links;
    this.#peers.setLinks(links);
    this.#planSoon();
  }

  /** Who fell silent is asked for at once: the heir waits for what the wire says. */
  #onMembers(turn: Turn): void {
    if (turn === "silent") this.#suspect();
    if (turn === "late") this.#looks.soon();
    else this.#plans[urgencyOf(turn, this.#prober.suspicion())]();
  }

  #suspect(): void {
    if (this.#isWaking()) return;
    // Who takes no part suspects nobody: then it is at rest.
    this.#prober.suspect(this.#planner.suspects(this.#facts(), this.#standing()));
  }

  #replan(): void {
    if (this.#phase === "starting" || this.#isWaking()) this.#yield();
    if (this.#phase !== "active" && this.#phase !== "leaving") return;
    const hasNews = this.#hasNews;
    // First what a LAN waits for.
    if (!this.#isWaking()) this.#planLayer2();
    if (hasNews) this.#advertise();
  }

  #planLayer2(): void {
    this.#waking = AWAKE;
    const before = this.#plan;
    const facts = this.#facts();
    const standing = this.#standing();
    const plan = this.#planner.plan(facts, standing);
    this.#plan = plan;
    // On a machine that is short of time heartbeats are late all the time.
    if (plan !== before || this.#hasNews) {
      this.#hasNews = false;
      this.#take(
        movesBetween(
          before,
          plan,
          node => fateOf(node, facts.nodes, this.#members()),
          address => this.#rebalancer.causeOf(address),
        ),
        plan,
      );
    }
    this.#suspect();
  }

  /** Nothing goes on that a rebalance could add to. */
  #isQuiet(): boolean {
    const isAtRest = this.#ownership.lingering.size === 0 && this.#toAnnounce.size === 0;
    return isSettled(this.#standing()) && !this.#isWaking() && isAtRest;
  }

  /** This process stood still: nothing is decided until the others were heard again. */
  #wake(): void {
    this.#parts.log.warn({}, "stood still: finding out what the others did meanwhile");
    const now = performance.now();
    this.#waking = wakingAfterStall(this.#waking, { now, listenMs: this.#listenMs });
    this.#stopWaking();
    this.#stopWaking = startTimer(this.#waking.until - now + 1, this.#planSoon);
  }

  #isWaking(): boolean {
    return isListening(this.#waking, performance.now());
  }

  /** What others have taken while this node could not know is theirs, at once. */
  #yield(): void {
    const lost = replacedClaims(this.#claims, this.#members());
    if (lost.size === 0) return;
    this.#ownership = withoutAddresses(this.#ownership, lost);
    for (const address of lost) this.#announcer.stop(address);
    this.#claim(new Set(this.#ownership.owned.keys()));
    void this.#responder.own(this.#ownership.owned);
  }

  /** What goes by BGP depends on no other node. */
  #advertise(): void {
    const nodes = this.#watch.nodes();
    const cluster = { config: this.#watch.config(), services: this.#watch.services() };
    this.#reporter.learned({ ...cluster, nodes });
    this.#bgp.update({ ...cluster, me: nodes.find(({ name }) => name === this.#me) });
  }

  #take(moves: readonly Move[], plan: Plan): void {
    const now = performance.now();
    const held = this.#ownership.owned;
    const claimed = claimsByNode(this.#members());
    const isActive = this.#phase === "active";
    const alive = aliveOf(this.#standing());
    this.#wire.planned({ plan, alive, claimed, own: this.#claims, isActive });
    const mine = this.#wire.release(moves.filter(({ to }) => to === this.#me));
    mine.forEach(({ address }) => this.#toAnnounce.add(address));
    this.#noteContests(plan);
    const [nodes, links] = [this.#watch.nodes(), this.#links];
    this.#handover.planned({ plan, members: this.#members(), own: this.#claims, nodes, links });
    this.#ownership = nextOwnership(this.#ownership, {
      ...{ plan, me: this.#me, now },
      isClaimedBy: (address, node) => claimed.get(node)?.has(address) ?? false,
      isWithheld: address => this.#wire.isWithheld(address) || this.#handover.isAwaited(address),
    });
    const { owned, lingering } = this.#ownership;
    this.#responder.know(new Set(plan.addresses.keys()));
    for (const address of held.keys()) {
      if (!owned.has(address) || lingering.has(address)) this.#announcer.stop(address);
    }
    // Epochs are raised when it is clear that this node keeps what it took or adopted.
    this.#claim(new Set(this.#claims.map(({ address }) => address)));
    const isAsked = !isSameOwned(held, owned) || this.#toAnnounce.size > 0;
    if (isAsked) {
      this.#plans.hold();
      this.#looks.hold();
    }
    const done = isAsked ? this.#responder.own(owned) : undefined;
    // Events, log and status cost more time than the takeover that they tell of.
    void this.#tell(() => {
      const unheard = unheardNodes(this.#members(), nodes);
      this.#reporter.planned({ plan, takenOver: mine, held, alive, unheard });
    }, done);
    this.#stopLinger();
    const next = Math.min(...lingering.values());
    if (next < Infinity) this.#stopLinger = startTimer(next - now + 1, this.#planSoon);
  }

  #noteContests(plan: Plan): void {
    const contests = contestsOf(plan, this.#standing());
    announcedAgain(this.#contests, contests)
      .filter(address => plan.addresses.get(address)?.owner === this.#me)
      .forEach(address => this.#toAnnounce.add(address));
    this.#contests = contests;
    for (const [address, isLater] of contests) if (isLater) this.#announcer.stop(address);
  }

  #onOutcome(outcome: Outcome): void {
    this.#links = outcome.links;
    this.#plans.release();
    this.#looks.release();
    this.#tellLinks();
    if (this.#phase === "active") {
      const isMine = ({ address }: Binding): boolean =>
        this.#plan?.addresses.get(address)?.owner === this.#me &&
        this.#contests.get(address) !== true;
      const mine = outcome.answering.filter(isMine);
      const fresh = new Set(outcome.fresh);
      const news = mine.filter(one => fresh.has(one) || this.#toAnnounce.has(one.address));
      for (const { address, link } of news) this.#announcer.start(address, link);
      for (const { address, link } of news) this.#wire.announced(address, link);
      this.#announcer.refresh(mine);
      outcome.answering.forEach(({ address }) => this.#toAnnounce.delete(address));
    }
    const answering = new Set(outcome.answering.map(({ address }) => address));
    if (this.#phase !== "starting") this.#claim(answering);
    void this.#tell(() => {
      this.#reporter.reconciled(outcome);
    });
  }

  /** Tells the peers what the kernel answers for. After it was announced: they let go when they hear it. */
  #claim(answering: ReadonlySet<string>): void {
    const isMine = (address: string): boolean =>
      this.#phase === "active" && this.#plan?.addresses.get(address)?.owner === this.#me;
    const claims = nextClaims(this.#claims, answering, { members: this.#members(), isMine });
    if (JSON.stringify(claims) === JSON.stringify(this.#claims)) return;
    this.#claims = claims;
    this.#peers?.setClaims(claims);
  }
}
