import { describe, expect, it } from "vitest";
import { kinds, machine, notification, restarting, sent, settings, theirOpen } from "./fixtures";
import type { Message } from "./wire/message";
import { keepalive } from "./wire/keepalive";
import { describeNotification, shutdownNotification } from "./wire/notification";
import type { Notification } from "./wire/notification";
import { endOfRib } from "./wire/update";

describe("the way to Established (RFC 4271 8.2.2)", () => {
  it("bgp#1 goes Idle, Connect, OpenSent, OpenConfirm, Established", () => {
    const peer = machine();
    expect(peer.name()).toBe("Idle");
    expect(kinds(peer.send({ type: "start" }))).toEqual(["dial", "setTimer"]);
    expect(peer.name()).toBe("Connect");
    expect(sent(peer.send({ type: "dialled" }))).toEqual(["open"]);
    expect(peer.name()).toBe("OpenSent");
    expect(sent(peer.receive(theirOpen))).toEqual(["keepalive"]);
    expect(peer.name()).toBe("OpenConfirm");
    expect(kinds(peer.receive(keepalive))).toContain("up");
    expect(peer.name()).toBe("Established");
    expect([...peer.timers.keys()].sort()).toEqual([
      "outgoing:hold",
      "outgoing:keepalive",
      "settled",
    ]);
  });

  it("bgp#17 a passive one never dials", () => {
    const peer = machine({ isPassive: true });
    expect(peer.send({ type: "start" })).toEqual([]);
    expect(peer.name()).toBe("Active");
    expect(kinds(peer.send({ type: "accepted" }))[0]).toBe("adopt");
    expect(kinds(peer.send({ type: "closed", via: "incoming", reason: "reset" }))).toEqual([
      "close",
      "ended",
    ]);
    expect(peer.timers.size).toBe(0);
  });

  it("waits before the first attempt if told to (IdleHoldTimer, 8.1.1)", () => {
    const peer = machine({ idleHoldMs: 700 });
    expect(kinds(peer.send({ type: "start" }))).toEqual(["setTimer"]);
    expect([...peer.timers]).toEqual([["connectRetry", 700]]);
    expect(kinds(peer.send({ type: "timer", timer: "connectRetry" }))[0]).toBe("dial");
    const passive = machine({ idleHoldMs: 700, isPassive: true });
    expect(passive.send({ type: "start" })).toEqual([]);
  });

  it("bgp#8 waits four minutes for an OPEN", () => {
    const peer = machine();
    peer.send({ type: "start" });
    peer.send({ type: "dialled" });
    expect(peer.timers.get("outgoing:hold")).toBe(240_000);
    expect(sent(peer.send({ type: "timer", timer: "outgoing:hold" }))).toEqual(["4/0"]);
    expect(peer.name()).toBe("Active");
  });

  it("waits for the other's OPEN if told to (DelayOpen, 8.1.1)", () => {
    const delayed = machine({ openDelayMs: 2_000 });
    delayed.send({ type: "start" });
    expect(sent(delayed.send({ type: "dialled" }))).toEqual([]);
    expect(sent(delayed.receive(theirOpen))).toEqual(["open", "keepalive"]);
    expect(delayed.timers.has("outgoing:openDelay")).toBe(false);
    const silent = machine({ openDelayMs: 2_000 });
    silent.send({ type: "start" });
    silent.send({ type: "dialled" });
    expect(sent(silent.send({ type: "timer", timer: "outgoing:openDelay" }))).toEqual(["open"]);
    expect(silent.name()).toBe("OpenSent");
  });

  it.each<[string, readonly Message[], Message, string]>([
    ["OpenSent", [], keepalive, "5/1 4"],
    ["OpenSent", [], endOfRib("ipv4"), "5/1 2"],
    ["OpenConfirm", [theirOpen], theirOpen, "5/2 1"],
    ["OpenConfirm", [theirOpen], endOfRib("ipv4"), "5/2 2"],
    ["Established", [theirOpen, keepalive], theirOpen, "5/3 1"],
  ])("bgp#10 in %s answers what it does not expect (RFC 6608)", (name, before, message, code) => {
    const peer = machine();
    peer.send({ type: "start" });
    peer.send({ type: "dialled" });
    before.forEach(one => peer.receive(one));
    expect(peer.name()).toBe(name);
    const answer = peer.receive(message).find(action => action.do === "send");
    const told = answer?.message as Notification;
    expect(`${told.code}/${told.subcode} ${told.data.join()}`).toBe(code);
    expect(peer.name()).toBe("Active");
  });

  it("bgp#30 does without capabilities once they were refused (RFC 5492 3)", () => {
    const peer = machine();
    peer.send({ type: "start" });
    peer.send({ type: "dialled" });
    peer.receive(notification(2, 4));
    peer.send({ type: "timer", timer: "connectRetry" });
    const [, action] = peer.send({ type: "dialled" }).filter(a => a.do !== "clearTimer");
    expect(action).toMatchObject({ do: "send", message: { type: "open", capabilities: [] } });
    peer.receive({ ...theirOpen, capabilities: [] });
    expect(kinds(peer.receive(keepalive))).toContain("up");
  });

  it("tells what is wrong with an OPEN", () => {
    const peer = machine();
    peer.send({ type: "start" });
    peer.send({ type: "dialled" });
    const actions = peer.receive({ ...theirOpen, capabilities: [], myAs: 65_003 });
    expect(sent(actions)).toEqual(["2/2"]);
    expect(actions).toContainEqual({
      do: "ended",
      wasUp: false,
      isGraceful: false,
      reason: "the peer's AS number is 65003, expected 65002",
    });
  });
});

describe("timers", () => {
  it.each([
    [0, 2_250],
    [0.999_999, 3_000],
  ])("bgp#6 the keepalive is a third of the hold time, with jitter of random %d", (random, ms) => {
    const peer = machine({}, random);
    peer.establish();
    expect(peer.timers.get("outgoing:keepalive")).toBe(ms);
    expect(sent(peer.send({ type: "timer", timer: "outgoing:keepalive" }))).toEqual(["keepalive"]);
    expect(peer.timers.get("outgoing:keepalive")).toBe(ms);
  });

  it("bgp#6 keepalives never come more often than once a second", () => {
    const peer = machine({}, 0);
    peer.establish({ ...theirOpen, holdTime: 3 });
    expect(peer.timers.get("outgoing:keepalive")).toBe(1_000);
  });

  it("bgp#5 hold time 0 has neither keepalives nor an end", () => {
    const peer = machine();
    peer.establish({ ...theirOpen, holdTime: 0 });
    expect([...peer.timers.keys()]).toEqual(["settled"]);
  });

  it("bgp#9 KEEPALIVE and UPDATE restart the hold timer", () => {
    const peer = machine();
    peer.establish();
    const hold = { do: "setTimer", timer: "outgoing:hold", ms: 9_000 };
    expect(peer.receive(keepalive)).toEqual([hold]);
    const update = endOfRib("ipv4");
    expect(peer.receive(update)).toEqual([hold, { do: "deliver", message: update }]);
    expect(sent(peer.send({ type: "timer", timer: "outgoing:hold" }))).toEqual(["4/0"]);
  });

  it("bgp#25 a peer that reads nothing is dropped, but not an idle one (RFC 9687)", () => {
    const peer = machine({ sendHoldMs: 10_000 });
    peer.establish();
    expect(peer.timers.has("outgoing:sendHold")).toBe(false);
    peer.send({ type: "stalled", via: "outgoing" });
    expect(peer.timers.get("outgoing:sendHold")).toBe(18_000);
    expect(peer.send({ type: "stalled", via: "outgoing" })).toEqual([]);
    peer.send({ type: "flowing", via: "outgoing" });
    expect(peer.timers.has("outgoing:sendHold")).toBe(false);
    peer.send({ type: "stalled", via: "outgoing" });
    expect(sent(peer.send({ type: "timer", timer: "outgoing:sendHold" }))).toEqual(["8/0"]);
  });

  it("bgp#13 waits longer after each failure, up to the limit, and forgets after a while", () => {
    const peer = machine();
    peer.send({ type: "start" });
    const waits = Array.from({ length: 9 }, () => {
      peer.send({ type: "dialFailed", reason: "refused" });
      const wait = peer.timers.get("connectRetry");
      peer.send({ type: "timer", timer: "connectRetry" });
      return (wait ?? 0) / 1_000;
    });
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 120, 120]);
    peer.send({ type: "dialled" });
    peer.receive(theirOpen);
    peer.receive(keepalive);
    expect(peer.state().failures).toBe(9);
    peer.send({ type: "timer", timer: "settled" });
    peer.send({ type: "closed", via: "outgoing", reason: "reset" });
    expect(peer.timers.get("connectRetry")).toBe(1_000);
  });

  it("bgp#14 an attempt to connect has an end", () => {
    const peer = machine();
    peer.send({ type: "start" });
    expect(peer.timers.get("connectRetry")).toBe(5_000);
    const actions = peer.send({ type: "timer", timer: "connectRetry" });
    expect(kinds(actions)).toEqual(["cancelDial", "ended", "setTimer"]);
    expect(peer.name()).toBe("Active");
  });
});

describe("two connections (RFC 4271 6.8)", () => {
  it.each([
    ["ours is lower: the peer's stays", 0x0a000001, "incoming"],
    ["ours is higher: ours stays", 0x0a000003, "outgoing"],
    ["equal, and the peer's AS is higher (RFC 6286 2.3): the peer's stays", 0x0a000002, "incoming"],
  ] as const)("bgp#15 identifiers: %s", (_name, identifier, survivor) => {
    for (const order of [
      ["outgoing", "incoming"],
      ["incoming", "outgoing"],
    ] as const) {
      const peer = machine({ offer: { ...settings.offer, identifier } });
      peer.send({ type: "start" });
      peer.send({ type: "dialled" });
      peer.send({ type: "accepted" });
      expect(sent(peer.receive(theirOpen, order[0]))).toEqual(["keepalive"]);
      const loser = survivor === "outgoing" ? "incoming" : "outgoing";
      const actions = peer.receive(theirOpen, order[1]);
      expect(actions).toContainEqual(
        expect.objectContaining({ do: "send", via: loser, message: notification(6, 7) }),
      );
      expect(peer.state().connections[loser]).toBeUndefined();
      expect(kinds(peer.receive(keepalive, survivor))).toContain("up");
      expect(peer.state().failures).toBe(0);
    }
  });

  it("bgp#16 a session that is up is not given up for another", () => {
    const peer = machine();
    peer.establish();
    expect(sent(peer.send({ type: "accepted" }))).toEqual(["6/7"]);
    expect(peer.name()).toBe("Established");
  });

  it("is given up for a peer that can restart (RFC 4724 5)", () => {
    const peer = machine();
    peer.establish(restarting);
    const actions = peer.send({ type: "accepted" });
    expect(kinds(actions).slice(0, 4)).toEqual(["close", "clearTimer", "ended", "adopt"]);
    expect(peer.name()).toBe("OpenSent");
  });

  it("an own attempt is given up when the peer's has come through", () => {
    const peer = machine();
    peer.establish(theirOpen, "incoming");
    expect(peer.state().connections.outgoing).toBeUndefined();
    expect(peer.timers.has("connectRetry")).toBe(false);
  });
});

describe("the end", () => {
  it("bgp#26 says why, in words", () => {
    const peer = machine();
    peer.establish();
    const actions = peer.send({ type: "stop", notification: shutdownNotification(2, "bye") });
    expect(sent(actions)).toEqual(["6/2"]);
    expect(actions).toContainEqual({
      do: "ended",
      reason: "stopped by us",
      wasUp: true,
      isGraceful: false,
    });
    expect(peer.name()).toBe("Idle");
    expect(peer.timers.size).toBe(0);
    expect(sent(peer.send({ type: "accepted" }))).toEqual(["6/5"]);
  });

  it("bgp#74 is a hard reset to who would keep our routes (RFC 8538)", () => {
    const gracefulRestart = { restartTime: 60, isRestarting: false, isForwarding: true };
    const peer = machine({ offer: { ...settings.offer, gracefulRestart } });
    peer.establish(restarting);
    const actions = peer.send({ type: "stop", notification: shutdownNotification(2, "bye") });
    const [first] = actions;
    expect(first?.do === "send" && describeNotification(first.message as Notification)).toBe(
      "Cease/HardReset (6/9): Cease/AdministrativeShutdown (6/2): bye",
    );
  });

  it("bgp#70 is silent if routes are to stay", () => {
    const peer = machine();
    peer.establish();
    expect(sent(peer.send({ type: "stop" }))).toEqual([]);
  });

  it("bgp#21 never answers a NOTIFICATION", () => {
    const peer = machine();
    peer.establish();
    const actions = peer.receive(shutdownNotification(2, "back at noon"));
    expect(sent(actions)).toEqual([]);
    expect(actions).toContainEqual({
      do: "ended",
      isGraceful: false,
      wasUp: true,
      reason: "the peer says Cease/AdministrativeShutdown (6/2): back at noon",
    });
  });

  it("bgp#66 waits long after too many prefixes", () => {
    const peer = machine();
    peer.establish();
    peer.receive(notification(6, 1));
    expect(peer.timers.get("connectRetry")).toBe(120_000);
  });

  it("bgp#90 can be a reset, with a new beginning", () => {
    const peer = machine();
    peer.establish();
    const actions = peer.send({
      type: "reset",
      notification: notification(6, 10),
      reason: "BFD is down",
    });
    expect(sent(actions)).toEqual(["6/10"]);
    expect(peer.timers.get("connectRetry")).toBe(1_000);
  });
});
