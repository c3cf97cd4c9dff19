import { describe, expect, it } from "vitest";
import { MS, machine, packets } from "./fixtures";
import { Diagnostic } from "./wire/packet";
import type { BfdState } from "./wire/packet";

describe("the states of a BFD session (RFC 5880 6.2, 6.8.6)", () => {
  it("bgp 81: come up in three steps, whichever side is heard first", () => {
    const one = machine();
    one.send({ type: "start" });
    expect(one.session().state).toBe("Down");
    expect(packets(one.hear({ state: "Down" }))).toMatchObject([
      { state: "Init", myDiscriminator: 5, yourDiscriminator: 77 },
    ]);
    expect(packets(one.hear({ state: "Init" }))).toMatchObject([{ state: "Up", isPoll: true }]);
    const other = machine();
    other.send({ type: "start" });
    other.hear({ state: "Init" });
    expect(other.session().state).toBe("Up");
    expect(other.session().diagnostic).toBe(Diagnostic.None);
  });

  // Rows: our state; columns: what is received. The table of RFC 5880 section 6.8.6.
  const table: readonly (readonly [BfdState, BfdState, BfdState])[] = [
    ["Down", "AdminDown", "Down"],
    ["Down", "Down", "Init"],
    ["Down", "Init", "Up"],
    ["Down", "Up", "Down"],
    ["Init", "AdminDown", "Down"],
    ["Init", "Down", "Init"],
    ["Init", "Init", "Up"],
    ["Init", "Up", "Up"],
    ["Up", "AdminDown", "Down"],
    ["Up", "Down", "Down"],
    ["Up", "Init", "Up"],
    ["Up", "Up", "Up"],
    ["AdminDown", "AdminDown", "AdminDown"],
    ["AdminDown", "Down", "AdminDown"],
    ["AdminDown", "Init", "AdminDown"],
    ["AdminDown", "Up", "AdminDown"],
  ];
  it.each(table)("bgp 81: %s on hearing %s is %s", (from, heard, to) => {
    const one = machine();
    one.send({ type: "start" });
    if (from === "AdminDown") one.send({ type: "disable" });
    if (from === "Init") one.hear({ state: "Down" });
    if (from === "Up") one.hear({ state: "Init" });
    expect(one.session().state).toBe(from);
    one.hear({ state: heard });
    expect(one.session().state).toBe(to);
  });

  it("bgp 81: down by the neighbor's word has diagnostic 3, which it hears at once", () => {
    const one = machine();
    one.goUp();
    const actions = one.hear({ state: "Down", diagnostic: 1 });
    expect(packets(actions)).toMatchObject([{ state: "Down", diagnostic: 3 }]);
    expect(actions).toContainEqual({ do: "changed", from: "Up" });
    expect(one.session().remote).toMatchObject({ state: "Down", diagnostic: 1 });
  });

  it("down by silence has diagnostic 1, forgets the neighbor's discriminator and says so at once", () => {
    const one = machine();
    one.goUp();
    const actions = one.send({ type: "timer", timer: "detect" });
    expect(packets(actions)).toMatchObject([
      { state: "Down", diagnostic: 1, yourDiscriminator: 0 },
    ]);
    expect(one.session().remote.discriminator).toBe(0);
    expect(one.hear({ state: "Up" })).toEqual([
      { do: "setTimer", timer: "detect", us: 3_000 * MS },
      { do: "changed", from: "Down" },
    ]);
    expect(one.session().state).toBe("Down");
  });

  it("bgp 89: AdminDown of the neighbor is told as such; our own is said with diagnostic 7", () => {
    const one = machine();
    one.goUp();
    one.hear({ state: "AdminDown", diagnostic: 7 });
    expect(one.session()).toMatchObject({ state: "Down", remote: { state: "AdminDown" } });
    one.goUp();
    const actions = one.send({ type: "disable" });
    expect(packets(actions)).toMatchObject([{ state: "AdminDown", diagnostic: 7 }]);
    expect([...one.timers.keys()]).toEqual(["transmit"]);
    expect(packets(one.send({ type: "timer", timer: "transmit" }))).toHaveLength(1);
    one.hear({ state: "Down", diagnostic: 3 });
    expect(one.session()).toMatchObject({ state: "AdminDown", remote: { state: "Down" } });
    expect(packets(one.send({ type: "enable" }))).toMatchObject([{ state: "Down", diagnostic: 0 }]);
  });

  it("bgp 91: a neighbor that has restarted takes the session down, and is learnt again", () => {
    const one = machine();
    one.goUp();
    const restarted = { myDiscriminator: 99, yourDiscriminator: 0 };
    expect(packets(one.hear({ state: "Down", ...restarted }))).toMatchObject([
      { state: "Down", yourDiscriminator: 99 },
    ]);
    one.hear({ state: "Down", ...restarted });
    one.hear({ state: "Init", myDiscriminator: 99 });
    expect(one.session()).toMatchObject({ state: "Up", remote: { discriminator: 99 } });
  });

  it("bgp 93: the passive side says nothing until it has heard something, and after it has lost it", () => {
    const one = machine({ isPassive: true });
    expect(one.send({ type: "start" })).toEqual([]);
    expect(packets(one.hear({ state: "Down" }))).toMatchObject([{ state: "Init" }]);
    one.hear({ state: "Up" });
    expect(packets(one.send({ type: "timer", timer: "detect" }))).toEqual([]);
    expect(one.timers.has("transmit")).toBe(false);
  });

  it("bgp 86: discards what is for another session, and does nothing else about it", () => {
    const one = machine();
    one.goUp();
    const before = one.session();
    expect(one.hear({ state: "Down", yourDiscriminator: 6 })).toEqual([
      { do: "discarded", reason: "Your Discriminator 6 is not ours" },
    ]);
    expect(one.session()).toBe(before);
  });

  it("bgp 76: is honest in C: it ends with the process that speaks BGP", () => {
    const [first] = packets(machine().send({ type: "start" }));
    expect(first).toMatchObject({ isControlPlaneIndependent: false, isDemand: false });
  });
});
