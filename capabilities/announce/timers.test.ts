import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { atMostEvery } from "./timers";

describe("atMostEvery", () => {
  let runs: number[];
  const start = () => {
    const begin = Date.now();
    return atMostEvery(
      () => 25,
      () => runs.push(Date.now() - begin),
    );
  };

  beforeEach(() => {
    vi.useFakeTimers();
    runs = [];
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("runs at once, and once more for all that came meanwhile", () => {
    const gate = start();
    gate.call();
    expect(runs).toEqual([0]);
    vi.advanceTimersByTime(10);
    gate.call();
    gate.call();
    expect(runs).toEqual([0]);
    vi.advanceTimersByTime(100);
    expect(runs).toEqual([0, 25]);
  });

  it("under a flood runs once in every stretch, and loses no call", () => {
    const gate = start();
    for (let ms = 0; ms < 100; ms++) {
      gate.call();
      vi.advanceTimersByTime(1);
    }
    vi.advanceTimersByTime(25);
    expect(runs).toEqual([0, 25, 50, 75, 100]);
  });

  it("a call from within its own run is one for the next", () => {
    const gate = atMostEvery(
      () => 25,
      () => {
        runs.push(Date.now());
        if (runs.length < 3) gate.call();
      },
    );
    gate.call();
    vi.advanceTimersByTime(100);
    expect(runs).toHaveLength(3);
  });

  it("is quiet after it was stopped", () => {
    const gate = start();
    gate.call();
    gate.call();
    gate.stop();
    vi.advanceTimersByTime(100);
    expect(runs).toEqual([0]);
  });
});
