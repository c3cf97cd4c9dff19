import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CLAIM, beat } from "./fixtures";
import { UNHEARD, hear, isIncomplete, sweep } from "./liveness";
import type { Hearing, Peer } from "./liveness";
import type { Health } from "./membership";
import type { Heartbeat } from "./packet";

const healthOf = ({ member }: Peer): Health | undefined => member?.health;

function listen(peer: Peer, over: Partial<Heartbeat>, now: number): Hearing {
  return hear(peer, beat(over), { now, nonce: () => 77n });
}

/** n2 was heard, asked, and answered. */
function proven(over: Partial<Heartbeat> = {}, now = 0): Peer {
  const asked = listen(UNHEARD, over, now);
  return listen(asked.peer, { ...over, sequence: 2n, answers: 77n }, now).peer;
}

/** Sweeps as often as the heartbeat does, from one time to another. */
function sweepUntil(peer: Peer, from: number, to: number): Peer {
  let swept = peer;
  for (let now = from; now <= to; now += 10) swept = sweep(swept, now, 0);
  return swept;
}

describe("hear", () => {
  it("asks a boot that it does not know, and takes it in when it answers", () => {
    const first = listen(UNHEARD, {}, 0);
    expect(first).toMatchObject({ fate: "unproven", ask: 77n });
    expect(first.peer.member).toBeUndefined();
    const answer = listen(first.peer, { sequence: 2n, answers: 77n }, 1);
    expect(answer.fate).toBe("accepted");
    expect(answer.peer.member).toEqual({
      ...{ node: "n2", phase: "active", health: "heard" },
      ...{ claims: [CLAIM], interfaces: ["eth0"] },
    });
  });

  it("asks with the same nonce until it is answered, and with another one the next time", () => {
    const first = listen(UNHEARD, {}, 0);
    const again = hear(first.peer, beat({ sequence: 2n }), { now: 1, nonce: () => 78n });
    expect(again.ask).toBe(77n);
    const other = hear(proven(), beat({ bootId: 101n }), { now: 1, nonce: () => 79n });
    expect(other.ask).toBe(79n);
  });

  it("a wrong answer, an answer nobody asked for and 0 prove nothing", () => {
    expect(listen(UNHEARD, { answers: 77n }, 0).fate).toBe("unproven");
    const asked = listen(UNHEARD, {}, 0).peer;
    expect(listen(asked, { answers: 78n }, 0).fate).toBe("unproven");
    expect(listen(asked, { answers: 0n }, 0).fate).toBe("unproven");
  });

  it("a repeated or older packet of a known boot has no effect at all", () => {
    const peer = proven();
    for (const sequence of [0n, 1n, 2n]) {
      expect(listen(peer, { sequence, phase: "leaving" }, 9)).toEqual({ peer, fate: "replayed" });
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
        const asked = listen(UNHEARD, { bootId: 9n }, 0).peer;
        const before = listen(asked, { bootId: 9n, sequence: 20n, answers: 77n }, 0).peer;
        const after = packets.reduce((peer, packet) => listen(peer, packet, 9).peer, before);
        expect(after.member).toEqual(before.member);
        expect(healthOf(sweepUntil(after, 10, 150))).toBe("silent");
      }),
    );
  });

  it("a restarted peer counts when it answers, and keeps its claims until it has told the new ones", () => {
    const silent = sweepUntil(proven(), 10, 200);
    const asked = listen(silent, { bootId: 101n, phase: "starting" }, 210);
    expect(healthOf(asked.peer)).toBe("silent");
    const page = { list: 1, index: 0, pages: 2, bytes: Buffer.alloc(0) };
    const back = listen(asked.peer, { bootId: 101n, phase: "starting", answers: 77n, page }, 211);
    expect(back.peer.member).toMatchObject({
      ...{ phase: "starting", health: "heard", claims: [CLAIM] },
    });
    expect([isIncomplete(back.peer), isIncomplete(silent)]).toEqual([true, false]);
  });

  it("the member stays the same object until something in it changes", () => {
    const peer = proven();
    const same = listen(peer, { sequence: 3n }, 5).peer;
    expect(same.member).toBe(peer.member);
    const other = listen(same, { sequence: 4n, interfaces: ["eth0", "eth1"] }, 6).peer;
    expect(other.member?.interfaces).toEqual(["eth0", "eth1"]);
  });
});

describe("sweep", () => {
  it("a peer is late after one and a half intervals and silent after three", () => {
    const peer = proven();
    expect(healthOf(sweepUntil(peer, 10, 70))).toBe("heard");
    expect(healthOf(sweepUntil(peer, 10, 80))).toBe("late");
    expect(healthOf(sweepUntil(peer, 10, 140))).toBe("late");
    expect(healthOf(sweepUntil(peer, 10, 150))).toBe("silent");
  });

  it("of its own intervals: nodes may be set differently, as while the setting is rolled out", () => {
    const slow = proven({ intervalMs: 500 });
    expect(healthOf(sweepUntil(slow, 10, 740))).toBe("heard");
    expect(healthOf(sweepUntil(slow, 10, 1500))).toBe("silent");
    const fast = listen(slow, { sequence: 3n, intervalMs: 50 }, 100).peer;
    expect(healthOf(sweepUntil(fast, 110, 250))).toBe("silent");
  });

  it("one heartbeat makes it heard again", () => {
    const silent = sweepUntil(proven(), 10, 200);
    expect(healthOf(listen(silent, { sequence: 3n }, 201).peer)).toBe("heard");
  });

  it("a pause of this process is not held against the peers", () => {
    const paused = sweep(proven(), 10_000, 9_990);
    expect(healthOf(paused)).toBe("heard");
    expect(healthOf(sweepUntil(paused, 10_010, 10_150))).toBe("silent");
  });

  it("one pause of a silence is forgiven, and no other: who is short of CPU sees who is gone, too", () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 30 });
    fc.assert(
      fc.property(gaps, all => {
        let [peer, now, excused, isSilent] = [proven(), 0, 0, false];
        for (const gap of all) {
          now += gap;
          const pause = gap > 62 ? gap : 0;
          if (excused === 0) excused = pause;
          peer = sweep(peer, now, pause);
          isSilent ||= now - excused >= 150;
          expect(healthOf(peer) === "silent").toBe(isSilent);
        }
      }),
    );
  });

  it("every silence has its pause: being heard in between makes the next one forgiven", () => {
    let peer = sweep(proven(), 200, 200);
    peer = sweep(listen(peer, { sequence: 3n }, 201).peer, 401, 200);
    expect(healthOf(peer)).toBe("heard");
    expect(healthOf(sweep(peer, 601, 200))).toBe("silent");
  });

  it("nobody turns silent who is heard in every third interval, however the sweeps fall", () => {
    const waits = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 200 });
    fc.assert(
      fc.property(waits, steps => {
        let peer = proven();
        let now = 0;
        let heardAt = 0;
        let sequence = 2n;
        for (const wait of steps) {
          now += wait;
          if (now - heardAt > 80) {
            sequence += 1n;
            peer = listen(peer, { sequence }, now).peer;
            heardAt = now;
          }
          peer = sweep(peer, now, 0);
          expect(healthOf(peer)).not.toBe("silent");
        }
      }),
    );
  });

  it("returns what it got while nothing changes", () => {
    const peer = proven();
    expect(sweep(peer, 20, 0)).toBe(peer);
    expect(sweep(UNHEARD, 20, 0)).toBe(UNHEARD);
  });
});
