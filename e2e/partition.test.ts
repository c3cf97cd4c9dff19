import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { join, partition } from "../hack/faults/partition";
import type { Stage } from "./failover-stage";
import { clearStage, oneOwner, owners, seenDuring, setStage } from "./failover-stage";
import type { Cluster } from "./support";
import { cluster } from "./support";

const name = "partition";

describe("a LAN that falls into two halves", () => {
  let c: Cluster;
  let stage: Stage;

  beforeAll(async () => {
    c = await cluster();
    stage = await setStage(c, name, ["172.30.0.132/31", "fd00:30::132/127"]);
  });

  afterAll(async () => {
    await join(c.lab, ["ctl", ...c.lab.nodes]);
    await clearStage(c, name);
  });

  it("has one owner in each half, and one in all when it is healed", async () => {
    for (const apart of stage.eligible) {
      const half = ["ctl", apart];
      const owner = await oneOwner(c, stage);
      const others = stage.eligible.filter(node => node !== apart);
      const seen = await seenDuring(c, stage, async () => {
        await partition(c.lab, half);
        try {
          await c.waitFor("an owner in the client's half", async () => {
            const near = await owners(c, stage);
            return near.length === 1 && others.includes(near[0]!);
          });
          await c.waitFor("an owner in the other half", async () => {
            return (await owners(c, stage, "ctl")).join() === apart;
          });
        } finally {
          await join(c.lab, half);
        }
        await oneOwner(c, stage);
      });
      // Where the owner was in the client's half, nothing happened there until the halves met.
      for (const { attempts, outageMs } of seen) {
        expect(attempts).toBeGreaterThan(50);
        expect(outageMs).toBeLessThan(3000);
      }
      const next = await oneOwner(c, stage);
      expect(stage.eligible).toContain(next);
      console.log(`partition: ${owner} before, ${apart} apart, ${next} after`);
      await c.ok(["wait", "--for=condition=Ready", "node", "--all", "--timeout=120s"]);
    }
  });
});
