import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NO_FORWARDING, forwardingOf, parseNote } from "./forwarding";
import type { Forwarding } from "./forwarding";
import { nextTrails } from "./trail";
import type { Trails } from "./trail";

const IP = "10.20.30.1";

/** The trail as `me` has it after one look: who is to own the address, and who claims it, as `node epoch`. */
function look(
  before: Trails,
  {
    me = "n1",
    owner = "n1",
    claims = [] as readonly string[],
    without = [] as readonly string[],
    lost = [] as readonly string[],
  },
): Trails {
  return nextTrails(before, {
    me,
    owners: new Map([[IP, owner]]),
    holders: new Map([
      [
        IP,
        claims.map(claim => {
          const [node = "", epoch] = claim.split(" ");
          return { node, epoch: Number(epoch) };
        }),
      ],
    ]),
    exists: node => !without.includes(node),
    isLost: node => lost.includes(node),
  });
}

const nodesOf = (trails: Trails): string => trails.get(IP)?.nodes.join(" ") ?? "";

describe("nextTrails", () => {
  const first = look(new Map(), { claims: ["n1 1"] });

  it("begins with the owner, and with who answers until that does", () => {
    expect(nodesOf(first)).toBe("n1");
    expect(nodesOf(look(new Map(), { owner: "n2", claims: ["n1 4"] }))).toBe("n2 n1");
  });

  it("has each node once, the last owner first", () => {
    const second = look(first, { owner: "n2", claims: ["n1 1", "n2 2"] });
    const third = look(second, { owner: "n3", claims: ["n3 3", "n2 2"] });
    expect(nodesOf(third)).toBe("n3 n2 n1");
    expect(nodesOf(look(third, { owner: "n1", claims: ["n3 3", "n1 4"] }))).toBe("n1 n3 n2");
  });

  it("takes the order of two takeovers from the epochs, whatever the order of members", () => {
    const both = look(first, { owner: "n3", claims: ["n3 3", "n2 2"] });
    expect(nodesOf(both)).toBe("n3 n2 n1");
  });

  it("leaves out who turns up with no later takeover, as after a partition", () => {
    expect(nodesOf(look(first, { claims: ["n1 1", "n2 1"] }))).toBe("n1");
  });

  it("forgets what was before a takeover that it missed, but not that it had the address itself", () => {
    const second = look(first, { owner: "n2", claims: ["n2 2"] });
    expect(nodesOf(look(second, { owner: "n3", claims: ["n3 4"] }))).toBe("n3 n1");
    expect(nodesOf(look(second, { me: "n4", owner: "n3", claims: ["n3 4"] }))).toBe("n3");
  });

  it("forgets who is lost while another one takes the address, and not before", () => {
    const second = look(first, { me: "n2", owner: "n2", claims: ["n2 2"] });
    const lost = ["n1", "n2"];
    expect(nodesOf(look(second, { me: "n2", owner: "n2", claims: ["n2 2"], lost }))).toBe("n2 n1");
    expect(nodesOf(look(second, { me: "n2", owner: "n3", claims: ["n3 3"], lost }))).toBe("n3 n2");
  });

  it("takes a count that begins anew for a restart", () => {
    const high = look(first, { claims: ["n1 2"] });
    const anew = look(look(high, { owner: "n2", claims: ["n2 3"] }), {
      owner: "n2",
      claims: ["n2 0"],
    });
    expect(nodesOf(look(anew, { owner: "n2", claims: ["n2 1"] }))).toBe("n2 n1");
  });

  it("forgets nodes that the cluster has no more, and addresses that nobody is to have", () => {
    const second = look(first, { owner: "n2", claims: ["n2 2"] });
    expect(nodesOf(look(second, { owner: "n2", without: ["n1"] }))).toBe("n2");
    expect(
      nextTrails(second, {
        me: "n1",
        owners: new Map(),
        holders: new Map(),
        exists: () => true,
        isLost: () => false,
      }).size,
    ).toBe(0);
  });

  it("is the same object when nothing changed", () => {
    expect(look(first, { claims: ["n1 1"] }).get(IP)).toBe(first.get(IP));
  });
});

/**
 * Nodes that each see a history of moves in their own time: of every takeover, or not while they are deaf. A node that
 * is deaf takes nothing. What each has in its kernel survives a restart.
 */
type Step =
  | { readonly do: "move"; readonly to: number }
  | { readonly do: "deaf"; readonly node: number }
  | { readonly do: "hears"; readonly node: number }
  | { readonly do: "restart" | "crash"; readonly node: number };

const SIZE = 5;
const node = fc.nat(SIZE - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("move" as const), to: node }) },
  fc.record({ do: fc.constant("deaf" as const), node }),
  fc.record({ do: fc.constant("hears" as const), node }),
  fc.record({ do: fc.constantFrom("restart" as const, "crash" as const), node }),
);

type World = { readonly owner: number; readonly epoch: number };

class Watcher {
  readonly name: string;
  trails: Trails = new Map();
  kernel: Forwarding = NO_FORWARDING;
  isDeaf = false;

  constructor(readonly index: number) {
    this.name = `n${index}`;
  }

  see({ owner, epoch }: World, former?: World): void {
    if (this.isDeaf) return;
    const holders = [former, { owner, epoch }].flatMap(one =>
      one ? [{ node: `n${one.owner}`, epoch: one.epoch }] : [],
    );
    this.trails = nextTrails(this.trails, {
      me: this.name,
      owners: new Map([[IP, `n${owner}`]]),
      holders: new Map([[IP, holders]]),
      exists: () => true,
      isLost: () => false,
    });
    this.kernel = this.forward(false);
  }

  forward(notesAll: boolean): Forwarding {
    const isReachable = () => true;
    return forwardingOf(this.trails, {
      me: this.name,
      isReachable,
      wayTo: name => name,
      notesAll,
      used: this.trails,
    });
  }

  suffer(event: Exclude<Step, { do: "move" }>, isOwner: boolean): void {
    if (event.do === "deaf") this.isDeaf = !isOwner;
    else if (event.do === "hears") this.isDeaf = false;
    else this.restart(event.do);
  }

  restart(kind: "restart" | "crash"): void {
    if (kind === "restart") this.kernel = this.forward(true);
    const trail = parseNote(this.name, this.kernel.held.get(IP) ?? "");
    this.trails = new Map(trail ? [[IP, trail]] : []);
  }
}

/** Where a packet for the address goes from a node, until nobody sends it on or it goes round. */
function pathFrom(start: number, watchers: readonly Watcher[]): readonly string[] {
  const path = [`n${start}`];
  for (;;) {
    const next = watchers[Number(path.at(-1)?.slice(1))]?.kernel.previous.get(IP);
    if (next === undefined) return path;
    if (path.includes(next)) throw new Error(`round: ${[...path, next].join(" ")}`);
    path.push(next);
  }
}

function play(steps: readonly Step[]): {
  watchers: readonly Watcher[];
  world: World;
  past: readonly number[];
} {
  const watchers = Array.from({ length: SIZE }, (_, i) => new Watcher(i));
  let world: World = { owner: 0, epoch: 1 };
  let past: readonly number[] = [0];
  for (const one of watchers) one.see(world);
  for (const event of steps) {
    const target = watchers[event.do === "move" ? event.to : event.node]!;
    if (event.do === "move") {
      if (target.isDeaf || event.to === world.owner) continue;
      const former = world;
      world = { owner: event.to, epoch: world.epoch + 1 };
      past = [event.to, ...past.filter(other => other !== event.to)];
      // The plan first, then both claim it, then the new one alone.
      for (const one of watchers) one.see(world, former);
    } else target.suffer(event, event.node === world.owner);
    for (const one of watchers) one.see(world);
  }
  return { watchers, world, past };
}

describe("the nodes' trails together", () => {
  it("send nothing round, whatever was missed, once all have heard who owns the address", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), steps => {
        const { watchers, world } = play(steps);
        for (const one of watchers) {
          one.isDeaf = false;
          one.see(world);
        }
        watchers.forEach((_, i) => pathFrom(i, watchers));
      }),
      { numRuns: 2000 },
    );
  });

  it("reach every node that had the address, from its owner, where all were heard", () => {
    const moves = fc.array(
      node.map((to): Step => ({ do: "move", to })),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(moves, steps => {
        const { watchers, world, past } = play(steps);
        expect(pathFrom(world.owner, watchers)).toEqual(past.map(i => `n${i}`));
      }),
    );
  });

  it("reach every former owner when the nodes are restarted in turn", () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: SIZE }),
        fc.array(node, { minLength: SIZE, maxLength: SIZE }),
        (order, heirs) => {
          const steps = order.flatMap((restarted, i): Step[] => [
            // Whoever is restarted has handed over before, to another one.
            { do: "move", to: heirs[i] === restarted ? (restarted + 1) % SIZE : heirs[i]! },
            { do: "restart", node: restarted },
          ]);
          const { watchers, world, past } = play(steps);
          expect(new Set(pathFrom(world.owner, watchers))).toEqual(new Set(past.map(i => `n${i}`)));
        },
      ),
    );
  });
});
