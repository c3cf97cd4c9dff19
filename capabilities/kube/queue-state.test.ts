import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backoffMs, createQueueState } from "./queue-state";
import type { QueueState } from "./queue-state";

const backoff = { baseMs: 100, maxMs: 5_000, jitter: 0.5 };

describe("backoffMs", () => {
  it("doubles from baseMs up to maxMs without jitter", () => {
    const plain = { ...backoff, jitter: 0 };
    const delays = [1, 2, 3, 6, 7, 60, 5_000].map(n => backoffMs(plain, n, 0.9));
    expect(delays).toEqual([100, 200, 400, 3_200, 5_000, 5_000, 5_000]);
  });

  it("stays within its bounds for every input", () => {
    const any = fc.record({
      baseMs: fc.integer({ min: 1, max: 1_000 }),
      maxMs: fc.integer({ min: 1_000, max: 100_000 }),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(any, fc.integer({ min: 1, max: 10_000 }), random, (b, failures, r) => {
        const delay = backoffMs(b, failures, r);
        expect(delay).toBeLessThanOrEqual(b.maxMs);
        expect(delay).toBeGreaterThanOrEqual(b.baseMs * (1 - b.jitter) - 1e-9);
      }),
    );
  });
});

describe("queue state, by example", () => {
  it("makes one run of several adds, in the order of the first ones", () => {
    const state = createQueueState(backoff);
    ["a", "b", "a", "c", "b"].forEach(key => {
      state.add(key);
    });
    expect([state.take(0), state.take(0), state.take(0), state.take(0)]).toEqual([
      "a",
      "b",
      "c",
      undefined,
    ]);
  });

  it("runs a key once more if it was added during its run, and not at the same time", () => {
    const state = createQueueState(backoff);
    state.add("a");
    state.take(0);
    state.add("a");
    state.add("a");
    expect(state.take(0)).toBeUndefined();
    state.succeed("a");
    expect(state.take(0)).toBe("a");
    state.succeed("a");
    expect(state.take(0)).toBeUndefined();
    expect(state.size()).toBe(0);
  });

  it("holds the earliest of several times", () => {
    const state = createQueueState(backoff);
    state.addAt("a", 50);
    state.addAt("a", 20);
    state.addAt("a", 90);
    expect(state.nextDue()).toBe(20);
    expect(state.take(19)).toBeUndefined();
    expect(state.take(20)).toBe("a");
    state.succeed("a");
    expect(state.nextDue()).toBeUndefined();
  });

  it("keeps a time that a caller asked for, drops one that an earlier run asked for", () => {
    const state = createQueueState(backoff);
    state.addAt("a", 500);
    state.add("a");
    state.take(0);
    state.succeed("a", 300);
    state.add("a");
    state.take(10);
    state.succeed("a");
    expect(state.nextDue()).toBe(500);
  });

  it("forgets failures after a success", () => {
    const state = createQueueState({ ...backoff, jitter: 0 });
    const failAt = (now: number): number => {
      state.add("a");
      state.take(now);
      return state.fail("a", now, 0) - now;
    };
    expect([failAt(0), failAt(1_000), failAt(2_000)]).toEqual([100, 200, 400]);
    state.add("a");
    state.take(9_000);
    state.succeed("a");
    expect(state.failures("a")).toBe(0);
    expect(failAt(10_000)).toBe(100);
  });
});

/** The same, as naive as can be: what callers and earlier runs asked for. */
type Model = {
  now: number;
  readonly running: Set<string>;
  /** Keys that must run as soon as they do not run. */
  readonly ready: Set<string>;
  /** Times asked for by addAt: promises, which no earlier run fulfils. */
  readonly asked: Map<string, number>;
  /** Times asked for by a key's last run. */
  readonly requeued: Map<string, number>;
};

function promoteDue(model: Model): void {
  for (const times of [model.asked, model.requeued]) {
    for (const [key, at] of [...times]) {
      if (at > model.now) continue;
      times.delete(key);
      model.ready.add(key);
    }
  }
}

class AddCommand implements fc.Command<Model, QueueState> {
  constructor(readonly key: string) {}
  check = (): boolean => true;
  run(model: Model, state: QueueState): void {
    state.add(this.key);
    model.ready.add(this.key);
  }
  toString = (): string => `add(${this.key})`;
}

class AddAtCommand implements fc.Command<Model, QueueState> {
  constructor(
    readonly key: string,
    readonly ms: number,
  ) {}
  check = (): boolean => true;
  run(model: Model, state: QueueState): void {
    state.addAt(this.key, model.now + this.ms);
    const at = model.now + this.ms;
    model.asked.set(this.key, Math.min(at, model.asked.get(this.key) ?? at));
  }
  toString = (): string => `addAt(${this.key}, +${this.ms})`;
}

class TakeCommand implements fc.Command<Model, QueueState> {
  check = (): boolean => true;
  run(model: Model, state: QueueState): void {
    promoteDue(model);
    const key = state.take(model.now);
    if (key === undefined) {
      const lost = [...model.ready].filter(ready => !model.running.has(ready));
      expect(lost).toEqual([]);
      return;
    }
    expect(model.running.has(key), `two runs of ${key}`).toBe(false);
    expect(model.ready.has(key), `nobody asked for ${key}`).toBe(true);
    model.running.add(key);
    model.ready.delete(key);
    model.requeued.delete(key);
  }
  toString = (): string => "take()";
}

class FinishCommand implements fc.Command<Model, QueueState> {
  constructor(
    readonly which: number,
    readonly outcome: "ok" | "requeue" | "fail",
    readonly random: number,
  ) {}
  check = (model: Readonly<Model>): boolean => model.running.size > 0;
  run(model: Model, state: QueueState): void {
    const key = [...model.running][this.which % model.running.size] ?? "";
    model.running.delete(key);
    if (this.outcome === "fail") {
      const retryAt = state.fail(key, model.now, this.random);
      expect(retryAt - model.now).toBeLessThanOrEqual(backoff.maxMs);
      expect(retryAt - model.now).toBeGreaterThanOrEqual(backoff.baseMs * (1 - backoff.jitter));
      model.requeued.set(key, retryAt);
    } else if (this.outcome === "requeue") {
      state.succeed(key, model.now + 70);
      model.requeued.set(key, model.now + 70);
    } else {
      state.succeed(key);
      expect(state.failures(key)).toBe(0);
    }
  }
  toString = (): string => `finish(${this.which}, ${this.outcome})`;
}

class SleepCommand implements fc.Command<Model, QueueState> {
  constructor(readonly ms: number) {}
  check = (): boolean => true;
  run(model: Model): void {
    model.now += this.ms;
  }
  toString = (): string => `sleep(${this.ms})`;
}

describe("queue state, by random histories", { timeout: 30_000 }, () => {
  const key = fc.constantFrom("a", "b", "c", "d");
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const commands = fc.commands(
    [
      key.map(k => new AddCommand(k)),
      fc.tuple(key, fc.nat(300)).map(([k, ms]) => new AddAtCommand(k, ms)),
      fc.constant(new TakeCommand()),
      fc
        .tuple(fc.nat(5), fc.constantFrom("ok", "requeue", "fail"), random)
        .map(([n, outcome, r]) => new FinishCommand(n, outcome, r)),
      fc.nat(200).map(ms => new SleepCommand(ms)),
    ],
    { maxCommands: 120 },
  );

  it("loses no key, runs a key once at a time, and only when asked", () => {
    fc.assert(
      fc.property(commands, cmds => {
        const model: Model = {
          now: 0,
          running: new Set(),
          ready: new Set(),
          asked: new Map(),
          requeued: new Map(),
        };
        const state = createQueueState(backoff);
        fc.modelRun(() => ({ model, real: state }), cmds);
        drain(model, state);
        expect(state.size()).toBe(0);
        expect(state.counts()).toEqual({ ready: 0, running: 0, waiting: 0 });
      }),
      { numRuns: 2000 },
    );
  });
});

/** Lets all runs succeed and time pass until nothing is left: everything asked for must have been done. */
function drain(model: Model, state: QueueState): void {
  for (;;) {
    model.running.forEach(key => {
      state.succeed(key);
    });
    model.running.clear();
    promoteDue(model);
    for (let key = state.take(model.now); key !== undefined; key = state.take(model.now)) {
      model.ready.delete(key);
      model.requeued.delete(key);
      state.succeed(key);
    }
    const due = state.nextDue();
    if (due === undefined) {
      break;
    }
    expect(due).toBeGreaterThan(model.now);
    model.now = due;
  }
  expect([...model.ready, ...model.asked.keys(), ...model.requeued.keys()]).toEqual([]);
}
