import { setTimeout as delay } from "node:timers/promises";
import { loseHeartbeats, stopLosses } from "../../../hack/faults/heartbeats";
import { join, partition } from "../../../hack/faults/partition";
import type { Lab } from "../../../hack/lab/lab";
import { SERVER } from "../stage";
import { owners } from "../trial";
import type { Event } from "../trial";
import { watchOwners } from "./announcer";

const FILTERED_MS = 3000;
const PARTITION_MS = 10_000;

export const SILENT_HALVES = "halves in which nobody answered";
export const UNTIL_ONE = "ms until one node answered after healing";

/** Heartbeats of the owner are lost in both directions; all else passes. */
export const filtered: Event = {
  run: async (owner, scene) => {
    await loseHeartbeats(scene.lab, owner, { direction: "both", percent: 100 });
    return watchOwners(scene, FILTERED_MS);
  },
  undo: async (owner, { lab }) => stopLosses(lab, owner),
};

/** The LAN falls apart: the API server and every other node on one side, the client and the web server on the other. */
export const partitioned: Event = {
  run: async (_, scene) => {
    const half = farHalf(scene.lab);
    await partition(scene.lab, half);
    await delay(PARTITION_MS);
    const near = await owners(scene);
    const far = await owners(scene, "ctl");
    const healed = performance.now();
    await join(scene.lab, half);
    let since: number;
    do {
      scene.signal.throwIfAborted();
      since = performance.now();
    } while ((await owners(scene)).length !== 1);
    return {
      [SILENT_HALVES]: [near, far].filter(all => all.length === 0).length,
      [UNTIL_ONE]: Math.round(since - healed),
    };
  },
  undo: async (_, { lab }) => join(lab, farHalf(lab)),
};

function farHalf({ lightNodes, nodes }: Lab): readonly string[] {
  const light = lightNodes.filter((_, i) => i % 2 === 1);
  return ["ctl", ...light, ...nodes.filter(n => n !== SERVER && !lightNodes.includes(n))];
}
