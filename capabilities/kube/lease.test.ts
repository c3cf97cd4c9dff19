import { describe, expect, it } from "vitest";
import { leaseSpec, nextLeaseStep, sight } from "./lease";
import type { Lease } from "./lease";

const held = (holderIdentity: string, resourceVersion = "7"): Lease => ({
  metadata: { name: "l", namespace: "ns", resourceVersion },
  spec: { holderIdentity, leaseDurationSeconds: 5 },
});

describe("nextLeaseStep", () => {
  it("makes the Lease that is not there", () => {
    expect(nextLeaseStep(undefined, undefined, "me", 0)).toEqual({ do: "create" });
  });

  it("renews its own, however old it looks", () => {
    const lease = held("me");
    expect(nextLeaseStep(lease, { version: "7", sinceMs: 0 }, "me", 99_000).do).toBe("renew");
  });

  it("takes one that was given up at once", () => {
    expect(nextLeaseStep(held(""), { version: "7", sinceMs: 0 }, "me", 0).do).toBe("take");
  });

  it.each([
    [0, "wait"],
    [4_999, "wait"],
    [5_000, "take"],
  ] as const)("%i ms after another's last sign of life: %s", (nowMs, step) => {
    expect(nextLeaseStep(held("other"), { version: "7", sinceMs: 0 }, "me", nowMs).do).toBe(step);
  });
});

describe("sight", () => {
  it("counts from the first sight of a version, by the own clock", () => {
    const first = sight(undefined, held("other"), 100);
    expect(first).toEqual({ version: "7", sinceMs: 100 });
    expect(sight(first, held("other"), 900)).toBe(first);
    expect(sight(first, held("other", "8"), 900)).toEqual({ version: "8", sinceMs: 900 });
  });

  it("forgets a Lease that is gone", () => {
    expect(sight({ version: "7", sinceMs: 1 }, undefined, 2)).toBeUndefined();
  });
});

describe("leaseSpec", () => {
  const now = Date.parse("2026-01-02T03:04:05.678Z");

  it("counts a change of hands, and keeps the time of acquisition through renewals", () => {
    const taken = leaseSpec({ holderIdentity: "other", leaseTransitions: 2 }, "me", 5, now);
    expect(taken).toEqual({
      holderIdentity: "me",
      leaseDurationSeconds: 5,
      acquireTime: "2026-01-02T03:04:05.678000Z",
      renewTime: "2026-01-02T03:04:05.678000Z",
      leaseTransitions: 3,
    });
    const renewed = leaseSpec(taken, "me", 5, now + 1000);
    expect(renewed).toMatchObject({ acquireTime: taken.acquireTime, leaseTransitions: 3 });
    expect(renewed.renewTime).toBe("2026-01-02T03:04:06.678000Z");
  });
});
