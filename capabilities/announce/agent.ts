import { watchCluster } from "./cluster-watch";
import type { ClusterWatch } from "./cluster-watch";
import { createResponder } from "./layer2/responder";
import type { Outcome, Responder } from "./layer2/responder";
import { startHeartbeat } from "./membership/heartbeat";
import type { Membership, MembershipChange } from "./membership/membership";
import { movesBetween } from "./moves";
import type { Move } from "./moves";
import type { AgentParts } from "./agent-parts";
import { NOTHING_OWNED, nextOwnership } from "./ownership";
import type { Ownership } from "./ownership";
import { createAnnouncer } from "./packet/burst";
import type { Announcer } from "./packet/burst";
import { planAddresses } from "./plan";
import type { Plan } from "./plan";
import { createReporter } from "./reporter";
import type { Reporter } from "./reporter";

export type Agent = {
  /** True once this node knows the cluster's state and takes part. */
  isReady(): boolean;
  /** Hands over what this node owns, removes it from the kernel and ends. */
  stop(): Promise<void>;
};

/** Heartbeats missed until a peer counts as dead; and intervals to listen before taking part. */
const MISSED = 5;
const LISTEN_INTERVALS = 3;
/** After the good-bye we go on answering for so long, so that others answer before we stop, ms. */
const RELEASE_LINGER_MS = 500;

/** Runs the announcer: adopts, listens, then answers for what the plan gives this node. */
export async function startAgent(parts: AgentParts): Promise<Agent> {
  const agent = new RunningAgent(parts);
  await agent.start();
  return agent;
}

/**
 * Ties the parts together. All state that decides is in the plan and the ownership, both plain values; nothing
 * here waits for the API server, so that an address moves as fast without it.
 */
class RunningAgent implements Agent {
  readonly #parts: AgentParts;
  readonly #me: string;
  readonly #watch: ClusterWatch;
  readonly #responder: Responder;
  readonly #announcer: Announcer;
  readonly #reporter: Reporter;
  #membership: Membership | undefined;
  #plan: Plan | undefined;
  #ownership: Ownership = NOTHING_OWNED;
  #phase: "starting" | "active" | "stopped" = "starting";
  #isPlanned = false;
  /** Addresses to announce when the kernel answers for them. */
  readonly #toAnnounce = new Set<string>();

  constructor(parts: AgentParts) {
    const { options, kernel, socket, metrics, log } = parts;
    this.#parts = parts;
    this.#me = options.nodeName;
    this.#reporter = createReporter(parts);
    this.#announcer = createAnnouncer({
      send: (index, frame) => {
        socket.send(index, frame);
      },
      after: startTimer,
      onSent: ip => {
        metrics.gratuitousSent.inc({ ip });
      },
      onError: (error, address, link) => {
        log.warn({ err: error, address, interface: link.name }, "announcement was not sent");
      },
    });
    this.#responder = createResponder({
      kernel,
      sysctlRoot: options.sysctlRoot,
      excludes: options.excludeInterfaces,
      after: startTimer,
      onOutcome: outcome => {
        this.#onOutcome(outcome);
      },
    });
    this.#watch = watchCluster({
      namespace: options.namespace,
      loadBalancerClass: options.loadBalancerClass,
      log,
      onChange: () => {
        this.#planSoon();
      },
      onConfig: errors => {
        this.#reporter.configRead(errors);
      },
    });
    this.#reporter.useServices(key => this.#watch.service(key));
  }

  async start(): Promise<void> {
    const { options, log } = this.#parts;
    const adopted = await this.#responder.adopt();
    this.#ownership = { owned: adopted, lingering: new Map() };
    log.info({ addresses: [...adopted.keys()] }, "adopted what an earlier run left in the kernel");
    await this.#responder.own(adopted);
    this.#membership = await startHeartbeat({
      node: this.#me,
      port: options.heartbeatPort,
      intervalMs: options.heartbeatIntervalMs,
      missed: MISSED,
      peers: () => this.#peers(),
      now: () => performance.now(),
      bootId: BigInt(Date.now()),
      log,
    });
    this.#membership.onChange(change => {
      this.#onMembers(change);
    });
    // Not awaited: with the API server down this takes as long as it takes, and what was adopted is kept.
    void this.#activateOnceSynced();
  }

  isReady(): boolean {
    return this.#phase === "active";
  }

  async stop(): Promise<void> {
    const wasActive = this.#phase === "active";
    this.#phase = "stopped";
    this.#announcer.stopAll();
    this.#watch.stop();
    if (wasActive) {
      await this.#membership?.leave();
      await delay(RELEASE_LINGER_MS);
      await this.#responder.own(new Map());
    }
    await this.#responder.stop();
    await this.#membership?.stop();
    await this.#reporter.stop();
  }

  async #activateOnceSynced(): Promise<void> {
    await this.#watch.synced;
    // Who is there must be known before anything is owned or released: a node that comes back must not
    // believe that it is alone.
    await delay(LISTEN_INTERVALS * this.#parts.options.heartbeatIntervalMs);
    if (this.#phase !== "starting") return;
    this.#phase = "active";
    this.#membership?.activate();
    this.#parts.metrics.ready.set(1);
    this.#parts.log.info({ alive: [...(this.#membership?.alive() ?? [])] }, "active");
    this.#replan();
  }

  #peers(): readonly { node: string; addresses: readonly string[] }[] {
    return this.#watch
      .nodes()
      .filter(({ name }) => name !== this.#me)
      .map(({ name, addresses }) => ({ node: name, addresses }));
  }

  #onMembers(change: MembershipChange): void {
    this.#parts.log.info(change, "members changed");
    // Whoever comes back may believe, and have told the LAN, that it owns what we own.
    if (change.joined.length > 0) this.#announceAll();
    this.#replan(change);
  }

  #announceAll(): void {
    for (const { address, owner } of this.#plan?.addresses.values() ?? []) {
      if (owner === this.#me) this.#toAnnounce.add(address);
    }
  }

  /** Many objects may change at once: one plan for all of them. */
  #planSoon(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    setImmediate(() => {
      this.#isPlanned = false;
      this.#replan();
    });
  }

  #replan(change?: MembershipChange): void {
    if (this.#phase !== "active" || !this.#membership) return;
    const before = this.#plan;
    const plan = planAddresses({
      config: this.#watch.config(),
      services: this.#watch.services(),
      nodes: this.#watch.nodes(),
      alive: this.#membership.alive(),
      ignoreExcludeLabel: this.#parts.options.ignoreExcludeLabel,
    });
    this.#plan = plan;
    this.#take(movesBetween(before, plan, change), plan);
  }

  #take(moves: readonly Move[], plan: Plan): void {
    const now = performance.now();
    const held = this.#ownership.owned;
    const mine = moves.filter(({ to }) => to === this.#me);
    mine.forEach(({ address }) => this.#toAnnounce.add(address));
    this.#ownership = nextOwnership(this.#ownership, { plan, me: this.#me, now });
    const { owned, lingering } = this.#ownership;
    for (const address of held.keys()) {
      if (!owned.has(address) || lingering.has(address)) this.#announcer.stop(address);
    }
    this.#reporter.planned(plan, mine, held);
    if (lingering.size > 0) {
      startTimer(Math.min(...lingering.values()) - now + 1, () => {
        this.#planSoon();
      });
    }
    void this.#responder.own(owned);
  }

  #onOutcome(outcome: Outcome): void {
    if (this.#phase === "active") {
      for (const { address, link } of [...outcome.added, ...outcome.answering]) {
        const isNew = outcome.added.some(b => b.address === address && b.link === link);
        const isMine = this.#plan?.addresses.get(address)?.owner === this.#me;
        if (isMine && (isNew || this.#toAnnounce.has(address)))
          this.#announcer.start(address, link);
      }
      outcome.answering.forEach(({ address }) => this.#toAnnounce.delete(address));
    }
    this.#reporter.reconciled(outcome, this.#membership?.alive().size ?? 0);
  }
}

function delay(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}

function startTimer(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms);
  return () => {
    clearTimeout(timer);
  };
}
