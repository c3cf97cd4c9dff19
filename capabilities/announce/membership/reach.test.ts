import { describe, expect, it } from "vitest";
import { UNHEARD } from "./liveness";
import type { Peer } from "./liveness";
import type { Health } from "./membership";
import { UNASKED, isDeafTo, reachAfterAsking, reachAfterHearing, wishFor } from "./reach";
import type { Reach } from "./reach";

const INTERVAL = 50;
const at = (now: number) => ({ now, intervalMs: INTERVAL });

function peer(health: Health, groupHeardAt: number): Peer {
  const member = { node: "n2", phase: "active", health, claims: [], interfaces: [] } as const;
  return { ...UNHEARD, heardAt: 0, groupHeardAt, intervalMs: INTERVAL, member };
}

/** Asks as the heartbeat does, every interval; returns the times at which it asked. */
function askTimes(one: Peer, until: number): readonly number[] {
  const times: number[] = [];
  let reach: Reach = UNASKED;
  for (let now = 0; now <= until; now += INTERVAL) {
    const wish = wishFor(one, reach, at(now));
    if (!wish) continue;
    times.push(now);
    reach = reachAfterAsking(reach, wish, now);
  }
  return times;
}

describe("wishFor", () => {
  it("nothing for who is heard by the group", () => {
    expect(wishFor(peer("heard", 0), UNASKED, at(40))).toBeUndefined();
  });

  it("a word of who is late, at once, so that one lost heartbeat does not make it silent", () => {
    expect(wishFor(peer("late", 0), UNASKED, at(80))).toMatchObject({
      ...{ isToGroup: false, wantsWord: true, isDeaf: false },
    });
  });

  it("unicast of who is heard, but not by the group", () => {
    expect(wishFor(peer("heard", -1001), UNASKED, at(0))).toMatchObject({ isDeaf: true });
    expect(isDeafTo(peer("heard", -1000), 0)).toBe(false);
  });

  it("asks who is not heard at all ever less often, but never stops", () => {
    const times = askTimes(UNHEARD, 20_000);
    expect(times.slice(0, 5)).toEqual([0, 100, 300, 700, 1500]);
    const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    expect(Math.max(...gaps)).toBe(1500);
    expect(times.length).toBeGreaterThan(10);
  });

  it("asks for all of a list that came in part", () => {
    const pages = new Map();
    const part: Peer = {
      ...peer("heard", 0),
      claims: { claims: [], list: undefined, partial: { list: 1, pages } },
    };
    expect(wishFor(part, UNASKED, at(40))).toMatchObject({ wantsAll: true, wantsWord: false });
  });

  it("every interval to who asked for it, until the lease is over", () => {
    const leased = reachAfterHearing(UNASKED, { isDeaf: true, intervalMs: INTERVAL }, 0);
    expect(wishFor(peer("heard", 4950), leased, at(4950))).toMatchObject({ isDeaf: false });
    expect(wishFor(peer("heard", 5000), leased, at(5000))).toBeUndefined();
    const again = reachAfterHearing(leased, { isDeaf: true, intervalMs: INTERVAL }, 4000);
    expect(again.leasedUntil).toBe(9000);
  });
});

describe("reachAfterHearing", () => {
  it("starts the asking over, and is the same object where nothing changes", () => {
    const asked = { ...UNASKED, askedAt: 5, asks: 7 };
    expect(reachAfterHearing(asked, { isDeaf: false, intervalMs: INTERVAL }, 9).asks).toBe(0);
    expect(reachAfterHearing(UNASKED, { isDeaf: false, intervalMs: INTERVAL }, 9)).toBe(UNASKED);
  });
});
