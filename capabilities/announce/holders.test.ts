import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  alivePeers,
  holdersOf,
  nextClaims,
  replacedClaims,
  suspectsOf,
  withoutReplaced,
} from "./holders";
import type { Member } from "./membership/membership";

const IP = "10.0.0.1";
const IP2 = "10.0.0.2";
const NOBODY = { node: "me", claims: [] };

function member(node: string, over: Partial<Member> = {}): Member {
  return {
    ...{ node, phase: "active", health: "heard", interfaces: ["eth0"] },
    claims: [{ address: IP, epoch: 4 }],
    ...over,
  };
}

describe("holdersOf", () => {
  const holders = (members: readonly Member[], isGone = false) =>
    holdersOf({ members, own: NOBODY, isGone: () => isGone })
      .get(IP)
      ?.map(({ node }) => node);

  it("who is heard or late holds what it claims, whatever the wire says; who leaves does not", () => {
    expect(holders([member("a")], true)).toEqual(["a"]);
    expect(holders([member("a", { health: "late" })], true)).toEqual(["a"]);
    expect(holders([member("a", { phase: "starting" })], true)).toEqual(["a"]);
    expect(holders([member("a", { phase: "leaving" })])).toBeUndefined();
  });

  it("who is silent holds what its kernel answers for, until another one claims it", () => {
    const silent = member("a", { health: "silent" });
    expect(holders([silent])).toEqual(["a"]);
    expect(holders([silent], true)).toBeUndefined();
    expect(holders([silent, member("b")])).toEqual(["b"]);
    expect(holders([member("b"), silent])).toEqual(["b"]);
  });

  it("own claims count with the others'", () => {
    const own = { node: "me", claims: [{ address: IP, epoch: 5 }] };
    const found = holdersOf({ members: [member("a")], own, isGone: () => false });
    expect(found.get(IP)).toEqual([
      { node: "me", epoch: 5 },
      { node: "a", epoch: 4 },
    ]);
  });
});

describe("replacedClaims", () => {
  it("are those that an active peer took later and is heard to claim", () => {
    const own = [{ address: IP, epoch: 3 }];
    const taken = (over: Partial<Member>) => [...replacedClaims(own, [member("a", over)])];
    expect(taken({})).toEqual([IP]);
    expect(taken({ health: "late" })).toEqual([IP]);
    expect(taken({ health: "silent" })).toEqual([]);
    expect(taken({ phase: "leaving" })).toEqual([]);
    expect(taken({ claims: [{ address: IP, epoch: 2 }] })).toEqual([]);
    expect(taken({ claims: [{ address: IP2, epoch: 9 }] })).toEqual([]);
  });
});

describe("replacedClaims of equal epochs", () => {
  const taken = (epoch: number) =>
    replacedClaims([{ address: IP, epoch }], [member("a", { claims: [{ address: IP, epoch }] })]);

  it("are given up by who could not follow, and kept while nobody has taken anything", () => {
    expect([...taken(3)]).toEqual([IP]);
    expect([...taken(0)]).toEqual([]);
  });
});

describe("alivePeers", () => {
  it("are active and not silent", () => {
    const members = [
      member("a"),
      member("b", { health: "late" }),
      member("c", { health: "silent" }),
      member("d", { phase: "starting" }),
      member("e", { phase: "leaving" }),
    ];
    expect(alivePeers(members)).toEqual(["a", "b"]);
  });
});

describe("withoutReplaced", () => {
  const at = (epoch: number) => [{ address: IP, epoch }];
  const silent = (node: string, epoch: number) =>
    member(node, { health: "silent", claims: [...at(epoch), { address: IP2, epoch: 1 }] });
  const claimsOf = (members: readonly Member[]) =>
    withoutReplaced(members).map(({ claims }) => claims.map(one => `${one.address} ${one.epoch}`));

  it("what was taken from a silent node is not its own again when the taker is silent, too", () => {
    expect(claimsOf([silent("a", 4), silent("b", 5)])).toEqual([
      [`${IP2} 1`],
      [`${IP} 5`, `${IP2} 1`],
    ]);
  });

  it("who is heard speaks for itself", () => {
    const members = [member("a"), member("b", { claims: at(5) })];
    expect(withoutReplaced(members)).toBe(members);
    expect(claimsOf([member("a"), silent("b", 5)])[0]).toEqual([`${IP} 4`]);
    const late = member("a", { health: "late" });
    expect(claimsOf([late, silent("b", 5)])[0]).toEqual([`${IP} 4`]);
  });

  it("of two that claim it alike none has taken it from the other", () => {
    expect(claimsOf([silent("a", 4), silent("b", 4)]).map(all => all.length)).toEqual([2, 2]);
  });
});

describe("suspectsOf", () => {
  const heirOf = (address: string): string => (address === IP ? "me" : "other");
  const both = [
    { address: IP, epoch: 1 },
    { address: IP2, epoch: 1 },
  ];

  it("are those not heard, with what this node would inherit", () => {
    const late = member("a", { health: "late", claims: both });
    expect(suspectsOf([late, member("b", { claims: [] })], { own: NOBODY, heirOf })).toEqual(
      new Map([["a", [IP]]]),
    );
  });

  it("who leaves is none, and what somebody has taken is not asked for", () => {
    const silent = member("a", { health: "silent" });
    const own = { node: "me", claims: [{ address: IP, epoch: 2 }] };
    expect(suspectsOf([member("a", { health: "silent", phase: "leaving" })], { own, heirOf }).size) //
      .toBe(0);
    expect(suspectsOf([silent], { own, heirOf }).size).toBe(0);
    expect(suspectsOf([silent, member("b")], { own: NOBODY, heirOf }).size).toBe(0);
  });
});

describe("nextClaims", () => {
  const answering = new Set([IP]);
  const mine = (): boolean => true;

  it("what is taken gets an epoch above all known ones, and keeps it", () => {
    const members = [member("a", { health: "silent" }), member("b", { claims: [] })];
    const taken = nextClaims([], answering, { members, isMine: mine });
    expect(taken).toEqual([{ address: IP, epoch: 5 }]);
    expect(nextClaims(taken, answering, { members: [member("a")], isMine: mine })).toEqual(taken);
    expect(nextClaims(taken, new Set(), { members, isMine: mine })).toEqual([]);
  });

  it("what is adopted, or taken while nobody is heard, counts least until others are heard", () => {
    const none = [{ address: IP, epoch: 0 }];
    const silent = member("a", { health: "silent" });
    expect(nextClaims([], answering, { members: [silent], isMine: mine })).toEqual(none);
    expect(nextClaims([], answering, { members: [member("a")], isMine: () => false })).toEqual(
      none,
    );
    expect(nextClaims(none, answering, { members: [member("a", { claims: [] })], isMine: mine })) //
      .toEqual([{ address: IP, epoch: 1 }]);
  });

  it("a takeover always ends above every claim that was heard", () => {
    const epochs = fc.array(fc.nat(1e6), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(epochs, list => {
        const members = list.map((epoch, i) =>
          member(`n${i}`, { claims: [{ address: IP, epoch }] }),
        );
        const [claim] = nextClaims([], answering, { members, isMine: mine });
        expect(claim?.epoch).toBe(Math.max(...list) + 1);
      }),
    );
  });
});
