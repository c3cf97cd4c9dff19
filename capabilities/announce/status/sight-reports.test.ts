import { describe, expect, it } from "vitest";
import { createSightReports } from "./sight-reports";

const IP = "172.30.0.240";
const MAC = "02:00:00:00:00:02";
const STRANGER = "02:00:00:00:00:99";

function setUp() {
  const clock = { now: Date.parse("2026-01-02T03:04:05.000Z") };
  const reports = createSightReports({ me: "n1", now: () => clock.now });
  let seen: object | undefined;
  const observer = { sight: () => seen as never };
  const update = (sight?: object): boolean => {
    seen = sight;
    return reports.update(IP, observer);
  };
  return { clock, reports, update, forget: () => (seen = undefined) };
}

const OWNER = { text: "n2", node: "n2", mac: MAC, strangers: [], agoMs: 0 };
const BOTH = { text: `${STRANGER} and n2`, mac: STRANGER, strangers: [STRANGER], agoMs: 0 };

describe("createSightReports", () => {
  it("tells what is seen since when, and of changes only", () => {
    const { clock, reports, update } = setUp();
    expect([update(), update(OWNER), update(OWNER)]).toEqual([false, true, false]);
    clock.now += 60_000;
    update({ ...OWNER, agoMs: 5 });
    const at = "2026-01-02T03:04:05.000Z";
    expect(reports.get(IP)).toEqual({ text: "n2", node: "n2", mac: MAC, at });
  });

  it("tells nothing of what another node observes now", () => {
    const { reports, update, forget } = setUp();
    update(OWNER);
    forget();
    expect(reports.get(IP)).toBeUndefined();
  });

  it("reports a stranger when it was seen, and leaves it to the owner from then on", () => {
    const { clock, reports, update } = setUp();
    update(OWNER);
    expect(reports.stranger(IP)).toBeUndefined();
    update(BOTH);
    expect(reports.stranger(IP)).toMatchObject({ mac: STRANGER, seenBy: "n1", isInUse: true });
    clock.now += 5_000;
    expect(reports.stranger(IP)).toBeUndefined();
  });
});
