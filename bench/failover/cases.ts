import { waitFor } from "../../hack/wait";
import { answerers } from "../../hack/faults/wire";
import type { Event } from "./trial";

/** A case of the bench: an event, and who is measured by it. */
export type Case = {
  readonly title: string;
  readonly event: Event;
  readonly subjects: readonly SubjectName[];
};

export type SubjectName = "ancho" | "keepalived";

/** Power cut, as the network sees it. It comes back when the addresses are elsewhere. */
const powerCut: Event = {
  run: async (owner, { lab }) => lab.cut(owner),
  undo: async (owner, { lab, subject }) => {
    await lab.heal(owner);
    await waitFor(`${owner} to be back`, async () => {
      const all = await Promise.all(subject.addresses.map(address => answerers(lab, address)));
      return all.every(nodes => nodes.length === 1);
    });
  },
};

export const CASES = {
  "power-cut": {
    title: "power cut of the owner",
    event: powerCut,
    subjects: ["ancho", "keepalived"],
  },
} as const satisfies Readonly<Record<string, Case>>;
