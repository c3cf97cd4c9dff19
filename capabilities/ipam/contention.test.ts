import { describe, expect, it } from "vitest";
import { formatAddress } from "../config/address";
import { candidates } from "./allocator";
import type { TakenAddresses } from "./allocator";
import { createContention } from "./contention";
import { configOf, ip, rawPool } from "./fixtures";
import { createLedger } from "./ledger";

describe("contention", () => {
  it("keeps no distance while no claim is lost", () => {
    expect(createContention(() => 0.5).headStart(0)).toBe(0);
  });

  it("keeps a distance of 1 to 32 for a second after a lost claim", () => {
    for (const [random, distance] of [
      [0, 1],
      [0.5, 17],
      [0.999, 32],
    ] as const) {
      const contention = createContention(() => random);
      contention.noteLost(5_000);
      expect(contention.headStart(5_000)).toBe(distance);
      expect(contention.headStart(5_999)).toBe(distance);
      expect(contention.headStart(6_000)).toBe(0);
    }
  });
});

describe("candidates with a head start", () => {
  const draw = { family: "ipv4", pools: configOf(rawPool("pool", ["10.0.0.0/30"])).pools } as const;
  const drawn = (taken: TakenAddresses, headStart: number) =>
    [...candidates(draw, taken, headStart)].map(({ address }) => formatAddress(address));

  it("leaves the lowest addresses to others, and takes them when there are no others", () => {
    expect(drawn(createLedger(), 2)).toEqual(["10.0.0.2", "10.0.0.3", "10.0.0.0", "10.0.0.1"]);
    expect(drawn(createLedger(), 32)).toEqual(["10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3"]);
  });

  it("passes over what was taken meanwhile", () => {
    const taken = createLedger();
    const found = candidates(draw, taken, 3);
    const first = found.next();
    expect(first).toMatchObject({ done: false, value: { address: ip("10.0.0.3") } });
    taken.reserve(ip("10.0.0.1"), 1);
    const rest = [...found].map(({ address }) => formatAddress(address));
    expect(rest).toEqual(["10.0.0.0", "10.0.0.2"]);
  });
});
