import { planFor, suspectsFor } from "../decision";
import type { Facts, Standing } from "../decision";
import { nextClaims, replacedClaims } from "../holders";
import { pageAt, pagesOf } from "../membership/claim-page";
import { SILENT_INTERVALS } from "../membership/liveness";
import type { Claim, Phase } from "../membership/membership";
import type { Heartbeat } from "../membership/packet";
import { createRoll } from "../membership/roll";
import type { Roll } from "../membership/roll";
import { NO_CASES, isGone, nextRound } from "../membership/witness";
import type { Suspects } from "../membership/witness";
import type { Plan } from "../plan";
import { nextRebalance } from "../rebalance";
import { NOTHING_OWNED, nextOwnership, withoutAddresses } from "../ownership";
import { AWAKE, isListening, wakingAfterStall } from "../waking";

export const INTERVAL_MS = 50;
const SWEEP_MS = 25;
const ROUND_MS = 25;
const LISTEN_MS = 300;

/** What a node can do to the outside. */
export type World = {
  readonly facts: () => Facts;
  readonly now: () => number;
  /** Sends a heartbeat to one node. */
  readonly send: (to: string, heartbeat: Heartbeat) => void;
  /** Asks the wire; who answers is found in `answered` later. */
  readonly ask: (address: string) => void;
  readonly random: () => number;
};

/**
 * An announcer without sockets, kernel and clock: the pure parts, tied together as agent.ts and heartbeat.ts do.
 * Its process may stand still while its kernel goes on to answer.
 */
export class VirtualNode {
  readonly name: string;
  readonly #peers: readonly string[];
  readonly #world: World;
  /** What the kernel answers for: survives the process. */
  kernel: ReadonlySet<string> = new Set();
  /** Addresses that somebody was heard to answer for. */
  readonly answered = new Set<string>();
  #roll: Roll = createRoll(0);
  #bootId = 0n;
  #sequence = 0n;
  #phase: Phase = "starting";
  #claims: readonly Claim[] = [];
  #pages = pagesOf(1, []);
  #ownership = NOTHING_OWNED;
  #suspects: Suspects = new Map();
  #witness = NO_CASES;
  #taking: ReadonlySet<string> = new Set();
  #lastPlan: Plan | undefined;
  #next = { beat: 0, sweep: 0, round: 0, active: 0 };
  #waking = AWAKE;

  constructor(name: string, peers: readonly string[], world: World) {
    this.name = name;
    this.#peers = peers;
    this.#world = world;
  }

  /** Starts the process anew: what the kernel answers for is adopted. */
  boot(): void {
    const now = this.#world.now();
    this.#bootId += 1n;
    this.#sequence = 0n;
    this.#roll = createRoll(now);
    this.#roll.retain(new Set(this.#peers));
    this.#phase = "starting";
    this.#claims = [];
    this.#pages = pagesOf(1, []);
    this.#ownership = {
      owned: new Map([...this.kernel].map(address => [address, "all"])),
      lingering: new Map(),
    };
    this.#witness = NO_CASES;
    this.#suspects = new Map();
    this.#say(this.kernel);
    const phase = this.#world.random() * INTERVAL_MS;
    this.#next = { round: Infinity, beat: now + phase, sweep: now, active: now + LISTEN_MS };
    this.#waking = AWAKE;
  }

  /** True if the node means to own the address, not only goes on until the new owner answers. */
  owns(address: string): boolean {
    const { owned, lingering } = this.#ownership;
    return this.kernel.has(address) && owned.has(address) && !lingering.has(address);
  }

  /** The epoch with which the node claims the address. */
  epochOf(address: string): number | undefined {
    return this.#claims.find(claim => claim.address === address)?.epoch;
  }

  /** Takes in a heartbeat; returns whether it was believed. */
  hear(heartbeat: Heartbeat): boolean {
    const now = this.#world.now();
    const nonce = (): bigint => BigInt(Math.floor(this.#world.random() * 1e9)) + 1n;
    const { fate, ask = 0n } = this.#roll.hear(heartbeat, { now, nonce });
    if (fate === "replayed") return false;
    if (heartbeat.asks !== 0n || ask !== 0n || heartbeat.wantsWord) {
      this.#send([heartbeat.node], { asks: ask, answers: heartbeat.asks });
    }
    if (this.#roll.takeChanges()) this.#plan();
    return fate === "accepted";
  }

  /** Does what is due; called often. */
  run(): void {
    const now = this.#world.now();
    if (now >= this.#next.sweep) this.#sweep(now);
    if (now >= this.#next.beat) {
      this.#next.beat = now + INTERVAL_MS;
      this.#send(this.#peers);
    }
    if (now >= this.#next.round) this.#ask(now);
    if (now >= this.#next.active && this.#phase === "starting") {
      this.#phase = "active";
      this.#plan();
    }
    const isAwake = this.#waking !== AWAKE && !isListening(this.#waking, now);
    const isOver = [...this.#ownership.lingering.values()].some(until => until <= now);
    if (isOver || isAwake) this.#plan();
  }

  /** Takes what the next move of a rebalance gives it, if any. */
  rebalance(): void {
    const move = this.#lastPlan && nextRebalance(this.#lastPlan);
    this.#taking = new Set(move?.to === this.name ? move.addresses : []);
    if (this.#taking.size > 0) this.#plan();
  }

  /** The cluster's facts changed. */
  factsChanged(): void {
    this.#plan();
  }

  #sweep(now: number): void {
    const pause = this.#roll.sweep(now, INTERVAL_MS);
    this.#next.sweep = Math.min(now + SWEEP_MS, Math.max(now + 1, this.#roll.nextTurn()));
    if (pause >= SILENT_INTERVALS * INTERVAL_MS) {
      this.#waking = wakingAfterStall(this.#waking, { now, listenMs: LISTEN_MS });
      this.#send(this.#peers, { wantsWord: true });
    }
    const changes = this.#roll.takeChanges();
    const late = changes?.changed.filter(({ health }) => health !== "heard") ?? [];
    this.#send(
      late.map(({ node }) => node),
      { wantsWord: true },
    );
    if (changes) this.#plan();
  }

  #ask(now: number): void {
    const { witness, ask } = nextRound(this.#witness, this.#suspects, new Set(this.answered));
    this.answered.clear();
    this.#witness = witness;
    this.#next.round = now + ROUND_MS;
    ask.forEach(address => {
      this.#world.ask(address);
    });
    this.#plan();
  }

  #suspect(suspects: Suspects): void {
    this.#suspects = suspects;
    if (this.#suspects.size === 0) {
      this.#witness = NO_CASES;
      this.#next.round = Infinity;
    } else if (this.#next.round === Infinity) this.#next.round = this.#world.now();
  }

  #plan(): void {
    if (this.#phase !== "active" || isListening(this.#waking, this.#world.now())) {
      this.#yield();
      return;
    }
    this.#waking = AWAKE;
    const [now, facts, members] = [this.#world.now(), this.#world.facts(), this.#roll.members()];
    const standing: Standing = {
      ...{ me: this.name, isActive: true, members, claims: this.#claims },
      interfaces: ["eth0"],
      taking: this.#taking,
      isGone: (owner, address) => isGone(this.#witness, owner, address),
      verdicts: 0,
    };
    const plan = planFor(facts, standing);
    this.#suspect(suspectsFor(facts, standing));
    this.#lastPlan = plan;
    const claimed = new Map(members.map(({ node, claims }) => [node, claims]));
    this.#ownership = nextOwnership(this.#ownership, {
      ...{ plan, me: this.name, now },
      isWithheld: () => false,
      isClaimedBy: (address, node) =>
        claimed.get(node)?.some(claim => claim.address === address) ?? false,
    });
    this.kernel = new Set(this.#ownership.owned.keys());
    this.#say(this.kernel, address => plan.addresses.get(address)?.owner === this.name);
  }

  #yield(): void {
    this.#ownership = withoutAddresses(
      this.#ownership,
      replacedClaims(this.#claims, this.#roll.members()),
    );
    this.kernel = new Set(this.#ownership.owned.keys());
    this.#say(this.kernel);
  }

  #say(answering: ReadonlySet<string>, isMine: (address: string) => boolean = () => false): void {
    const claims = nextClaims(this.#claims, answering, { members: this.#roll.members(), isMine });
    if (JSON.stringify(claims) === JSON.stringify(this.#claims)) return;
    this.#claims = claims;
    this.#pages = pagesOf((this.#pages[0]?.list ?? 0) + 1, claims);
    this.#send(this.#peers);
  }

  #send(to: readonly string[], said: Partial<Heartbeat> = {}): void {
    for (const node of to) {
      this.#sequence += 1n;
      this.#world.send(node, {
        ...{ node: this.name, phase: this.#phase, intervalMs: INTERVAL_MS },
        ...{ bootId: this.#bootId, sequence: this.#sequence, asks: 0n, answers: 0n },
        ...{ isToGroup: false, isDeaf: false, wantsWord: false, wantsAll: false },
        interfaces: ["eth0"],
        page: pageAt(this.#pages, 0),
        ...said,
      });
    }
  }
}
