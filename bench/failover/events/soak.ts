import { setTimeout as delay } from "node:timers/promises";
import { loseHeartbeats, stopLosses } from "../../../hack/faults/heartbeats";
import type { Loss } from "../../../hack/faults/heartbeats";
import { endHogs, startHogs } from "../../../hack/faults/hogs";
import { announcerMetric } from "../../../hack/faults/metrics";
import type { Event, Figures, Scene } from "../trial";

export const MOVES = "moves without a cause";

/** Heartbeats get lost, one way and at random, each for its share of the time. */
export const lossy: Event = {
  run: async (owner, scene) => {
    const losses: readonly (readonly [nodes: readonly string[], loss: Loss])[] = [
      [[owner], { direction: "out", percent: 100 }],
      [[owner], { direction: "in", percent: 100 }],
      [scene.lab.lightNodes, { direction: "both", percent: 5 }],
      [scene.lab.lightNodes, { direction: "both", percent: 20 }],
    ];
    return countMoves(scene, async () => {
      for (const [nodes, loss] of losses) {
        for (const node of nodes) await loseHeartbeats(scene.lab, node, loss);
        await delay(scene.soakMs / losses.length, undefined, { signal: scene.signal });
        for (const node of nodes) await stopLosses(scene.lab, node);
      }
    });
  },
  undo: async (_, { lab }) => {
    for (const node of lab.lightNodes) await stopLosses(lab, node);
  },
};

/** As many processes as there are cores that do nothing but need CPU. */
export const hogged: Event = {
  run: async (_, scene) => {
    await startHogs(scene.lab);
    return countMoves(scene, async () => {
      await delay(scene.soakMs, undefined, { signal: scene.signal });
    });
  },
  undo: async (_, { lab }) => endHogs(lab),
};

async function countMoves(scene: Scene, event: () => Promise<void>): Promise<Figures> {
  const before = await moves(scene);
  await event();
  return { [MOVES]: (await moves(scene)) - before };
}

async function moves({ lab }: Scene): Promise<number> {
  const all = await Promise.all(
    lab.lightNodes.map(node => announcerMetric(lab, node, "ancho_moves_total")),
  );
  return all.reduce<number>((sum, count) => sum + (count ?? NaN), 0);
}
