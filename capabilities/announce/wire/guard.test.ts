import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  DEFEND_INTERVAL_MS,
  NO_GUARD,
  QUIET_ROUNDS,
  goOn,
  isWithheld,
  lookAfter,
  nextDue,
  notice,
} from "./guard";
import type { Duty, Guard, StrangeSighting } from "./guard";

const IP = "172.30.0.240";
const TIMES = { probes: 3, probeIntervalMs: 150, recheckMs: 10_000 };
const STRANGER = { mac: "02:00:00:00:00:99", interface: "eth0" };
const FIRST: Duty = { isFirstUse: true };
const LATER: Duty = { isFirstUse: false };

const say = (what: StrangeSighting["what"] = "reply"): StrangeSighting => ({
  ...{ what, address: IP },
  ...STRANGER,
});
const take = (duty: Duty, now = 0, before: Guard = NO_GUARD): Guard =>
  lookAfter(before, new Map([[IP, duty]]), { now, times: TIMES });

/** Goes on as a timer that keeps to `nextDue` would, until a time; how often was asked. */
function until(guard: Guard, end: number): { guard: Guard; asked: number[] } {
  const asked: number[] = [];
  let state = guard;
  for (let due = nextDue(state); due !== undefined && due <= end; due = nextDue(state)) {
    const next = goOn(state, due, TIMES);
    state = next.guard;
    if (next.ask.includes(IP)) asked.push(due);
  }
  return { guard: state, asked };
}

describe("first use", () => {
  it("withholds the address for three questions that nobody answers", () => {
    const { guard, asked } = until(take(FIRST), 449);
    expect(asked).toEqual([0, 150, 300]);
    expect(isWithheld(guard, IP)).toBe(true);
    expect(isWithheld(until(guard, 450).guard, IP)).toBe(false);
  });

  it("asks for nothing that was in use before: a takeover is not delayed", () => {
    const guard = take(LATER);
    expect([isWithheld(guard, IP), nextDue(guard)]).toEqual([false, undefined]);
  });

  it("asks for nothing where it is switched off", () => {
    const off = lookAfter(NO_GUARD, new Map([[IP, FIRST]]), {
      now: 0,
      times: { ...TIMES, probes: 0 },
    });
    expect(isWithheld(off, IP)).toBe(false);
  });

  it("a process that was late still gives the last question half its time", () => {
    let guard = take(FIRST);
    for (const now of [0, 1000, 2000]) guard = goOn(guard, now, TIMES).guard;
    expect(isWithheld(goOn(guard, 2001, TIMES).guard, IP)).toBe(true);
    expect(isWithheld(goOn(guard, 2075, TIMES).guard, IP)).toBe(false);
  });

  for (const what of ["request", "reply", "advertisement", "probe"] as const) {
    it(`a stranger's ${what} meanwhile is a conflict, and the address is not used`, () => {
      const { guard, defend } = notice(until(take(FIRST), 150).guard, say(what), 160);
      expect(guard.get(IP)).toMatchObject({
        stage: "conflict",
        stranger: STRANGER,
        isInUse: false,
      });
      expect([defend, isWithheld(guard, IP)]).toEqual([false, true]);
    });
  }
});

describe("in use", () => {
  it("a stranger that claims the address is a conflict at once, defended, and we go on", () => {
    const { guard, defend } = notice(take(LATER), say(), 5);
    expect(guard.get(IP)).toMatchObject({ stage: "conflict", isInUse: true });
    expect([defend, isWithheld(guard, IP)]).toEqual([true, false]);
  });

  it("is defended once in ten seconds, however often it is claimed (RFC 5227 2.4)", () => {
    let guard = take(LATER);
    const defended: number[] = [];
    for (let now = 0; now < 30_000; now += 100) {
      const next = notice(guard, say(now % 200 ? "request" : "reply"), now);
      guard = next.guard;
      if (next.defend) defended.push(now);
    }
    expect(defended).toEqual([0, 10_000, 20_000]);
  });

  it("who asks before it takes the address is told that it is in use, which is no conflict", () => {
    let guard = take(LATER);
    const told: number[] = [];
    for (const now of [0, 100, 1000, 2000]) {
      const next = notice(guard, say("probe"), now);
      guard = next.guard;
      if (next.defend) told.push(now);
    }
    expect(told).toEqual([0, 1000, 2000]);
    expect(guard.get(IP)?.stage).toBe("clear");
  });

  it("what is said of other addresses has no effect", () => {
    const guard = take(LATER);
    expect(notice(guard, { ...say(), address: "172.30.0.241" }, 0)).toEqual({
      guard,
      defend: false,
    });
  });
});

describe("the end of a conflict", () => {
  it("comes when the stranger has left three questions unanswered", () => {
    const began = notice(take(FIRST), say(), 0).guard;
    const { guard, asked } = until(began, 60_000);
    expect(asked).toEqual([0, 10_000, 20_000]);
    expect(guard.get(IP)).toMatchObject({ stage: "clear" });
    expect(isWithheld(guard, IP)).toBe(false);
  });

  it("an answer puts it off", () => {
    let { guard } = until(notice(take(LATER), say(), 0).guard, 25_000);
    guard = notice(guard, say(), 25_001).guard;
    expect(until(guard, 45_000).guard.get(IP)).toMatchObject({ stage: "conflict" });
    expect(until(guard, 60_000).guard.get(IP)).toMatchObject({ stage: "clear" });
  });

  it("what the VirtualIP tells of is taken on, but not a second time after it ended", () => {
    const known = { ...STRANGER, isInUse: false };
    const began = take({ ...FIRST, known });
    expect(isWithheld(began, IP)).toBe(true);
    const ended = until(began, 60_000).guard;
    expect(take({ ...LATER, known }, 60_001, ended).get(IP)?.stage).toBe("clear");
    // Taken out there, and seen again by somebody: then it is news.
    const out = take(LATER, 60_002, ended);
    expect(take({ ...LATER, known }, 60_003, out).get(IP)?.stage).toBe("conflict");
  });

  it("another node's report begins a conflict of an address in use", () => {
    const known = { ...STRANGER, isInUse: true };
    const guard = take({ ...LATER, known }, 5, take(LATER));
    expect(guard.get(IP)).toMatchObject({ stage: "conflict", isInUse: true, nextAt: 5 });
  });

  it("addresses that are looked after no more are forgotten", () => {
    expect(lookAfter(take(FIRST), new Map(), { now: 0, times: TIMES }).size).toBe(0);
  });
});

describe("for any history", () => {
  type Step =
    | { readonly wait: number }
    | { readonly hear: StrangeSighting["what"] }
    | { readonly known: boolean };
  type World = { readonly now: number; readonly defendedAt: number; readonly guard: Guard };
  const steps = fc.array(
    fc.oneof(
      fc.record({ wait: fc.nat(12_000) }),
      fc.record({ hear: fc.constantFrom("request", "reply", "advertisement", "probe") }),
      fc.record({ known: fc.boolean() }),
    ) as fc.Arbitrary<Step>,
    { maxLength: 60 },
  );

  function hear(world: World, what: StrangeSighting["what"]): World {
    const { now, guard } = world;
    const next = notice(guard, say(what), now);
    if (next.defend) expect(isWithheld(guard, IP)).toBe(false);
    // Whoever claims the address is known from then on.
    if (what !== "probe") expect(next.guard.get(IP)?.stage).toBe("conflict");
    if (!next.defend || what === "probe") return { ...world, guard: next.guard };
    expect(now - world.defendedAt).toBeGreaterThanOrEqual(DEFEND_INTERVAL_MS);
    return { ...world, defendedAt: now, guard: next.guard };
  }

  function play(world: World, step: Step, isFirstUse: boolean): World {
    if ("hear" in step) return hear(world, step.hear);
    if ("wait" in step) {
      const now = world.now + step.wait;
      return { ...world, now, guard: until(world.guard, now).guard };
    }
    const known = step.known ? { known: { ...STRANGER, isInUse: !isFirstUse } } : {};
    return { ...world, guard: take({ isFirstUse, ...known }, world.now, world.guard) };
  }

  it("what is withheld is not defended, claims are defended rarely, and silence ends all", () => {
    fc.assert(
      fc.property(fc.boolean(), steps, (isFirstUse, history) => {
        let world: World = { now: 0, defendedAt: -Infinity, guard: take({ isFirstUse }) };
        for (const step of history) world = play(world, step, isFirstUse);
        const quiet = world.now + (QUIET_ROUNDS + 2) * TIMES.recheckMs;
        expect(until(world.guard, quiet).guard.get(IP)?.stage).toBe("clear");
      }),
    );
  });
});
