import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MS, pair } from "./fixtures";
import type { SessionSettings } from "./session-types";

/** More of each from the environment: ANCHO_FUZZ_RUNS. */
const numRuns = Number(process.env.ANCHO_FUZZ_RUNS ?? 40);

const interval = fc.integer({ min: 20, max: 2_000 }).map(ms => ms * MS);
const anySettings: fc.Arbitrary<Partial<SessionSettings>> = fc.record({
  desiredMinTx: interval,
  requiredMinRx: interval,
  detectMultiplier: fc.integer({ min: 2, max: 10 }),
  isPassive: fc.boolean(),
});
const bothSettings = fc
  .tuple(anySettings, anySettings)
  .filter(([one, other]) => !(one.isPassive && other.isPassive));

/** Numbers from [0, 1) that a run can be repeated with. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const SOON = 20_000_000;
/** Of a path on which packets keep their order, microseconds. */
const DELAY = 2_000;
const RATED = { numRuns };

describe("two sessions", () => {
  it("bgp 81, 84: come up whatever their settings are, and never fall on a path without loss", () => {
    fc.assert(
      fc.property(bothSettings, fc.integer(), (of, seed) => {
        const random = randomFrom(seed);
        const two = pair(of, random, () => ({ delay: DELAY }));
        two.start();
        two.run(SOON);
        expect(two.areUp()).toBe(true);
        expect(two.states.filter(({ state }) => state === "Down")).toEqual([]);
        expect(two.session(0).poll).toBe("none");
      }),
      RATED,
    );
  });

  it("come up once a path that loses, delays and reorders does so no more", () => {
    fc.assert(
      fc.property(bothSettings, fc.integer(), (of, seed) => {
        const random = randomFrom(seed);
        let isLossy = true;
        const two = pair(of, random, () =>
          isLossy && random() < 0.4 ? undefined : { delay: isLossy ? random() * 500 * MS : DELAY },
        );
        two.start();
        two.run(SOON);
        isLossy = false;
        // Longer than two detection times of the slowest, and than what is still on its way.
        two.run(3 * SOON);
        expect(two.areUp()).toBe(true);
      }),
      RATED,
    );
  });

  it("bgp 84: the other side is found out within its detection time, whichever direction is cut", () => {
    fc.assert(
      fc.property(bothSettings, fc.integer(), fc.constantFrom(0, 1, 2), (of, seed, cut) => {
        const random = randomFrom(seed);
        let isCut = false;
        const two = pair(of, random, from =>
          isCut && (cut === 2 || cut === from) ? undefined : { delay: DELAY },
        );
        two.start();
        two.run(SOON);
        const [a, b] = [two.session(0), two.session(1)];
        isCut = true;
        const at = two.now();
        two.run(SOON);
        expect(two.areUp()).toBe(false);
        const longest = Math.max(
          ...[a, b].map(({ settings, remote }) => {
            const slowest = Math.max(settings.requiredMinRx, remote.minTx);
            return remote.detectMultiplier * slowest;
          }),
        );
        const downs = two.states.filter(({ state, at: when }) => state === "Down" && when >= at);
        expect(downs[0]!.at - at).toBeLessThanOrEqual(longest + DELAY);
        expect(downs[0]!.diagnostic).toBe(1);
      }),
      RATED,
    );
  });

  it("bgp 83, 85: no packet is later than agreed, and changes of settings never cost the session", () => {
    fc.assert(
      fc.property(
        bothSettings,
        fc.array(anySettings, { minLength: 1, maxLength: 6 }),
        fc.integer(),
        (of, changes, seed) => {
          const random = randomFrom(seed);
          const two = pair(of, random, () => ({ delay: DELAY }));
          two.start();
          two.run(SOON);
          changes.forEach((change, index) => {
            const side = (index % 2) as 0 | 1;
            const { settings } = two.session(side);
            const isPassive = settings.isPassive;
            two.tell(side, { type: "configure", settings: { ...settings, ...change, isPassive } });
            two.run(Math.floor(random() * 3_000 * MS));
          });
          two.run(SOON);
          expect(two.states.filter(({ state }) => state === "Down")).toEqual([]);
          expect(two.areUp()).toBe(true);
          expect([two.session(0).poll, two.session(1).poll]).toEqual(["none", "none"]);
        },
      ),
      RATED,
    );
  });

  it("bgp 82: neither floods, whatever happens", () => {
    fc.assert(
      fc.property(bothSettings, fc.integer(), (of, seed) => {
        const random = randomFrom(seed);
        const two = pair(of, random, () =>
          random() < 0.5 ? undefined : { delay: random() * 3_000 * MS },
        );
        two.start();
        two.run(SOON);
        // At most what both intervals allow with jitter, and for each of those an answer and a change.
        const fastest = Math.min(...of.map(({ desiredMinTx }) => desiredMinTx!), 1_000 * MS);
        expect(two.sent.length).toBeLessThan(2 * 3 * (SOON / (0.75 * fastest)) + 100);
      }),
      RATED,
    );
  });

  it("bgp 91: one that was restarted is met again", () => {
    const random = randomFrom(7);
    const one = pair([{}, {}], random, () => ({ delay: DELAY }));
    one.start();
    one.run(5_000 * MS);
    one.tell(0, { type: "disable" });
    one.run(5_000 * MS);
    expect(one.session(1)).toMatchObject({ state: "Down", remote: { state: "AdminDown" } });
    one.tell(0, { type: "enable" });
    one.run(5_000 * MS);
    expect(one.areUp()).toBe(true);
  });
});
