import type { Facts } from "../decision";
import type { ServiceFacts } from "../facts";
import { input, node, service } from "../fixtures";
import type { Heartbeat } from "../membership/packet";
import { VirtualNode } from "./virtual-node";

/** What may happen to the cluster; what is said of nodes is by their number. */
export type Event =
  | { readonly do: "cut"; readonly node: number }
  | { readonly do: "power"; readonly node: number }
  /** SIGSTOP for the process; its kernel goes on. */
  | { readonly do: "freeze"; readonly node: number }
  | { readonly do: "thaw"; readonly node: number }
  /** SIGKILL and a new start. */
  | { readonly do: "restart"; readonly node: number }
  /** The LAN falls into two: the nodes whose bit is set, and the others. */
  | { readonly do: "split"; readonly bits: number }
  | { readonly do: "heal" }
  /** Heartbeats are lost by chance, on their way from one node or all; the LAN is well. */
  | { readonly do: "lose"; readonly share: number; readonly from?: number };

/** Virtual time goes in steps of so many ms. */
const STEP_MS = 5;
const MOST_DELAY_MS = 10;

type Letter = {
  readonly sentAt: number;
  readonly at: number;
  readonly to: string;
  readonly heartbeat: Heartbeat;
};

/** Nodes on a LAN, in a time of their own. The same seed makes the same history. */
export class VirtualCluster {
  readonly nodes: readonly VirtualNode[];
  readonly addresses: readonly string[];
  now = 0;
  readonly #isOff = new Set<string>();
  readonly #isFrozen = new Set<string>();
  readonly #loss = new Map<string, number>();
  readonly #random: () => number;
  /** Services as each node knows them by now. */
  readonly #known = new Map<string, readonly ServiceFacts[]>();
  #split = 0;
  #letters: Letter[] = [];
  readonly #heard = new Map<string, number>();

  constructor(size: number, addresses: number, seed: number) {
    this.#random = randomFrom(seed);
    const names = Array.from({ length: size }, (_, i) => `n${i}`);
    this.addresses = Array.from({ length: addresses }, (_, i) => `10.20.30.${i + 1}`);
    const nodes = names.map(name => node(name));
    this.nodes = names.map(name => {
      const facts = (): Facts =>
        input({ nodes, services: this.#known.get(name) ?? [], placement: "spread" });
      return new VirtualNode(
        name,
        names.filter(other => other !== name),
        {
          facts,
          now: () => this.now,
          random: this.#random,
          send: (to, heartbeat) => {
            this.#send(name, to, heartbeat);
          },
          ask: address => {
            this.#ask(name, address);
          },
        },
      );
    });
    for (const one of this.nodes) one.boot();
  }

  /** Every node hears of all Services, each at a time of its own. */
  announce(spreadMs: number): void {
    const all = this.addresses.map(address => service(address, [address]));
    const pending = this.nodes.flatMap(one =>
      all.map(facts => ({ one, facts, at: this.now + this.#random() * spreadMs })),
    );
    pending.sort((a, b) => a.at - b.at);
    for (const { one, facts, at } of pending) {
      this.run(at - this.now);
      this.#known.set(one.name, [...(this.#known.get(one.name) ?? []), facts]);
      if (this.isRunning(one)) one.factsChanged();
    }
  }

  apply(event: Event): void {
    switch (event.do) {
      case "split":
        this.#split = event.bits;
        return;
      case "heal":
        this.#split = 0;
        return;
      case "lose":
        for (const one of event.from === undefined ? this.nodes : [this.#at(event.from)]) {
          this.#loss.set(one.name, event.share);
        }
        return;
      default:
        this.#touch(this.#at(event.node), event.do);
    }
  }

  run(ms: number): void {
    const end = this.now + ms;
    while (this.now < end) {
      this.now += STEP_MS;
      const due = this.#letters.filter(({ at }) => at <= this.now);
      this.#letters = this.#letters.filter(({ at }) => at > this.now);
      for (const letter of due) this.#deliver(letter);
      for (const one of this.nodes) if (this.isRunning(one)) one.run();
    }
  }

  isRunning({ name }: VirtualNode): boolean {
    return !this.#isOff.has(name) && !this.#isFrozen.has(name);
  }

  /** The nodes whose kernels answer for the address, among those that reach this one. */
  answering(address: string, from: string): readonly VirtualNode[] {
    return this.nodes.filter(
      one => one.kernel.has(address) && !this.#isOff.has(one.name) && this.#reaches(from, one.name),
    );
  }

  /** When the last heartbeat was sent that one node heard of another, and believed. */
  lastHeard(by: string, of: string): number {
    return this.#heard.get(`${by} ${of}`) ?? -Infinity;
  }

  #at(index: number): VirtualNode {
    const one = this.nodes[index % this.nodes.length];
    if (!one) throw new Error("a cluster has nodes");
    return one;
  }

  #touch(one: VirtualNode, what: "cut" | "power" | "freeze" | "thaw" | "restart"): void {
    const isOff = this.#isOff.has(one.name);
    if (what === "cut") this.#isOff.add(one.name);
    if (what === "freeze") this.#isFrozen.add(one.name);
    if (what === "cut" || what === "thaw" || what === "restart") this.#isFrozen.delete(one.name);
    if (what === "power" && isOff) {
      this.#isOff.delete(one.name);
      one.kernel = new Set();
      one.boot();
    }
    if (what === "restart" && !isOff) one.boot();
  }

  #reaches(a: string, b: string): boolean {
    const side = (name: string): number => (this.#split >> Number(name.slice(1))) & 1;
    return side(a) === side(b);
  }

  #send(from: string, to: string, heartbeat: Heartbeat): void {
    if (!this.#reaches(from, to) || this.#random() < (this.#loss.get(from) ?? 0)) return;
    const at = this.now + this.#random() * MOST_DELAY_MS;
    this.#letters.push({ sentAt: this.now, at, to, heartbeat });
  }

  /** A frozen process finds in its socket what came meanwhile, as far as it fits. */
  #deliver(letter: Letter): void {
    const { to, heartbeat } = letter;
    const one = this.nodes.find(({ name }) => name === to);
    if (!one || this.#isOff.has(to)) return;
    if (this.#isFrozen.has(to)) {
      if (this.#letters.length < 2000) this.#letters.push({ ...letter, at: this.now + STEP_MS });
      return;
    }
    if (one.hear(heartbeat)) this.#heard.set(`${to} ${heartbeat.node}`, letter.sentAt);
  }

  #ask(from: string, address: string): void {
    const asker = this.nodes.find(({ name }) => name === from);
    const others = this.answering(address, from).filter(one => one !== asker);
    if (others.length > 0) asker?.answered.add(address);
  }
}

/** mulberry32: numbers from 0 to 1, the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
