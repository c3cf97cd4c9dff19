import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AddressPlan, Plan } from "../plan";
import {
  NO_OBSERVATIONS,
  OBSERVE_MS,
  NO_OBSERVERS,
  chooseObservers,
  goOnObserving,
  hearAnswer,
  observe,
  observedBy,
  sightOf,
} from "./observation";
import type { Observations } from "./observation";

const IP = "172.30.0.240";
const [N1, N2, STRANGER] = ["02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:99"];
const HOSTS = new Map([
  [N1, "n1"],
  [N2, "n2"],
]);

function planOf(owners: Readonly<Record<string, string>>): Plan {
  const addresses = Object.entries(owners).map(([address, owner]): [string, AddressPlan] => [
    address,
    { address, owner, interfaces: "all", services: [] },
  ]);
  return { addresses: new Map(addresses), verdicts: [], groups: [] };
}

/** Observes in steps of 100 ms; `answers` says who answers a question asked at a time. */
function run(
  start: Observations,
  answers: (at: number) => readonly string[],
  { from = 0, to = 60_000, canSee = true } = {},
) {
  let state = start;
  const asked: number[] = [];
  const changes: (readonly [number, string])[] = [];
  for (let now = from; now <= to; now += 100) {
    const next = goOnObserving(state, now, () => canSee);
    state = next.state;
    for (const address of next.ask) {
      asked.push(now);
      for (const mac of answers(now)) state = hearAnswer(state, address, mac);
    }
    changes.push(...next.changed.map(address => [now, textOf(state, address)] as const));
  }
  return { state, asked, changes };
}

function textOf(state: Observations, address: string): string {
  return sightOf(state.get(address)?.seen ?? [], HOSTS).text;
}

const begin = (owner = "n1"): Observations => observe(NO_OBSERVATIONS, new Map([[IP, owner]]), 0);

describe("observedBy", () => {
  it("exactly one node that does not own an address observes it, and all agree which", () => {
    const names = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e"), { minLength: 2 });
    fc.assert(
      fc.property(names, fc.ipV4(), (nodes, address) => {
        const [owner = ""] = nodes;
        const plan = planOf({ [address]: owner });
        const all = chooseObservers(NO_OBSERVERS, plan, new Set(nodes));
        const observers = nodes.filter(me => observedBy(me, all).has(address));
        expect(observers).toHaveLength(1);
        expect(observers).not.toContain(owner);
      }),
    );
  });

  it("a node that is alone observes nothing", () => {
    const all = chooseObservers(NO_OBSERVERS, planOf({ [IP]: "n1" }), new Set(["n1"]));
    expect(observedBy("n1", all).size).toBe(0);
  });

  it("what was chosen before changes nothing but the work", () => {
    const owner = fc.constantFrom("a", "b", "c");
    const plan = fc.dictionary(fc.ipV4(), owner, { maxKeys: 5 }).map(planOf);
    const alive = fc.uniqueArray(owner).map(names => new Set(names));
    fc.assert(
      fc.property(fc.array(fc.tuple(plan, alive), { maxLength: 4 }), steps => {
        let observers = NO_OBSERVERS;
        for (const [next, nodes] of steps) {
          observers = chooseObservers(observers, next, nodes);
          expect(observers).toEqual(chooseObservers(NO_OBSERVERS, next, nodes));
        }
      }),
    );
  });
});

describe("an observation", () => {
  it("tells at the first answer who answers, and asks every ten seconds from then on", () => {
    const { asked, changes } = run(begin(), () => [N1]);
    expect(changes.map(([, text]) => text)).toEqual(["n1"]);
    const gaps = asked.slice(1).map((at, i) => at - (asked[i] ?? 0));
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(OBSERVE_MS);
    expect(asked.length).toBeGreaterThanOrEqual(5);
  });

  it("of many addresses asks for ten in a second at most", () => {
    const owners = new Map(
      Array.from({ length: 500 }, (_, i) => [`10.0.${i >> 8}.${i & 255}`, "n1"]),
    );
    const { asked } = run(observe(NO_OBSERVATIONS, owners, 0), () => [N1], { to: 160_000 });
    const steady = asked.filter(at => at > 60_000 && at <= 160_000);
    expect(steady.length).toBeLessThanOrEqual(1000);
  });

  it("one lost answer changes nothing; silence is told when it is certain", () => {
    const lost = run(begin(), at => (at > 15_000 && at < 21_500 ? [] : [N1]));
    expect(lost.changes.map(([, text]) => text)).toEqual(["n1"]);
    const { changes } = run(begin(), at => (at < 15_000 ? [N1] : []));
    expect(changes.map(([, text]) => text)).toEqual(["n1", "nobody"]);
    expect(changes[1]?.[0]).toBeLessThan(15_000 + OBSERVE_MS + 5_000);
  });

  it("where this node would not hear the owner, its silence says nothing", () => {
    const deaf = run(begin(), () => [], { canSee: false });
    expect([deaf.changes, deaf.state.get(IP)?.seen]).toEqual([[], undefined]);
    expect(run(begin(), () => []).changes.map(([, text]) => text)).toEqual(["nobody"]);
  });

  it("tells of another owner when it was seen twice, and of two that answer", () => {
    const { changes } = run(begin(), at =>
      at < 15_000 ? [N1] : at < 35_000 ? [N1, STRANGER] : [N2],
    );
    expect(changes.map(([, text]) => text)).toEqual(["n1", `${STRANGER} and n1`, "n2"]);
  });

  it("looks soon when the plan names another owner, and keeps what was seen till then", () => {
    const first = run(begin(), () => [N1], { to: 5_000 });
    const moved = observe(first.state, new Map([[IP, "n2"]]), 5_000);
    expect(moved.get(IP)?.seen).toEqual([N1]);
    const { changes } = run(moved, () => [N2], { from: 5_000, to: 9_500 });
    expect(changes.map(([, text]) => text)).toEqual(["n2"]);
  });

  it("answers that nobody asked for count for nothing", () => {
    const state = begin();
    expect(hearAnswer(state, IP, N1)).toBe(state);
    expect(hearAnswer(state, "172.30.0.241", N1)).toBe(state);
  });

  it("whatever answers come, what is told is what the last questions saw", () => {
    const answer = fc.constantFrom([], [N1], [N2], [N1, N2], [STRANGER]);
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 12 }), answer, (history, last) => {
        let i = 0;
        const { state } = run(begin(), () => history[i++] ?? last, { to: 200_000 });
        expect(state.get(IP)?.seen).toEqual([...last].sort());
      }),
      { numRuns: 30 },
    );
  });
});

describe("sightOf", () => {
  it("names nodes, hosts that are none, and nobody", () => {
    expect(sightOf([N1], HOSTS)).toEqual({ text: "n1", mac: N1, node: "n1", strangers: [] });
    expect(sightOf([STRANGER], HOSTS)).toEqual({
      ...{ text: STRANGER, mac: STRANGER },
      strangers: [STRANGER],
    });
    expect(sightOf([], HOSTS)).toEqual({ text: "nobody", strangers: [] });
  });
});
