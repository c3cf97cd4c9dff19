import { setTimeout as sleep } from "node:timers/promises";

/**
 * Wait until a condition holds, asking again every 100 ms, and return what it returned. A condition
 * that throws does not hold yet; what it threw last is in the error when time runs out.
 * @throws Error that names what was waited for.
 */
export async function waitFor<T>(
  what: string,
  condition: () => Promise<T | undefined | false>,
  timeoutMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown = "the condition did not hold";
  while (Date.now() < deadline) {
    try {
      const value = await condition();
      if (value !== undefined && value !== false) return value;
      last = "the condition did not hold";
    } catch (error) {
      last = error;
    }
    await sleep(100);
  }
  const reason = last instanceof Error ? last.message : String(last);
  throw new Error(`waited ${timeoutMs / 1000} s for ${what}: ${reason}`);
}
