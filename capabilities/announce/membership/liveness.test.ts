import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { emptyLiveness, hear, livePeers, retain, sweep } from "./liveness";
import type { Liveness } from "./liveness";
import type { Heartbeat } from "./packet";

const TIMEOUT = 1000;
const beat = (over: Partial<Heartbeat> = {}): Heartbeat => ({
  node: "n2",
  phase: "active",
  bootId: 100n,
  sequence: 1n,
  ...over,
});

function heardOnce(over: Partial<Heartbeat> = {}, now = 0): Liveness {
  return hear(emptyLiveness(0), beat(over), now).state;
}

describe("liveness", () => {
  it("an active peer joins with its first heartbeat and goes after a silence of the timeout", () => {
    const first = hear(emptyLiveness(0), beat(), 0);
    expect(first.change).toEqual({ joined: ["n2"], left: [] });
    const early = sweep({ ...first.state, sweptAt: 900 }, 999, TIMEOUT);
    expect(early.change).toBeUndefined();
    expect(livePeers(early.state)).toEqual(["n2"]);
    const late = sweep(early.state, 1000, TIMEOUT);
    expect(late.change).toEqual({ joined: [], left: [{ node: "n2", cause: "silent" }] });
    expect(livePeers(late.state)).toEqual([]);
  });

  it("a starting peer is not live, and joins when it becomes active", () => {
    const starting = hear(emptyLiveness(0), beat({ phase: "starting" }), 0);
    expect(starting.change).toBeUndefined();
    expect(livePeers(starting.state)).toEqual([]);
    const active = hear(starting.state, beat({ sequence: 2n }), 1);
    expect(active.change?.joined).toEqual(["n2"]);
  });

  it("a leaving peer goes at once", () => {
    const step = hear(heardOnce(), beat({ phase: "leaving", sequence: 2n }), 10);
    expect(step.change).toEqual({ joined: [], left: [{ node: "n2", cause: "leaving" }] });
    const delayed = hear(step.state, beat({ sequence: 1n }), 11);
    expect(livePeers(delayed.state)).toEqual([]);
  });

  it("replays and packets of an earlier boot have no effect", () => {
    const state = heardOnce({ sequence: 5n, bootId: 200n });
    expect(hear(state, beat({ sequence: 5n, bootId: 200n }), 500).state).toBe(state);
    expect(hear(state, beat({ sequence: 9n, bootId: 199n }), 500).state).toBe(state);
  });

  it("a restarted peer counts with its new boot id from sequence 1 on", () => {
    const step = hear(heardOnce({ sequence: 50n }), beat({ bootId: 101n }), 500);
    expect(step.change?.joined).toEqual(["n2"]);
    expect(hear(step.state, beat({ sequence: 51n }), 600).state).toBe(step.state);
  });

  it("after a reboot with the clock set back the peer counts once its old self is silent", () => {
    const silent = sweep({ ...heardOnce(), sweptAt: 900 }, 1000, TIMEOUT).state;
    const step = hear(silent, beat({ bootId: 3n }), 1100);
    expect(step.change?.joined).toEqual(["n2"]);
  });

  it("a delayed packet of a silent peer does not bring it back", () => {
    const silent = sweep({ ...heardOnce({ sequence: 9n }), sweptAt: 900 }, 1000, TIMEOUT).state;
    expect(hear(silent, beat({ sequence: 8n }), 1100).state).toBe(silent);
    expect(hear(silent, beat({ sequence: 10n }), 1100).change?.joined).toEqual(["n2"]);
  });

  it("a pause of this process is not held against the peers", () => {
    const step = sweep(heardOnce(), 10_000, TIMEOUT);
    expect(step.change).toBeUndefined();
    expect(sweep({ ...step.state, sweptAt: 10_900 }, 11_000, TIMEOUT).change?.left).toHaveLength(1);
  });

  it("a node that was deleted from the cluster goes", () => {
    expect(retain(heardOnce(), new Set(["n1"])).change?.left).toEqual([
      { node: "n2", cause: "removed" },
    ]);
    expect(retain(heardOnce(), new Set(["n2"])).change).toBeUndefined();
  });

  it("changes add up to the live set, whatever arrives in whatever order", () => {
    const event = fc.oneof(
      fc.record({
        node: fc.constantFrom("a", "b", "c"),
        phase: fc.constantFrom<Heartbeat["phase"]>("starting", "active", "leaving"),
        bootId: fc.bigInt({ min: 1n, max: 3n }),
        sequence: fc.bigInt({ min: 1n, max: 6n }),
      }),
      fc.constant("sweep" as const),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(event, fc.nat(400)), { maxLength: 60 }), events => {
        let state = emptyLiveness(0);
        let now = 0;
        const live = new Set<string>();
        for (const [what, wait] of events) {
          now += wait;
          const step = what === "sweep" ? sweep(state, now, TIMEOUT) : hear(state, what, now);
          state = step.state;
          step.change?.joined.forEach(node => live.add(node));
          step.change?.left.forEach(({ node }) => live.delete(node));
          expect(new Set(livePeers(state))).toEqual(live);
        }
      }),
    );
  });
});
