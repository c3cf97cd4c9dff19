import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { kubectl } from "../../../hack/deploy";
import { killGroup } from "../../../hack/lab/run";
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
      await prefer(scene, next);
      await oneOwner(scene, node => node === next);
    }),
  after: async scene => prefer(scene, undefined),
};

async function prefer({ lab }: Scene, node: string | undefined): Promise<void> {
  const preference = { matchLabels: { "kubernetes.io/hostname": node } };
  const preferredNodeSelectors = node === undefined ? null : [{ weight: 1, preference }];
  const patch = JSON.stringify({ spec: { preferredNodeSelectors } });
  const target = ["-n", "metallb-system", "patch", "l2advertisement", POOL];
  await kubectl(lab, [...target, "--type=merge", "-p", patch]);
}

/** Runs an event with a download under way from each address, and says how many of them broke. */
async function withStreams(scene: Scene, event: () => Promise<void>): Promise<Figures> {
  const streams = await Promise.all(scene.subject.addresses.map(ip => startStream(scene, ip)));
  try {
    await event();
    const next = streams.map(stream => nextData(stream));
    return { [BROKEN]: (await Promise.all(next)).filter(isAlive => !isAlive).length };
  } finally {
    for (const { pid } of streams) if (pid !== undefined) killGroup(pid, "SIGKILL");
  }
}

async function startStream({ lab }: Scene, address: string): Promise<ChildProcess> {
  const host = address.includes(":") ? `[${address}]` : address;
  const child = await lab.spawn("client", ["curl", "-sgN", `http://${host}/stream`]);
  await nextData(child);
  return child;
}

/** Whether something more comes of a download; its server writes ten times a second. */
async function nextData(child: ChildProcess): Promise<boolean> {
  if (child.exitCode !== null || child.stdout === null) return false;
  const signal = AbortSignal.timeout(3000);
  const data = once(child.stdout, "data", { signal });
  const exit = once(child, "exit", { signal });
  return Promise.race([data.then(() => true), exit.then(() => false)]).catch(() => false);
}
