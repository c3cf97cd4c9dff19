import { kubectl } from "../../../hack/deploy";
import { preferNode } from "../../../hack/prefer";
import { streamsDuring } from "../../../hack/probe/streams";
import { POOL } from "../ancho";
import { oneOwner } from "../trial";
import type { Event, Figures, Scene } from "../trial";

const EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers";
export const BROKEN = "long-lived connections that broke";

/** The owner is not to be used any more: the label, as on a drain. */
export const excluded: Event = {
  run: async (owner, scene) =>
    withStreams(scene, async () => {
      await kubectl(scene.lab, ["label", "node", owner, `${EXCLUDE}=`]);
      await oneOwner(scene, node => node !== owner);
    }),
  undo: async (owner, { lab }) => {
    await kubectl(lab, ["label", "node", owner, `${EXCLUDE}-`]);
  },
};

/** The L2Advertisement prefers another node from now on. */
export const preferred: Event = {
  run: async (owner, scene) =>
    withStreams(scene, async () => {
      const nodes = scene.lab.lightNodes;
      const next = nodes[(nodes.indexOf(owner) + 1) % nodes.length] ?? "";
      await preferNode(scene.lab, POOL, next);
      await oneOwner(scene, node => node === next);
    }),
  after: ({ lab }) => preferNode(lab, POOL, undefined),
};

/** Runs an event with a connection in use to each address, and says how many of them broke. */
export async function withStreams(
  { lab, subject }: Scene,
  event: () => Promise<void>,
): Promise<Figures> {
  const streams = await streamsDuring(lab, subject.addresses, event);
  return { [BROKEN]: streams.filter(({ broken }) => broken !== undefined).length };
}
