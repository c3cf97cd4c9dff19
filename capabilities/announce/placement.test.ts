import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Holder } from "./holders";
import { placeAddresses } from "./placement";
import type { Contest, Group } from "./placement";

const NODES = ["n1", "n2", "n3", "n4", "n5"];
const equal = (nodes: readonly string[]) => nodes.map(node => ({ node, score: 0 }));

function contest(
  address: string,
  nodes: readonly string[],
  holders: readonly Holder[] = [],
): Contest {
  return { address, candidates: equal(nodes), holders };
}

function single(address: string, nodes: readonly string[], holders: readonly Holder[] = []): Group {
  return { key: address, contests: [contest(address, nodes, holders)] };
}

const spread = (groups: readonly Group[]) => placeAddresses(groups, "spread");
const address = (i: number): string => `10.0.0.${i + 1}`;

/** Places addresses on nodes, with what an earlier placement says as who answers now. */
function replace(
  count: number,
  nodes: readonly string[],
  before: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const groups = Array.from({ length: count }, (_, i) => {
    const holder = before.get(address(i));
    return single(address(i), nodes, holder === undefined ? [] : [{ node: holder, epoch: 1 }]);
  });
  return spread(groups);
}

const someNodes = fc.uniqueArray(fc.constantFrom(...NODES), { minLength: 1 });

describe("spread", () => {
  it("k addresses on n nodes: none has two while another has none, and no more than its share", () => {
    fc.assert(
      fc.property(fc.nat(30), someNodes, (count, nodes) => {
        const loads = nodes.map(
          node => [...replace(count, nodes, new Map()).values()].filter(o => o === node).length,
        );
        expect(loads.reduce((sum, load) => sum + load, 0)).toBe(count);
        expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("nothing moves without a cause: only what a lost node had, and nothing when one comes", () => {
    fc.assert(
      fc.property(fc.nat(20), fc.array(someNodes, { maxLength: 8 }), (count, histories) => {
        let owners: ReadonlyMap<string, string> = new Map();
        for (const nodes of histories) {
          const next = replace(count, nodes, owners);
          for (const [ip, owner] of owners) {
            if (nodes.includes(owner)) expect(next.get(ip)).toBe(owner);
          }
          expect(next.size).toBe(count);
          owners = next;
        }
      }),
    );
  });

  it("what a lost node had is spread over the others", () => {
    const before = replace(12, NODES.slice(0, 4), new Map());
    const after = replace(12, NODES.slice(0, 3), before);
    const loads = NODES.slice(0, 3).map(n => [...after.values()].filter(o => o === n).length);
    expect(loads).toEqual([4, 4, 4]);
  });

  it("of several who answer, the last to have taken it keeps it; both sides agree in any order", () => {
    const holder = fc.record({ node: fc.constantFrom(...NODES), epoch: fc.nat(3) });
    const holders = fc.uniqueArray(holder, { minLength: 1, selector: ({ node }) => node });
    fc.assert(
      fc.property(holders, list => {
        const owner = spread([single(address(0), NODES, list)]).get(address(0));
        const reversed = [...list].reverse();
        expect(spread([single(address(0), [...NODES].reverse(), reversed)]).get(address(0))) //
          .toBe(owner);
        const latest = Math.max(...list.map(({ epoch }) => epoch));
        expect(list.find(({ node }) => node === owner)?.epoch).toBe(latest);
      }),
    );
  });

  it("a duel is over with one exchange: who loses lets go, and the winner stays", () => {
    const duel = [
      { node: "n1", epoch: 2 },
      { node: "n2", epoch: 2 },
    ];
    const winner = spread([single(address(0), NODES, duel)]).get(address(0))!;
    const alone = duel.filter(({ node }) => node === winner);
    expect(spread([single(address(0), NODES, alone)]).get(address(0))).toBe(winner);
  });

  it("who may not answer any more does not keep its addresses", () => {
    const held = [{ node: "n1", epoch: 9 }];
    expect(spread([single(address(0), ["n2"], held)]).get(address(0))).toBe("n2");
    expect(spread([single(address(0), [], held)]).size).toBe(0);
  });

  it("a higher score wins over who answers now", () => {
    const candidates = [
      { node: "n1", score: 0 },
      { node: "n2", score: 5 },
    ];
    const one = { address: address(0), candidates, holders: [{ node: "n1", epoch: 1 }] };
    expect(spread([{ key: address(0), contests: [one] }]).get(address(0))).toBe("n2");
  });

  it("a group is on one node, a new member of it joins the others, and counts once", () => {
    const dual = (holders: readonly Holder[]): Group => ({
      key: "10.0.0.1",
      contests: [contest("10.0.0.1", NODES, holders), contest("fd00::1", NODES)],
    });
    const fresh = spread([dual([]), single("10.0.0.2", NODES)]);
    expect(fresh.get("fd00::1")).toBe(fresh.get("10.0.0.1"));
    expect(fresh.get("10.0.0.2")).not.toBe(fresh.get("10.0.0.1"));
    expect(spread([dual([{ node: "n4", epoch: 1 }])]).get("fd00::1")).toBe("n4");
  });

  it("addresses of a group whose nodes differ go to two", () => {
    const group = {
      key: "10.0.0.1",
      contests: [contest("10.0.0.1", ["n1"]), contest("fd00::1", ["n2", "n3"])],
    };
    const owners = spread([group]);
    expect(owners.get("10.0.0.1")).toBe("n1");
    expect(["n2", "n3"]).toContain(owners.get("fd00::1"));
  });
});

describe("hash", () => {
  it("does not look at who answers", () => {
    fc.assert(
      fc.property(someNodes, fc.constantFrom(...NODES), (nodes, holder) => {
        const groups = (holders: readonly Holder[]) => [single(address(0), nodes, holders)];
        expect(placeAddresses(groups([{ node: holder, epoch: 3 }]), "hash")).toEqual(
          placeAddresses(groups([]), "hash"),
        );
      }),
    );
  });
});
