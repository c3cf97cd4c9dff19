import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareVersions, createStoreState } from "./store-state";
import type { WatchFact } from "./store-state";

type Item = { readonly metadata: { readonly name: string; readonly resourceVersion: string } };

const item = (name: string, version: number): Item => ({
  metadata: { name, resourceVersion: String(version) },
});
const set = (name: string, version: number): WatchFact<Item> => ({
  type: "set",
  object: item(name, version),
});
const deleted = (name: string, version: number): WatchFact<Item> => ({
  type: "deleted",
  object: item(name, version),
});
const list = (version: number, ...items: Item[]): WatchFact<Item> => ({
  type: "list",
  items,
  resourceVersion: String(version),
});

/** Feeds facts in; returns each key with its version or "gone", as the changes came. */
function changes(...facts: readonly WatchFact<Item>[]): string[] {
  const state = createStoreState<Item>();
  return facts
    .flatMap(fact => state.apply(fact))
    .map(({ key, object }) => `${key} ${object?.metadata.resourceVersion ?? "gone"}`);
}

describe("compareVersions", () => {
  it("orders 64-bit numbers", () => {
    const version = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    fc.assert(
      fc.property(version, version, (a, b) => {
        expect(Math.sign(compareVersions(String(a), String(b)))).toBe(
          Number(a > b) - Number(a < b),
        );
      }),
    );
  });
});

describe("store state", { timeout: 30_000 }, () => {
  it.each([
    [
      "a list, then events",
      [list(5, item("a", 3)), set("a", 6), deleted("a", 7)],
      ["a 3", "a 6", "a gone"],
    ],
    ["the list's items again as events", [list(5, item("a", 3)), set("a", 3)], ["a 3"]],
    ["a relist without the object", [list(5, item("a", 3)), list(9)], ["a 3", "a gone"]],
    [
      "a relist with a changed object",
      [list(5, item("a", 3)), list(9, item("a", 8))],
      ["a 3", "a 8"],
    ],
    ["an event that overtook a relist", [list(5), set("a", 12), list(9)], ["a 12"]],
    [
      "a deletion that overtook a relist",
      [list(5, item("a", 3)), deleted("a", 12), list(9, item("a", 3))],
      ["a 3", "a gone"],
    ],
    ["an older event after a newer one", [list(5), set("a", 8), set("a", 7)], ["a 8"]],
    ["an older event after the deletion", [list(5), deleted("a", 8), set("a", 7)], []],
    [
      "re-creation under the same name",
      [list(5, item("a", 3)), deleted("a", 8), set("a", 9)],
      ["a 3", "a gone", "a 9"],
    ],
    ["an older list after a newer one", [list(9, item("a", 8)), list(5)], ["a 8"]],
    [
      "a history that went back",
      [list(900, item("a", 800), item("b", 1)), list(5, item("a", 2)), list(6, item("a", 2))],
      ["a 800", "b 1", "b gone", "a 2"],
    ],
  ])("takes in %s", (_name, facts, expected) => {
    expect(changes(...facts)).toEqual(expected);
  });

  it("reports nothing when a relist changes nothing", () => {
    const state = createStoreState<Item>();
    state.apply(list(5, item("a", 3), item("b", 4)));
    expect(state.apply(list(50, item("a", 3), item("b", 4)))).toEqual([]);
  });

  it("ends up with the truth, however lists and events are reordered on the way", () => {
    fc.assert(
      fc.property(history, ({ writes, relists, order }) => {
        const { facts, truth, lastVersion } = play(writes, relists);
        const shuffled = facts
          .map((fact, index) => ({ fact, rank: index + (order[index % order.length] ?? 0) }))
          .toSorted((a, b) => a.rank - b.rank);
        const state = createStoreState<Item>();
        const seen = new Map<string, string>();
        const feed = (fact: WatchFact<Item>): void => {
          state.apply(fact).forEach(({ key, object }) => {
            if (object === undefined) {
              expect(seen.delete(key), `${key} reported gone, never seen`).toBe(true);
            } else {
              seen.set(key, object.metadata.resourceVersion);
            }
          });
        };
        shuffled.forEach(({ fact }) => {
          feed(fact);
        });
        feed(list(lastVersion, ...truth.values()));
        // A list that came late may have been taken for a history that went back; two more lists
        // of the present are what the next reconnections bring.
        feed(list(lastVersion, ...truth.values()));
        const wanted = new Map([...truth].map(([k, v]) => [k, v.metadata.resourceVersion]));
        expect(
          new Map(state.list().map(v => [v.metadata.name, v.metadata.resourceVersion])),
        ).toEqual(wanted);
        expect(seen).toEqual(wanted);
      }),
      { numRuns: 1000 },
    );
  });
});

const history = fc.record({
  writes: fc.array(fc.record({ name: fc.constantFrom("a", "b", "c"), remove: fc.boolean() }), {
    maxLength: 30,
  }),
  /** After which writes a list is made. */
  relists: fc.array(fc.nat(30), { maxLength: 5 }),
  /** By how many places each fact comes late. */
  order: fc.array(fc.nat(4), { minLength: 1, maxLength: 40 }),
});

type Write = { readonly name: string; readonly remove: boolean };

/** What an API server would say during these writes, in its order, and what is true at the end. */
function play(
  writes: readonly Write[],
  relists: readonly number[],
): { facts: WatchFact<Item>[]; truth: Map<string, Item>; lastVersion: number } {
  const truth = new Map<string, Item>();
  const facts: WatchFact<Item>[] = [];
  let version = 1;
  writes.forEach(({ name, remove }, index) => {
    version += 1;
    if (!remove) {
      truth.set(name, item(name, version));
      facts.push(set(name, version));
    } else if (truth.delete(name)) {
      facts.push(deleted(name, version));
    }
    if (relists.includes(index)) {
      facts.push(list(version, ...truth.values()));
    }
  });
  return { facts, truth, lastVersion: version };
}
