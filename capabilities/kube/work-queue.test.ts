import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KubeError } from "./errors";
import { fakeClock, settle } from "./fake-clock";
import { createWorkQueue } from "./work-queue";
import type { Result, WorkQueue, WorkQueueOptions } from "./work-queue";

const silent = { debug: noop, info: noop, warn: noop, error: noop };
function noop(): void {
  // The tests look at what the queue does, not at what it logs.
}

function queue(
  options: Partial<WorkQueueOptions> & Pick<WorkQueueOptions, "reconcile">,
): WorkQueue {
  const backoff = { baseMs: 100, maxMs: 1_000, jitter: 0 };
  return createWorkQueue({ name: "test", log: silent, random: () => 0, backoff, ...options });
}

describe("work queue", { timeout: 30_000 }, () => {
  it("leaves a place empty after a run for as long as it is told, and not longer than 0.1 s", async () => {
    const clock = fakeClock();
    const begun: number[] = [];
    const takes = [10, 2_000, 0, 0];
    const reconcile = () => {
      begun.push(clock.now());
      return new Promise<void>(resolve => {
        clock.after(takes.shift() ?? 0, resolve);
      });
    };
    const q = queue({ reconcile, clock, rest: 3 });
    ["a", "b", "c", "d"].forEach(key => {
      q.add(key);
    });
    await clock.advance(10_000);
    expect(begun).toEqual([0, 40, 2_140, 2_140]);
  });

  it("does not run a key inside add", async () => {
    const runs: string[] = [];
    const q = queue({ reconcile: key => Promise.resolve(void runs.push(key)) });
    q.add("a");
    q.add("a");
    expect(runs).toEqual([]);
    await q.idle();
    expect(runs).toEqual(["a"]);
  });

  it("retries with growing delays and forgets them on success", async () => {
    const clock = fakeClock();
    const times: number[] = [];
    const q = queue({
      clock,
      reconcile: () => {
        times.push(clock.now());
        const conflict = new KubeError("Conflict", 409, "changed meanwhile");
        return times.length < 4 ? Promise.reject<undefined>(conflict) : Promise.resolve(undefined);
      },
    });
    q.add("a");
    await clock.advance(10_000);
    expect(times).toEqual([0, 100, 300, 700]);
    expect(q.size()).toBe(0);
  });

  it("treats a reconcile that throws at once like one that rejects", async () => {
    const clock = fakeClock();
    let runs = 0;
    const q = queue({
      clock,
      reconcile: () => {
        runs += 1;
        if (runs === 1) {
          throw new Error("no promise was made");
        }
        return Promise.resolve();
      },
    });
    q.add("a");
    await clock.advance(100);
    expect(runs).toBe(2);
  });

  it("requeues after the time that a run asks for", async () => {
    const clock = fakeClock();
    const times: number[] = [];
    const reconcile = (): Promise<Result | undefined> => {
      times.push(clock.now());
      return Promise.resolve(times.length < 3 ? { requeueAfterMs: 5_000 } : undefined);
    };
    const q = queue({ clock, reconcile });
    q.add("a");
    await clock.advance(60_000);
    expect(times).toEqual([0, 5_000, 10_000]);
  });

  it("waits for the earliest time that was asked for", async () => {
    const clock = fakeClock();
    const times: number[] = [];
    const q = queue({ clock, reconcile: () => Promise.resolve(void times.push(clock.now())) });
    q.addAfter("a", 900);
    q.addAfter("a", 300);
    q.addAfter("a", 600);
    await clock.advance(5_000);
    expect(times).toEqual([300]);
  });

  it("stop waits for what runs, and starts nothing more", async () => {
    const clock = fakeClock();
    const started: string[] = [];
    let finish = noop;
    const q = queue({
      clock,
      reconcile: key => {
        started.push(key);
        return new Promise<void>(resolve => (finish = resolve));
      },
    });
    q.add("a");
    q.add("b");
    q.addAfter("c", 10);
    await settle();
    let stopped = false;
    const stopping = q.stop().then(() => (stopped = true));
    await clock.advance(1_000);
    expect(stopped).toBe(false);
    finish();
    await stopping;
    q.add("d");
    await clock.advance(1_000);
    expect(started).toEqual(["a"]);
  });

  it("keeps its promises under random schedules", async () => {
    const key = fc.constantFrom("a", "b", "c");
    const step = fc.oneof(
      fc.record({ op: fc.constant("add" as const), key }),
      fc.record({ op: fc.constant("after" as const), key, ms: fc.nat(500) }),
      fc.record({ op: fc.constant("sleep" as const), ms: fc.nat(400) }),
    );
    const plan = fc.record({
      steps: fc.array(step, { maxLength: 40 }),
      /** How long each run takes and whether it fails, in turn. */
      runs: fc.array(fc.record({ ms: fc.nat(300), fails: fc.boolean() }), { minLength: 1 }),
      concurrency: fc.integer({ min: 1, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ steps, runs, concurrency }) => {
        const clock = fakeClock();
        const active = new Set<string>();
        const lastStart = new Map<string, number>();
        const asked = new Map<string, number>();
        let count = 0;
        const q = queue({
          clock,
          concurrency,
          reconcile: async k => {
            expect(active.has(k)).toBe(false);
            active.add(k);
            expect(active.size).toBeLessThanOrEqual(concurrency);
            lastStart.set(k, clock.now());
            const run = runs[count % runs.length] ?? { ms: 0, fails: false };
            count += 1;
            await new Promise<void>(resolve => void clock.after(run.ms, resolve));
            active.delete(k);
            if (run.fails && count < 200) {
              throw new Error("as planned");
            }
          },
        });
        for (const s of steps) {
          if (s.op === "sleep") {
            await clock.advance(s.ms);
          } else {
            const ms = s.op === "after" ? s.ms : 0;
            asked.set(s.key, Math.max(asked.get(s.key) ?? 0, clock.now() + ms));
            q.addAfter(s.key, ms);
          }
        }
        await clock.advance(1_000_000);
        expect(q.size()).toBe(0);
        await q.idle();
        for (const k of asked.keys()) {
          expect(lastStart.has(k), `${k} never ran`).toBe(true);
        }
        await q.stop();
      }),
      { numRuns: 100 },
    );
  });
});
