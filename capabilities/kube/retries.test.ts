import { describe, expect, it } from "vitest";
import { fakeClock } from "./fake-clock";
import { createRetries, retryDelayMs } from "./retries";
import type { Retries } from "./retries";

describe("retryDelayMs", () => {
  it("grows with the outage, between a quarter of a second and ten", () => {
    expect(retryDelayMs(0, 0)).toBe(250);
    expect(retryDelayMs(0, 1)).toBe(500);
    expect(retryDelayMs(30_000, 1)).toBe(2_000);
    expect(retryDelayMs(3_600_000, 1)).toBe(10_000);
  });
});

describe("retries", () => {
  /** Watches that fail each time, until they are told not to. */
  function failing(
    names: readonly string[],
    retries: Retries,
  ): { readonly tries: string[]; heal(): void } {
    const tries: string[] = [];
    let isAway = true;
    const fail = (name: string): void => {
      retries.wait(() => {
        tries.push(name);
        if (isAway) fail(name);
        else retries.succeeded();
      });
    };
    names.forEach(fail);
    return {
      tries,
      heal: () => {
        isAway = false;
      },
    };
  }

  it("lets one at a time try, in turn, however many there are", async () => {
    const clock = fakeClock();
    const { tries } = failing(
      ["a", "b", "c"],
      createRetries(clock, () => 1),
    );
    await clock.advance(2_000);
    expect(tries).toEqual(["a", "b", "c", "a"]);
  });

  it("tries less often the longer it lasts", async () => {
    const clock = fakeClock();
    const { tries } = failing(
      ["a", "b"],
      createRetries(clock, () => 1),
    );
    await clock.advance(600_000);
    const before = tries.length;
    await clock.advance(100_000);
    expect(tries.length - before).toBe(10);
  });

  it("lets all others try at once when one is back, and begins anew with the next outage", async () => {
    const clock = fakeClock();
    const retries = createRetries(clock, () => 1);
    const watches = failing(["a", "b", "c", "d"], retries);
    await clock.advance(600_000);
    watches.tries.length = 0;
    watches.heal();
    await clock.advance(10_000);
    expect(watches.tries.toSorted()).toEqual(["a", "b", "c", "d"]);
    await clock.advance(600_000);
    expect(watches.tries).toHaveLength(4);
    const next = failing(["e"], retries);
    await clock.advance(500);
    expect(next.tries).toEqual(["e"]);
  });

  it("keeps on with one that fails for a reason of its own, and forgets what was taken back", async () => {
    const clock = fakeClock();
    const retries = createRetries(clock, () => 1);
    const { tries } = failing(["own"], retries);
    const takeBack = retries.wait(() => {
      tries.push("other");
    });
    takeBack();
    retries.succeeded();
    expect(tries).toEqual(["own"]);
    await clock.advance(1_000);
    expect(tries).toEqual(["own", "own", "own"]);
  });
});
