import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stateName } from "./fsm";
import { machine, notification, restarting, sent, settings, theirOpen } from "./fixtures";
import type { FsmAction, FsmEvent, PeerState, TimerName, Via } from "./fsm-types";
import { anyMessage, anyOpen } from "./wire/arbitraries";
import { keepalive } from "./wire/keepalive";
import type { Message } from "./wire/message";

describe("any events in any order", { timeout: 60_000 }, () => {
  const via = fc.constantFrom<Via>("outgoing", "incoming");
  const timer = fc.constantFrom<TimerName>(
    "connectRetry",
    "settled",
    ...(["outgoing", "incoming"] as const).flatMap(one =>
      (["hold", "keepalive", "openDelay", "sendHold"] as const).map(
        name => `${one}:${name}` as const,
      ),
    ),
  );
  const message = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<Message>(theirOpen, restarting) },
    { weight: 4, arbitrary: fc.constant<Message>(keepalive) },
    { weight: 1, arbitrary: anyMessage },
    { weight: 1, arbitrary: anyOpen },
  );
  const event: fc.Arbitrary<FsmEvent> = fc.oneof(
    { weight: 2, arbitrary: fc.constant<FsmEvent>({ type: "start" }) },
    { weight: 3, arbitrary: fc.constant<FsmEvent>({ type: "dialled" }) },
    { weight: 3, arbitrary: fc.constant<FsmEvent>({ type: "accepted" }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom<FsmEvent>(
        { type: "stop" },
        { type: "stop", notification: notification(6, 2) },
        { type: "dialFailed", reason: "refused" },
        { type: "reset", notification: notification(6, 10), reason: "BFD is down" },
      ),
    },
    { weight: 2, arbitrary: timer.map(name => ({ type: "timer", timer: name }) as const) },
    { weight: 10, arbitrary: fc.record({ type: fc.constant("message" as const), via, message }) },
    {
      weight: 1,
      arbitrary: fc.record({ type: fc.constant("closed" as const), via, reason: fc.string() }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ type: fc.constantFrom("stalled" as const, "flowing" as const), via }),
    },
  );

  it("keeps the invariants", () => {
    const runs = fc.tuple(
      fc.array(event, { maxLength: 40 }),
      fc.boolean(),
      fc.constantFrom(0, 3, 90),
      fc.constantFrom(0, 5_000),
    );
    fc.assert(
      fc.property(runs, ([events, isPassive, holdTime, openDelayMs]) => {
        const offer = { ...settings.offer, holdTime };
        const peer = machine({ isPassive, openDelayMs, offer }, 0.5);
        let isUp = false;
        for (const one of events) {
          const before = peer.state();
          const actions = peer.send(one);
          isUp = checkActions(actions, isUp);
          if (one.type === "message" && one.message.type === "notification") {
            expect(sent(actions)).toEqual([]);
          }
          checkState(peer.state(), peer.timers, isPassive, isUp);
          if (actions.length === 0 && one.type === "timer") {
            expect(peer.state().connections).toEqual(before.connections);
          }
        }
      }),
      { numRuns: 3_000 },
    );
  });

  /** Sessions go up and down in turn; nothing is written on what is closed. */
  function checkActions(actions: readonly FsmAction[], wasUp: boolean): boolean {
    let isUp = wasUp;
    const closed = new Set<Via>();
    for (const action of actions) {
      if (action.do === "adopt") closed.delete("incoming");
      if (action.do === "close") closed.add(action.via);
      if (action.do === "send") expect(closed.has(action.via)).toBe(false);
      if (action.do === "deliver") expect(isUp).toBe(true);
      const isChange = action.do === "up" || (action.do === "ended" && action.wasUp);
      if (isChange) {
        expect(isUp).toBe(action.do === "ended");
        isUp = !isUp;
      }
    }
    return isUp;
  }

  function checkState(
    state: PeerState,
    timers: ReadonlyMap<TimerName, number>,
    isPassive: boolean,
    isUp: boolean,
  ): void {
    const both = Object.entries(state.connections) as [Via, PeerState["connections"][Via]][];
    const alive = both.filter(([, connection]) => connection !== undefined);
    expect(stateName(state) === "Established").toBe(isUp);
    if (isUp) {
      const rivals = alive.filter(([, connection]) => connection?.phase !== "established");
      expect(rivals.every(([, connection]) => connection?.phase === "openSent")).toBe(true);
    }
    if (!state.isStarted) {
      expect(alive).toHaveLength(0);
      expect(timers.size).toBe(0);
    }
    // There is always something that will happen.
    if (state.isStarted && !isPassive && alive.length === 0) {
      expect(timers.has("connectRetry")).toBe(true);
    }
    expect(
      alive.filter(([, c]) => c?.phase === "openConfirm" || c?.phase === "established").length,
    ).toBeLessThanOrEqual(1);
    // A timer of a connection belongs to one that is there.
    const owners = [...timers.keys()].flatMap(name =>
      name.includes(":") ? name.split(":")[0] : [],
    );
    owners.forEach(owner => {
      expect(alive.map(([name]) => name as string)).toContain(owner);
    });
    timers.forEach(ms => {
      expect(ms).toBeGreaterThan(0);
    });
  }
});
