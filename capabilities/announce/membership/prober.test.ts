import { describe, expect, it } from "vitest";
import type { Link } from "../layer2/kernel-state";
import { gratuitousArpReply } from "../packet/arp";
import { parseMac } from "../packet/ethernet";
import { createProber } from "./prober";

const IP = "10.0.0.1";
const LINK = { index: 2, mac: "02:00:00:00:00:11", ipv4: "10.0.0.9" } as Link;
const ANSWER = gratuitousArpReply({ family: "ipv4", value: 0x0a000001n }, parseMac(LINK.mac)!);

/** A prober whose wire and clock the test holds. */
function setUp(links: () => readonly Link[] = () => [LINK]) {
  const wire: Uint8Array[] = [];
  const seen = { sent: 0, open: 0, verdicts: 0, errors: 0, isDeaf: false };
  let tick: (() => void) | undefined;
  const clock = { now: 0 };
  const waits: number[] = [];
  const prober = createProber({
    openSocket: () => {
      if (seen.isDeaf) throw new Error("no capability");
      seen.open += 1;
      return { receive: () => wire.shift(), close: () => (seen.open -= 1) };
    },
    send: () => (seen.sent += 1),
    links,
    roundMs: 25,
    now: () => clock.now,
    after: (ms, callback) => {
      tick = callback;
      waits.push(ms);
      return () => (tick = undefined);
    },
    onVerdict: () => (seen.verdicts += 1),
    onError: () => (seen.errors += 1),
  });
  const rounds = (count: number): void => {
    for (let i = 0; i < count; i++) tick?.();
  };
  return { prober, wire, seen, rounds, clock, waits, isTicking: () => tick !== undefined };
}

const SUSPECTS = new Map([["n2", [IP]]]);

describe("createProber", () => {
  it("asks at once and every round, and says when an owner is gone", () => {
    const { prober, seen, rounds } = setUp();
    expect(prober.suspicion()).toBe("none");
    prober.suspect(SUSPECTS);
    expect(prober.suspicion()).toBe("asked");
    expect(seen).toMatchObject({ sent: 1, open: 1 });
    rounds(2);
    expect([prober.isGone("n2", IP), seen.verdicts]).toEqual([false, 0]);
    rounds(1);
    expect([prober.isGone("n2", IP), seen.verdicts, seen.sent]).toEqual([true, 1, 4]);
    rounds(1);
    expect([seen.verdicts, prober.verdicts(), prober.suspicion()]).toEqual([1, 1, "verdict"]);
    prober.suspect(new Map());
    expect([prober.verdicts(), prober.suspicion()]).toEqual([2, "none"]);
    prober.suspect(new Map());
    expect(prober.verdicts()).toBe(2);
  });

  it("makes up for a round that began late, but leaves each question time to be answered", () => {
    const { prober, rounds, clock, waits } = setUp();
    prober.suspect(SUSPECTS);
    for (const now of [29, 50, 90, 105]) {
      clock.now = now;
      rounds(1);
    }
    expect(waits).toEqual([25, 21, 25, 15, 25]);
  });

  it("an answer that waits when this process wakes late counts before any verdict", () => {
    const { prober, wire, seen, rounds } = setUp();
    prober.suspect(SUSPECTS);
    rounds(2);
    wire.push(Buffer.from("noise"), ANSWER);
    rounds(1);
    expect([prober.isGone("n2", IP), seen.verdicts]).toEqual([false, 0]);
  });

  it("closes its socket and rests when nobody is suspected", () => {
    const { prober, seen, isTicking } = setUp();
    prober.suspect(SUSPECTS);
    prober.suspect(new Map());
    expect([seen.open, isTicking()]).toEqual([0, false]);
    prober.suspect(SUSPECTS);
    prober.stop();
    expect([seen.open, isTicking()]).toEqual([0, false]);
  });

  it("condemns nobody while it cannot ask or cannot hear", () => {
    const without = setUp(() => []);
    without.prober.suspect(SUSPECTS);
    without.rounds(10);
    expect([without.prober.isGone("n2", IP), without.seen.sent]).toEqual([false, 0]);
    const deaf = setUp();
    deaf.seen.isDeaf = true;
    deaf.prober.suspect(SUSPECTS);
    deaf.rounds(10);
    expect([deaf.prober.isGone("n2", IP), deaf.seen.errors]).toEqual([false, 11]);
  });
});
