import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { emptyLiveness, hear, membersOf, retain, sweep } from "./liveness";
import type { Liveness } from "./liveness";
import type { Member } from "./membership";
import { pagesOf } from "./packet";
import type { Heartbeat } from "./packet";

const INTERVAL = 50;
const CLAIM = { address: "10.0.0.1", epoch: 3 };
const beat = (over: Partial<Heartbeat> = {}): Heartbeat => ({
  node: "n2",
  phase: "active",
  bootId: 100n,
  sequence: 1n,
  asks: 0n,
  answers: 0n,
  page: pagesOf(1, [CLAIM])[0]!,
  ...over,
});

const listen = (state: Liveness, over: Partial<Heartbeat>, now: number) =>
  hear(state, beat(over), { now, nonce: 77n });
const healthOf = (state: Liveness): Member["health"] | undefined => membersOf(state)[0]?.health;

/** n2 was heard, asked, and answered. */
function proven(over: Partial<Heartbeat> = {}, now = 0): Liveness {
  const asked = listen(emptyLiveness(0), over, now);
  return listen(asked.state, { ...over, sequence: 2n, answers: 77n }, now).state;
}

/** Sweeps as often as the heartbeat does, from one time to another. */
function sweepUntil(state: Liveness, from: number, to: number): Liveness {
  let swept = state;
  for (let now = from; now <= to; now += 10) swept = sweep(swept, now, INTERVAL);
  return swept;
}

describe("hear", () => {
  it("asks a boot that it does not know, and takes it in when it answers", () => {
    const first = listen(emptyLiveness(0), {}, 0);
    expect(first).toMatchObject({ fate: "unproven", ask: 77n });
    expect(membersOf(first.state)).toEqual([]);
    const answer = listen(first.state, { sequence: 2n, answers: 77n }, 1);
    expect(answer.fate).toBe("accepted");
    expect(membersOf(answer.state)).toEqual([
      { node: "n2", phase: "active", health: "heard", claims: [CLAIM] },
    ]);
  });

  it("asks with the same nonce until it is answered, and with another one the next time", () => {
    const first = listen(emptyLiveness(0), {}, 0);
    const again = hear(first.state, beat({ sequence: 2n }), { now: 1, nonce: 78n });
    expect(again.ask).toBe(77n);
    const other = hear(proven(), beat({ bootId: 101n }), { now: 1, nonce: 79n });
    expect(other.ask).toBe(79n);
  });

  it("a wrong answer, an answer nobody asked for and 0 prove nothing", () => {
    expect(listen(emptyLiveness(0), { answers: 77n }, 0).fate).toBe("unproven");
    const asked = listen(emptyLiveness(0), {}, 0).state;
    expect(listen(asked, { answers: 78n }, 0).fate).toBe("unproven");
    expect(listen(asked, { answers: 0n }, 0).fate).toBe("unproven");
  });

  it("a repeated or older packet of a known boot has no effect at all", () => {
    const state = proven();
    for (const sequence of [0n, 1n, 2n]) {
      expect(listen(state, { sequence, phase: "leaving" }, 9)).toEqual({ state, fate: "replayed" });
    }
  });

  it("whatever was recorded has no effect when it is played again", () => {
    const recorded = fc.record({
      bootId: fc.constantFrom(1n, 2n, 3n),
      sequence: fc.bigInt({ min: 1n, max: 9n }),
      answers: fc.constantFrom(0n, 1n, 2n, 3n, 4n),
      phase: fc.constantFrom<Heartbeat["phase"]>("starting", "active", "leaving"),
    });
    fc.assert(
      fc.property(fc.array(recorded, { maxLength: 40 }), packets => {
        // The present boot is 9 and has sent up to 20; nonces of the past were 1 to 4.
        const asked = listen(emptyLiveness(0), { bootId: 9n }, 0).state;
        const before = listen(asked, { bootId: 9n, sequence: 20n, answers: 77n }, 0).state;
        const after = packets.reduce((state, packet) => listen(state, packet, 9).state, before);
        expect(membersOf(after)).toEqual(membersOf(before));
        expect(healthOf(sweepUntil(after, 10, 150))).toBe("silent");
      }),
    );
  });

  it("a restarted peer counts when it answers, and keeps its claims until it has told the new ones", () => {
    const silent = sweepUntil(proven(), 10, 200);
    const asked = listen(silent, { bootId: 101n, phase: "starting" }, 210);
    expect(healthOf(asked.state)).toBe("silent");
    const page = { list: 1, index: 0, pages: 2, claims: [] };
    const back = listen(asked.state, { bootId: 101n, phase: "starting", answers: 77n, page }, 211);
    expect(membersOf(back.state)).toEqual([
      { node: "n2", phase: "starting", health: "heard", claims: [CLAIM] },
    ]);
  });
});

describe("sweep", () => {
  it("a peer is late after one and a half intervals and silent after three", () => {
    const state = proven();
    expect(healthOf(sweepUntil(state, 10, 70))).toBe("heard");
    expect(healthOf(sweepUntil(state, 10, 80))).toBe("late");
    expect(healthOf(sweepUntil(state, 10, 140))).toBe("late");
    expect(healthOf(sweepUntil(state, 10, 150))).toBe("silent");
  });

  it("one heartbeat makes it heard again", () => {
    const silent = sweepUntil(proven(), 10, 200);
    expect(healthOf(listen(silent, { sequence: 3n }, 201).state)).toBe("heard");
  });

  it("a pause of this process is not held against the peers", () => {
    const paused = sweep(proven(), 10_000, INTERVAL);
    expect(healthOf(paused)).toBe("heard");
    expect(healthOf(sweepUntil(paused, 10_010, 10_150))).toBe("silent");
  });

  it("nobody turns silent who is heard in every third interval, however the sweeps fall", () => {
    const waits = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 200 });
    fc.assert(
      fc.property(waits, steps => {
        let state = proven();
        let now = 0;
        let heardAt = 0;
        let sequence = 2n;
        for (const wait of steps) {
          now += wait;
          if (now - heardAt > 80) {
            sequence += 1n;
            state = listen(state, { sequence }, now).state;
            heardAt = now;
          }
          state = sweep(state, now, INTERVAL);
          expect(healthOf(state)).not.toBe("silent");
        }
      }),
    );
  });
});

describe("retain", () => {
  it("forgets who is no node of the cluster any more", () => {
    expect(membersOf(retain(proven(), new Set(["n1"])))).toEqual([]);
    const state = proven();
    expect(retain(state, new Set(["n2"]))).toBe(state);
    const asked = listen(emptyLiveness(0), {}, 0).state;
    expect(retain(asked, new Set()).asked.size).toBe(0);
  });
});
