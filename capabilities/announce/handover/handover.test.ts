import { describe, expect, it } from "vitest";
import { parseRange } from "../../config/address";
import type { AddressRange } from "../../config/address";
import { input, node, service } from "../fixtures";
import type { Member } from "../membership/membership";
import { planAddresses } from "../plan";
import type { Forwarding } from "./forwarding";
import { createHandover } from "./handover";
import type { HandoverNews, HandoverState } from "./handover";
import type { Filter } from "./nft";
import { SILENCE_MS } from "./reachable";
import { SETTLE_MS } from "./settling";

const IP = "10.20.30.1";
const facts = (name: string, address: string) => ({ ...node(name), addresses: [address] });
const NODES = [facts("iris1", "10.20.30.11"), facts("iris2", "10.20.30.12")];
const peer = (over: Partial<Member> = {}): Member => ({
  ...{ node: "iris2", phase: "active", health: "heard", interfaces: ["eth0"] },
  claims: [{ address: IP, epoch: 1 }],
  ...over,
});

/** iris1's handover over a filter that is a variable, in a time of its own. */
class Scene {
  now = 0;
  applied: Forwarding[] = [];
  notes: [string, string][] = [];
  failure = "";
  problems: string[] = [];
  ready = 0;
  state: HandoverState | undefined;
  #timers: { readonly at: number; readonly callback: () => void }[] = [];
  readonly handover;

  constructor(notes: [string, string][] = [], problems: string[] = []) {
    this.notes = notes;
    const filter: Filter = {
      probe: () => Promise.resolve({ families: problems.length > 0 ? [] : ["ipv4"], problems }),
      held: () => Promise.resolve(this.notes),
      apply: forwarding => {
        if (this.failure !== "") return Promise.reject(new Error(this.failure));
        this.applied.push(forwarding);
        return Promise.resolve();
      },
    };
    this.handover = createHandover({
      ...{ me: "iris1", filter, excludes: [], now: () => this.now },
      subnets: () =>
        Promise.resolve([
          { range: parseRange("10.20.30.0/24") as AddressRange, interfaceIndex: 2 },
        ]),
      after: (ms, callback) => {
        const timer = { at: this.now + ms, callback };
        this.#timers.push(timer);
        return () => {
          this.#timers = this.#timers.filter(other => other !== timer);
        };
      },
      onReady: () => this.ready++,
      onState: state => (this.state = state),
    });
  }

  /** The plan gives the address to a node; a peer says what it has. */
  async planned(owner: string, over: Partial<HandoverNews> = {}): Promise<void> {
    const services = [service("web", [IP])];
    const plan = planAddresses(input({ services, nodes: NODES, alive: new Set([owner]) }));
    this.handover.planned({ plan, members: [peer()], own: [], nodes: NODES, links: [], ...over });
    await this.settle();
  }

  async settle(): Promise<void> {
    for (let i = 0; i < 20; i++) await Promise.resolve();
  }

  async pass(ms: number): Promise<void> {
    this.now += ms;
    const due = this.#timers.filter(({ at }) => at <= this.now);
    this.#timers = this.#timers.filter(({ at }) => at > this.now);
    due.forEach(({ callback }) => {
      callback();
    });
    await this.settle();
  }

  get way(): string | undefined {
    return this.applied.at(-1)?.previous.get(IP);
  }
}

async function start(notes: [string, string][] = [], problems: string[] = []): Promise<Scene> {
  const scene = new Scene(notes, problems);
  await scene.handover.start();
  return scene;
}

describe("createHandover", () => {
  it("awaits what it is about to take from one that answers, until the kernel has it", async () => {
    const scene = await start();
    await scene.planned("iris2");
    expect(scene.applied).toEqual([]);
    const planned = scene.planned("iris1");
    expect(scene.handover.isAwaited(IP)).toBe(true);
    await planned;
    expect(scene.handover.isAwaited(IP)).toBe(false);
    expect([scene.way, scene.ready]).toEqual(["10.20.30.12", 1]);
    expect(scene.state).toEqual({ addresses: 1, problems: [] });
  });

  it("awaits nothing and sends nothing to one that is silent, in a takeover", async () => {
    const scene = await start();
    await scene.planned("iris2");
    await scene.planned("iris1", { members: [peer({ health: "silent" })] });
    expect(scene.handover.isAwaited(IP)).toBe(false);
    expect([scene.way, scene.applied]).toEqual([undefined, []]);
  });

  it("lets a takeover go first, unless it is about to take from one that answers", async () => {
    const services = [service("web", [IP]), service("dead", ["10.20.30.2"])];
    const plan = planAddresses(input({ services, nodes: NODES, alive: new Set(["iris1"]) }));
    const scene = await start();
    await scene.planned("iris2");
    await scene.planned("iris1", { plan, own: [{ address: IP, epoch: 2 }] });
    expect(scene.applied).toEqual([]);
    await scene.pass(999);
    await scene.planned("iris1", { plan, own: [{ address: IP, epoch: 2 }] });
    expect(scene.applied).toEqual([]);
    await scene.pass(1);
    expect(scene.way).toBe("10.20.30.12");

    const taking = await start();
    await taking.planned("iris2");
    await taking.planned("iris1", { plan });
    expect(taking.way).toBe("10.20.30.12");
  });

  it("awaits nothing for what it answers for already", async () => {
    const scene = await start();
    await scene.planned("iris2");
    const planned = scene.planned("iris1", { own: [{ address: IP, epoch: 1 }] });
    expect(scene.handover.isAwaited(IP)).toBe(false);
    await planned;
    expect(scene.way).toBe("10.20.30.12");
  });

  it("changes nothing when nothing is to change", async () => {
    const scene = await start();
    for (let i = 0; i < 3; i++) await scene.planned("iris1");
    expect(scene.applied).toHaveLength(1);
  });

  it("sends no more to one that is silent for long, and again when it is back", async () => {
    const scene = await start();
    await scene.planned("iris1");
    const own = [{ address: IP, epoch: 2 }];
    const members = [peer({ health: "silent" })];
    await scene.planned("iris1", { members, own });
    await scene.pass(SILENCE_MS - 10);
    expect(scene.way).toBe("10.20.30.12");
    await scene.pass(20);
    expect(scene.way).toBeUndefined();
    expect(scene.applied.at(-1)?.held.size).toBe(1);
    await scene.planned("iris1", { members: [peer({ claims: [] })], own });
    expect(scene.way).toBe("10.20.30.12");
  });

  it("goes on to send to one that takes the address back, until that is all over", async () => {
    const scene = await start();
    await scene.planned("iris2");
    await scene.planned("iris1");
    const own = [{ address: IP, epoch: 2 }];
    await scene.planned("iris2", { own, members: [peer({ claims: [] })] });
    const last = peer({ claims: [{ address: IP, epoch: 3 }] });
    await scene.planned("iris2", { own, members: [last] });
    expect(scene.way).toBe("10.20.30.12");
    await scene.planned("iris2", { members: [last] });
    await scene.pass(SETTLE_MS - 10);
    expect(scene.way).toBe("10.20.30.12");
    await scene.pass(20);
    expect(scene.way).toBeUndefined();
    expect([...scene.applied.at(-1)!.held]).toEqual([[IP, "3 iris2 ."]]);
  });

  it("removes all when no Service has the address any more", async () => {
    const scene = await start();
    await scene.planned("iris1");
    const plan = planAddresses(input({ services: [], nodes: NODES }));
    await scene.planned("iris1", { plan });
    expect(scene.applied.at(-1)).toEqual({ held: new Map(), previous: new Map() });
  });

  it("goes on with what an earlier run noted", async () => {
    const scene = await start([[IP, "2 . iris2"]]);
    await scene.planned("iris1", {
      members: [peer({ claims: [] })],
      own: [{ address: IP, epoch: 2 }],
    });
    expect(scene.way).toBe("10.20.30.12");
  });

  it("removes what an earlier run left and has no use any more", async () => {
    const scene = await start([[IP, "rubbish"]]);
    const own = [{ address: IP, epoch: 1 }];
    await scene.planned("iris1", { members: [peer({ claims: [] })], own });
    expect(scene.applied.at(-1)?.held.size).toBe(0);
  });

  it("leaves notes of what it saw when it ends, and what is in force as it is", async () => {
    const scene = await start();
    const nodes = [...NODES, facts("iris3", "10.20.30.13")];
    const third = (epoch: number) => peer({ node: "iris3", claims: [{ address: IP, epoch }] });
    await scene.planned("iris3", { nodes, members: [third(1), peer({ claims: [] })] });
    await scene.planned("iris2", { nodes, members: [third(1), peer({ claims: [] })] });
    const last = peer({ claims: [{ address: IP, epoch: 2 }] });
    await scene.planned("iris2", { nodes, members: [third(1), last] });
    expect(scene.applied).toEqual([]);
    await scene.handover.stop();
    expect([...scene.applied.at(-1)!.held]).toEqual([[IP, "2 iris2 iris3"]]);
    expect(scene.way).toBeUndefined();
  });

  it("does not keep an address from moving when the kernel refuses, and tries again later", async () => {
    const scene = await start();
    scene.failure = "Operation not permitted";
    await scene.planned("iris1");
    expect(scene.handover.isAwaited(IP)).toBe(false);
    expect(scene.state).toEqual({ addresses: 0, problems: ["Operation not permitted"] });
    await scene.planned("iris1");
    expect(scene.handover.isAwaited(IP)).toBe(false);
    scene.failure = "";
    await scene.pass(10_001);
    expect(scene.way).toBe("10.20.30.12");
    expect(scene.state?.problems).toEqual([]);
  });

  it("does nothing where it cannot be done, and says why", async () => {
    const scene = await start([], ["ipv4: the program nft is not there: install nftables"]);
    await scene.planned("iris1");
    expect(scene.handover.isAwaited(IP)).toBe(false);
    expect(scene.applied).toEqual([]);
    expect(scene.state?.problems).toHaveLength(1);
  });
});
