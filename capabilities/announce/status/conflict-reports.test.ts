import { describe, expect, it } from "vitest";
import type { Conflict } from "../wire/wire";
import { createConflictReports } from "./conflict-reports";
import type { ConflictTurn } from "./conflict-reports";

const IP = "172.30.0.240";
const SEEN: Conflict = { mac: "02:00:00:00:00:99", interface: "eth0", isInUse: true };

function setUp() {
  const turns: ConflictTurn[] = [];
  let clock = 0;
  const reports = createConflictReports({
    me: "n1",
    now: () => `t${++clock}`,
    onTurn: turn => turns.push(turn),
  });
  const update = (conflict?: Conflict, settled?: string) =>
    reports.update({
      conflicts: () => new Map(conflict ? [[IP, conflict]] : []),
      settled: () => settled,
    });
  return { reports, turns, update };
}

describe("createConflictReports", () => {
  it("tells of a stranger once, with its MAC address, and of its end once", () => {
    const { reports, turns, update } = setUp();
    const gone = SEEN.mac;
    const said = [update(SEEN), update(SEEN), update(undefined, gone), update(undefined, gone)];
    expect(said).toEqual([[IP], [], [IP], []]);
    expect(turns.map(({ reason, type }) => [reason, type])).toEqual([
      ["AddressConflict", "Warning"],
      ["AddressConflictEnded", "Normal"],
    ]);
    for (const { message } of turns) expect(message).toContain(SEEN.mac);
    expect(reports.get(IP)).toBeUndefined();
  });

  it("says nothing of an end where another node looks after the address now", () => {
    const { reports, turns, update } = setUp();
    update(SEEN);
    expect(update()).toEqual([IP]);
    expect([turns.length, reports.get(IP)]).toEqual([1, undefined]);
  });

  it("of another stranger it tells anew; since when is when that one was seen", () => {
    const { reports, turns, update } = setUp();
    update(SEEN);
    expect(reports.get(IP)).toEqual({ ...SEEN, seenBy: "n1", since: "t1" });
    update({ ...SEEN, isInUse: false });
    expect(reports.get(IP)).toMatchObject({ isInUse: false, since: "t1" });
    expect(turns).toHaveLength(1);
    update({ ...SEEN, mac: "02:00:00:00:00:98" });
    expect(reports.get(IP)?.since).toBe("t2");
    expect(turns).toHaveLength(2);
  });
});
