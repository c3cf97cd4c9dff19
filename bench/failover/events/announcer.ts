import { setTimeout as delay } from "node:timers/promises";
import { announcerOf, startAnnouncer } from "../ancho";
import { owners } from "../trial";
import { withStreams } from "./moves";
import type { Event, Figures, Scene } from "../trial";

const FROZEN_MS = 10_000;

/** The announcer of the owner dies and is started again, as kubelet does. */
export const killed: Event = {
  run: async (owner, { lab }) => {
    await lab.endDaemon(announcerOf(owner), "SIGKILL");
    await startAnnouncer(lab, owner);
    return {};
  },
};

/** Every announcer in turn is ended and started again, as a rolling upgrade does. */
export const upgraded: Event = {
  run: async (_, scene) =>
    withStreams(scene, async () => {
      const { lab, signal } = scene;
      for (const node of lab.lightNodes) {
        signal.throwIfAborted();
        await lab.endDaemon(announcerOf(node), "SIGTERM");
        await startAnnouncer(lab, node);
      }
    }),
};

/** All processes of the owner stand still; its kernel goes on. */
export const frozen: Event = {
  run: async (owner, scene) => {
    scene.lab.freeze(owner);
    const during = await watchOwners(scene, FROZEN_MS);
    scene.lab.thaw(owner);
    const after = await watchOwners(scene, 1000);
    return { [AT_ONCE]: Math.max(during[AT_ONCE], after[AT_ONCE]) };
  },
  undo: (owner, { lab }) => {
    lab.thaw(owner);
    return Promise.resolve();
  },
};

export const AT_ONCE = "nodes that answer at once";

/** Asks again and again, so long, and says how many nodes at most answered one question. */
export async function watchOwners(
  scene: Scene,
  ms: number,
): Promise<Figures & Readonly<Record<typeof AT_ONCE, number>>> {
  const until = performance.now() + ms;
  let most = 0;
  do {
    scene.signal.throwIfAborted();
    most = Math.max(most, (await owners(scene)).length);
    await delay(100);
  } while (performance.now() < until);
  return { [AT_ONCE]: most };
}
