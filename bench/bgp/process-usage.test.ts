import { describe, expect, it } from "vitest";
import { usageOf } from "./process-usage";

describe("what a process has used", () => {
  it("is what Node.js says of itself, as far as both count the same", async () => {
    const wanted = process.cpuUsage().user / 1e6 + 0.1;
    while (process.cpuUsage().user / 1e6 < wanted);
    const before = process.cpuUsage();
    const usage = await usageOf(process.pid);
    const after = process.cpuUsage();
    // The kernel counts whole ticks of 10 ms.
    expect(usage.cpuSeconds).toBeGreaterThan((before.user + before.system) / 1e6 - 0.03);
    expect(usage.cpuSeconds).toBeLessThan((after.user + after.system) / 1e6 + 0.03);
    expect(usage.rssMiB).toBeGreaterThan(10);
    expect(usage.peakRssMiB).toBeGreaterThanOrEqual(usage.rssMiB);
  });

  it("cannot be told of one that is not there", async () => {
    await expect(usageOf(0x7fff_ffff)).rejects.toThrow("ENOENT");
  });
});
