import { describe, expect, it } from "vitest";
import { settleAll, waitFor, waitUntil } from "./wait";

describe("waitUntil", () => {
  it("asks again after false and after an error", async () => {
    const answers = [
      () => false,
      () => {
        throw new Error("not yet");
      },
      () => true,
    ];
    await waitUntil(() => answers.shift()!(), { what: "x", timeoutMs: 5_000, intervalMs: 1 });
    expect(answers).toEqual([]);
  });

  it("says what it waited for and the last error", async () => {
    const probe = (): boolean => {
      throw new Error("refused");
    };
    await expect(
      waitUntil(probe, { what: "the moon", timeoutMs: 5, intervalMs: 1 }),
    ).rejects.toThrow("timed out after 0.005 s waiting for the moon: refused");
  });

  it("ends early when the check throws or the signal is aborted", async () => {
    const forever = { what: "x", timeoutMs: 60_000, intervalMs: 1 };
    const check = (): void => {
      throw new Error("it died");
    };
    await expect(waitUntil(() => false, { ...forever, check })).rejects.toThrow("it died");
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(waitUntil(() => false, { ...forever, signal })).rejects.toThrow("enough");
  });
});

describe("waitFor", () => {
  it("returns the first answer that is neither undefined nor false, be it 0 or empty", async () => {
    const answers = [undefined, false, 0] as const;
    let asked = 0;
    expect(await waitFor("x", () => Promise.resolve(answers[asked++]))).toBe(0);
  });

  it("says what it waited for and why it does not hold", async () => {
    const condition = (): Promise<string> => Promise.reject(new Error("refused"));
    await expect(waitFor("the moon", condition, 5)).rejects.toThrow(
      "timed out after 0.005 s waiting for the moon: refused",
    );
  });
});

describe("settleAll", () => {
  it("waits for everything before it reports the first error", async () => {
    let finished = false;
    const slow = new Promise<void>(resolve => {
      setImmediate(() => {
        finished = true;
        resolve();
      });
    });
    await expect(settleAll([Promise.reject(new Error("first")), slow])).rejects.toThrow("first");
    expect(finished).toBe(true);
  });

  it("returns results in order", async () => {
    expect(await settleAll([Promise.resolve(1), 2])).toEqual([1, 2]);
  });
});
