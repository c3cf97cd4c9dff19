import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MS, machine, packets } from "./fixtures";
import { jitter } from "./timing";

describe("how often packets go out (RFC 5880 6.8.2, 6.8.3, 6.8.7)", () => {
  it("bgp 82: no more than one a second while the session is not up", () => {
    const one = machine({ desiredMinTx: 50 * MS });
    expect(packets(one.send({ type: "start" }))).toMatchObject([{ desiredMinTx: 1_000 * MS }]);
    expect(one.timers.get("transmit")).toBe(999_999);
    expect(packets(one.hear({ state: "Down" }))).toMatchObject([{ desiredMinTx: 1_000 * MS }]);
    expect(packets(one.hear({ state: "Init" }))).toMatchObject([{ desiredMinTx: 50 * MS }]);
    expect(machine({ desiredMinTx: 5_000 * MS }).send({ type: "start" })).toMatchObject([
      { packet: { desiredMinTx: 5_000 * MS } },
      { timer: "transmit", us: 4_999_998 },
    ]);
  });

  it("bgp 83: at our interval or the neighbor's, whichever is longer", () => {
    const one = machine({ desiredMinTx: 100 * MS }, 0);
    one.goUp({ requiredMinRx: 400 * MS });
    expect(one.timers.get("transmit")).toBe(300 * MS);
    one.hear({ state: "Up", requiredMinRx: 20 * MS });
    expect(one.timers.get("transmit")).toBe(75 * MS);
    // Rarer from the next packet on: what is due comes as it was said.
    one.hear({ state: "Up", requiredMinRx: 4_000 * MS });
    expect(one.timers.get("transmit")).toBe(75 * MS);
    one.send({ type: "timer", timer: "transmit" });
    expect(one.timers.get("transmit")).toBe(3_000 * MS);
  });

  it("bgp 83: less 0 to 25 percent, and 10 to 25 where one lost packet ends the session", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 0xffff_ffff }),
        fc.integer({ min: 1, max: 255 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (interval, multiplier, random) => {
          const us = jitter(interval, multiplier, random);
          expect(us).toBeGreaterThanOrEqual(Math.floor(0.75 * interval));
          expect(us).toBeLessThanOrEqual(multiplier === 1 ? 0.9 * interval : interval);
        },
      ),
    );
    const spread = new Set(Array.from({ length: 100 }, (_, i) => jitter(1_000, 3, i / 100)));
    expect(spread.size).toBe(100);
  });

  it("sends nothing on its own to a neighbor that asks for nothing, or in demand mode is content", () => {
    const one = machine();
    one.goUp({ requiredMinRx: 0 });
    expect(one.timers.has("transmit")).toBe(false);
    one.hear({ state: "Up", requiredMinRx: 100 * MS });
    expect(one.timers.has("transmit")).toBe(true);
    one.hear({ state: "Up", isDemand: true });
    expect(one.timers.has("transmit")).toBe(false);
    expect(packets(one.hear({ state: "Up", isDemand: true, isPoll: true }))).toMatchObject([
      { isFinal: true },
    ]);
  });
});

describe("how long silence may last (RFC 5880 6.8.4)", () => {
  it("bgp 84: the neighbor's multiplier times its interval or ours, whichever is longer", () => {
    const one = machine({ requiredMinRx: 100 * MS, detectMultiplier: 50 });
    one.goUp({ desiredMinTx: 40 * MS, detectMultiplier: 3 });
    expect(one.timers.get("detect")).toBe(300 * MS);
    one.hear({ state: "Up", desiredMinTx: 200 * MS, detectMultiplier: 4 });
    expect(one.timers.get("detect")).toBe(800 * MS);
  });
});

describe("poll sequences (RFC 5880 6.5, 6.8.3)", () => {
  it("bgp 85: answers a poll at once with a final, which is no poll", () => {
    const one = machine();
    one.goUp();
    one.configure({ desiredMinTx: 400 * MS });
    expect(packets(one.hear({ state: "Up", isPoll: true }))).toMatchObject([
      { isFinal: true, isPoll: false },
    ]);
  });

  it("bgp 85: coming up is one, by which the neighbor learns of the real interval", () => {
    const one = machine();
    one.send({ type: "start" });
    expect(packets(one.hear({ state: "Init" }))).toMatchObject([
      { isPoll: true, desiredMinTx: 300 * MS },
    ]);
    expect(packets(one.send({ type: "timer", timer: "transmit" }))).toMatchObject([
      { isPoll: true },
    ]);
    expect(one.hear({ state: "Up", isFinal: true }).map(action => action.do)).toEqual([
      "setTimer",
      "changed",
    ]);
    expect(packets(one.send({ type: "timer", timer: "transmit" }))).toMatchObject([
      { isPoll: false },
    ]);
  });

  it("bgp 85: sending more slowly and hearing faster wait for the final", () => {
    const one = machine({}, 0);
    one.goUp({ requiredMinRx: 10 * MS, desiredMinTx: 10 * MS });
    const said = packets(one.configure({ desiredMinTx: 1_200 * MS, requiredMinRx: 50 * MS }));
    expect(said).toMatchObject([
      { isPoll: true, desiredMinTx: 1_200 * MS, requiredMinRx: 50 * MS },
    ]);
    const rest = { requiredMinRx: 10 * MS, desiredMinTx: 10 * MS };
    one.hear({ state: "Up", ...rest });
    one.send({ type: "timer", timer: "transmit" });
    expect(one.timers.get("transmit")).toBe(225 * MS);
    expect(one.timers.get("detect")).toBe(900 * MS);
    one.hear({ state: "Up", isFinal: true, ...rest });
    expect(one.timers.get("detect")).toBe(150 * MS);
    one.send({ type: "timer", timer: "transmit" });
    expect(one.timers.get("transmit")).toBe(900 * MS);
    expect(one.session().state).toBe("Up");
  });

  it("bgp 85: sending faster and hearing more slowly do not wait", () => {
    const one = machine({}, 0);
    one.goUp({ requiredMinRx: 10 * MS, desiredMinTx: 10 * MS });
    one.configure({ desiredMinTx: 100 * MS, requiredMinRx: 500 * MS });
    expect(one.timers.get("transmit")).toBe(75 * MS);
    one.hear({ state: "Up", desiredMinTx: 10 * MS });
    expect(one.timers.get("detect")).toBe(1_500 * MS);
  });

  it("bgp 85: a change during a poll is polled for once more", () => {
    const one = machine();
    one.goUp();
    one.configure({ requiredMinRx: 200 * MS });
    one.configure({ requiredMinRx: 100 * MS });
    const answer = packets(one.hear({ state: "Up", isFinal: true, desiredMinTx: 10 * MS }));
    expect(answer).toMatchObject([{ isPoll: true, requiredMinRx: 100 * MS }]);
    expect(one.timers.get("detect")).toBe(900 * MS);
    one.hear({ state: "Up", isFinal: true, desiredMinTx: 10 * MS });
    expect(one.timers.get("detect")).toBe(300 * MS);
    expect(one.session().poll).toBe("none");
  });

  it("what is no matter of intervals needs none", () => {
    const one = machine();
    one.goUp();
    expect(packets(one.configure({ detectMultiplier: 5 }))).toMatchObject([
      { isPoll: false, detectMultiplier: 5 },
    ]);
    expect(one.configure({})).toEqual([]);
  });
});

describe("echo (RFC 5880 6.4, 6.8.8, 6.8.9)", () => {
  const ECHO = { echoTx: 50 * MS, requiredMinEchoRx: 50 * MS };

  it("bgp 92: begins when up, if the neighbor loops, at its interval or ours", () => {
    const one = machine(ECHO, 0);
    expect(packets(one.send({ type: "start" }))).toMatchObject([{ requiredMinEchoRx: 50 * MS }]);
    one.goUp();
    expect(one.timers.has("echo")).toBe(false);
    const begun = one.hear({ state: "Up", requiredMinEchoRx: 80 * MS });
    expect(begun).toContainEqual({ do: "sendEcho" });
    expect(one.timers.get("echo")).toBe(60 * MS);
    expect(one.send({ type: "timer", timer: "echo" })).toEqual([
      { do: "sendEcho" },
      { do: "setTimer", timer: "echo", us: 60 * MS },
    ]);
    expect(one.send({ type: "echoReturned" })).toEqual([]);
  });

  it("bgp 92: ends when the neighbor no longer loops, and with the session", () => {
    const one = machine(ECHO);
    one.goUp({ requiredMinEchoRx: 50 * MS });
    one.hear({ state: "Up", requiredMinEchoRx: 0 });
    expect(one.timers.has("echo")).toBe(false);
    one.hear({ state: "Up", requiredMinEchoRx: 50 * MS });
    one.hear({ state: "Down" });
    expect(one.timers.has("echo")).toBe(false);
  });

  it("bgp 92: that does not come back as often as the multiplier says is diagnostic 2", () => {
    const one = machine(ECHO);
    one.goUp({ requiredMinEchoRx: 50 * MS });
    const next = () => one.send({ type: "timer", timer: "echo" });
    next();
    next();
    one.send({ type: "echoReturned" });
    expect([next(), next(), next()].flatMap(packets)).toEqual([]);
    expect(packets(next())).toMatchObject([{ state: "Down", diagnostic: 2 }]);
    expect(one.timers.has("echo")).toBe(false);
    // What comes back late means nothing, and the next session begins anew.
    one.send({ type: "echoReturned" });
    one.hear({ state: "Down" });
    one.hear({ state: "Init", requiredMinEchoRx: 50 * MS });
    expect(one.session()).toMatchObject({ state: "Up", isEchoing: true, echoesUnanswered: 1 });
  });

  it("bgp 92: takes another interval of ours with the next packet", () => {
    const one = machine(ECHO, 0);
    one.goUp({ requiredMinEchoRx: 10 * MS });
    one.configure({ echoTx: 100 * MS });
    expect(one.send({ type: "timer", timer: "echo" })).toContainEqual({
      ...{ do: "setTimer", timer: "echo", us: 75 * MS },
    });
    one.configure({ echoTx: 0 });
    expect(one.timers.has("echo")).toBe(false);
    expect(one.session().state).toBe("Up");
  });
});
