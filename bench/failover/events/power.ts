import { oneOwner } from "../trial";
import type { Event } from "../trial";

/** Power cut, as the network sees it. The node comes back when its addresses are elsewhere, and may take them back. */
export const powerCut: Event = {
  run: async (owner, { lab }) => {
    await lab.cut(owner);
    return {};
  },
  undo: async (owner, scene) => {
    await scene.lab.heal(owner);
    await scene.subject.rejoined(owner);
    await oneOwner(scene, () => true);
  },
};

/** The same with no API server; it is back after the last run. */
export const powerCutWithoutApi: Event = {
  ...powerCut,
  before: async ({ lab }) => lab.killControlPlane("kube-apiserver"),
  after: async ({ lab }) => lab.startControlPlane("kube-apiserver"),
};
