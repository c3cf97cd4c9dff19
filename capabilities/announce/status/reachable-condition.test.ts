import { describe, expect, it } from "vitest";
import { reachableOf } from "./reachable-condition";
import type { Delivered, Reachable } from "./reachable-condition";

const IP = "172.30.0.240";
const V6 = "fd00::240";
const at = (seconds: number): string => new Date(seconds * 1000).toISOString();
const NOW = 1_000;

type View = { seen?: string; seenBy?: string; seenAt?: number; movedAt?: number; owner?: string };

/** n1 owns it since second 100, and n2 sees what it sees since second 101. */
function delivered(view: View = {}, address = IP): Delivered {
  const { seen, seenBy = "n2", seenAt = 101, movedAt = 100, owner = "n1" } = view;
  const observed = seen === undefined ? {} : { seen, observedOwner: { seenBy, since: at(seenAt) } };
  return {
    ...{ address, owner: "n1" },
    status: { intendedOwner: { node: owner, since: at(movedAt) }, conditions: [], ...observed },
  };
}

const ask = (
  addresses: readonly Delivered[],
  before?: Reachable,
  now = NOW,
): Reachable | undefined => reachableOf(addresses, { before, now: now * 1000 });

const TRUE: Reachable = { status: "True", reason: "OwnerAnswers", message: "as before" };

describe("reachableOf", () => {
  it("is True when another node sees the owners of all addresses answer", () => {
    expect(ask([delivered({ seen: "n1" }), delivered({ seen: "n1" }, V6)])).toEqual({
      ...{ status: "True", reason: "OwnerAnswers" },
      message: `Another node sees the owner answer for ${IP} and ${V6}`,
    });
  });

  it.each([
    ["nobody", "NobodyAnswers", `${IP}: node n1 is to answer and does not, as node n2 sees it`],
    ["n3", "AnotherAnswers", `${IP}: n3 answers, as node n2 sees it, and n1 is to`],
    [
      "02:00:00:00:00:99",
      "AnotherAnswers",
      `${IP}: 02:00:00:00:00:99 answers, as node n2 sees it, and n1 is to`,
    ],
    [
      "n1 and n3",
      "SeveralAnswer",
      `${IP}: n1 and n3 answer, as node n2 sees it, and only n1 is to`,
    ],
  ])("%s: False with the reason %s", (seen, reason, message) => {
    expect(ask([delivered({ seen }), delivered({ seen: "n1" }, V6)])).toEqual({
      ...{ status: "False", reason, message },
    });
  });

  it("is Unknown before anybody has asked, also for one address of two", () => {
    const unknown = { status: "Unknown", reason: "NotObserved" };
    expect(ask([delivered()])).toMatchObject(unknown);
    expect(ask([delivered({ seen: "n1" }), delivered({}, V6)])).toMatchObject(unknown);
    expect(ask([{ address: IP, owner: "n1", status: undefined }])).toMatchObject(unknown);
  });

  it("keeps what it said while a move is not seen yet", () => {
    const moved = { seen: "n2", seenAt: 50, movedAt: NOW - 2 };
    expect(ask([delivered(moved)], TRUE)).toBe(TRUE);
    expect(ask([delivered({ seen: "n2", owner: "n2" })], TRUE)).toBe(TRUE);
    // The observer has become the owner: what it saw before says nothing of itself.
    expect(ask([delivered({ seen: "n3", seenBy: "n1" })], TRUE)).toBe(TRUE);
  });

  it("but not for ever, and what is seen after a move counts at once", () => {
    const moved = { seen: "n2", seenAt: 50, movedAt: NOW - 10 };
    expect(ask([delivered(moved)], TRUE)).toMatchObject({ reason: "AnotherAnswers" });
    const after = { seen: "n2", seenAt: NOW - 1, movedAt: NOW - 2 };
    expect(ask([delivered(after)], TRUE)).toMatchObject({ reason: "AnotherAnswers" });
  });

  it("an address without an owner is not reachable; without addresses there is nothing to say", () => {
    expect(ask([{ address: IP, owner: undefined, status: undefined }])).toMatchObject({
      ...{ status: "False", reason: "NotAnnounced" },
    });
    expect(ask([])).toBeUndefined();
  });
});
