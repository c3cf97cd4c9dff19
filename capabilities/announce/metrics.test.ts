import { describe, expect, it } from "vitest";
import { createMetrics } from "./metrics";

describe("createMetrics", () => {
  it("shows the takeovers of every cause before there is one", async () => {
    const { moves, registry } = createMetrics();
    const shown = async (): Promise<readonly string[]> =>
      (await registry.metrics()).split("\n").filter(line => line.startsWith("ancho_moves_total"));
    expect(await shown()).toEqual([
      'ancho_moves_total{cause="first"} 0',
      'ancho_moves_total{cause="silent"} 0',
      'ancho_moves_total{cause="leaving"} 0',
      'ancho_moves_total{cause="rebalance"} 0',
      'ancho_moves_total{cause="other"} 0',
    ]);
    moves.inc({ cause: "silent" }, 2);
    expect(await shown()).toContain('ancho_moves_total{cause="silent"} 2');
  });
});
