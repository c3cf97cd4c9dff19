import type { Lab } from "../../hack/lab/lab";
import { answerers } from "../../hack/faults/wire";
import { measureOutage } from "../../hack/probe/outage";
import { monotonicMs, startProber } from "../../hack/probe/prober";
import type { Prober } from "../../hack/probe/prober";
import { waitFor } from "../../hack/wait";
import type { Sample } from "./statistics";
import type { Subject } from "./subject";

/** The client opens a connection to each address so often, ms. */
const INTERVAL_MS = 5;
/** An outage is over when so long all was well, ms. */
const QUIET_MS = 400;
/** MetalLB may take longest; whoever is slower has not recovered. */
const LIMIT_MS = 60_000;

/** One run of a case: what the client saw of each address, in the order of the subject's addresses. */
export type Trial = readonly Sample[];

export type Scene = {
  readonly lab: Lab;
  readonly subject: Subject;
  readonly prober: Prober;
  readonly signal: AbortSignal;
};

/** An event, and how what it did is undone afterwards; both are told who owned the addresses. */
export type Event = {
  readonly run: (owner: string, scene: Scene) => Promise<void>;
  readonly undo?: (owner: string, scene: Scene) => Promise<void>;
};

/** Runs an event so many times, each when all is well and one node answers, with one client all the time. */
export async function runTrials(
  scene: Omit<Scene, "prober">,
  event: Event,
  times: number,
): Promise<readonly Trial[]> {
  const { lab, subject, signal } = scene;
  const prober = await startProber(lab, { addresses: subject.addresses, intervalMs: INTERVAL_MS });
  const trials: Trial[] = [];
  try {
    while (trials.length < times) {
      signal.throwIfAborted();
      trials.push(await runTrial({ ...scene, prober }, event));
    }
  } finally {
    await prober.stop();
  }
  return trials;
}

async function runTrial(scene: Scene, { run, undo }: Event): Promise<Trial> {
  const { subject, prober } = scene;
  const owner = await onlyOwner(scene);
  const begin = monotonicMs();
  prober.forget(begin - 1000);
  try {
    await run(owner, scene);
    await recovered(scene);
  } finally {
    // The lab is left as it was also when the event failed.
    await undo?.(owner, scene);
  }
  const end = monotonicMs();
  await prober.settled(end);
  return subject.addresses.map(address => measureOutage(prober.attempts(address, begin, end)));
}

async function recovered({ subject, prober }: Scene): Promise<void> {
  for (const address of subject.addresses) await prober.good(address, QUIET_MS, LIMIT_MS);
}

/** Waits until all is well: the same node alone answers for all addresses, and connections succeed. */
async function onlyOwner(scene: Scene): Promise<string> {
  const { lab, subject, signal } = scene;
  await recovered(scene);
  return waitFor(
    "one node to answer for both addresses",
    async () => {
      signal.throwIfAborted();
      const found = new Set<string>();
      for (const address of subject.addresses) {
        const all = await answerers(lab, address);
        if (all.length !== 1) return undefined;
        all.forEach(node => found.add(node));
      }
      const [owner] = found;
      return found.size === 1 && owner;
    },
    LIMIT_MS,
  );
}
