import type { Lab } from "../../hack/lab/lab";
import { answerers } from "../../hack/faults/wire";
import { measureOutage } from "../../hack/probe/outage";
import { delivered } from "../../hack/probe/request";
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

export type Scene = {
  readonly lab: Lab;
  readonly subject: Subject;
  readonly prober: Prober;
  readonly signal: AbortSignal;
  /** How long events last that wait for something not to happen, ms. */
  readonly soakMs: number;
};

/** What an event is judged by besides connections, by name; the greatest of all runs counts, and of lists the 99th percentile of all together. */
export type Figures = Readonly<Record<string, number | readonly number[]>>;

/** One run of a case: what the client saw of each address, in the order of the subject's, and the event's figures. */
export type Trial = { readonly samples: readonly Sample[]; readonly figures: Figures };

/** An event, and how what it did is undone afterwards; both are told who owned the addresses. */
export type Event = {
  /** Once, before the first run, with a client at work; and after the last. */
  readonly before?: (scene: Scene) => Promise<void>;
  readonly after?: (scene: Scene) => Promise<void>;
  readonly run: (owner: string, scene: Scene) => Promise<Figures>;
  readonly undo?: (owner: string, scene: Scene) => Promise<void>;
};

/** Runs an event so many times, each when all is well and one node answers, with one client all the time. */
export async function runTrials(
  given: Omit<Scene, "prober">,
  event: Event,
  times: number,
): Promise<readonly Trial[]> {
  const { lab, subject, signal } = given;
  await delivered(lab, lab.lightNodes, subject.addresses);
  const prober = await startProber(lab, { addresses: subject.addresses, intervalMs: INTERVAL_MS });
  const scene = { ...given, prober };
  const trials: Trial[] = [];
  try {
    await onlyOwner(scene);
    await event.before?.(scene);
    while (trials.length < times) {
      signal.throwIfAborted();
      trials.push(await runTrial(scene, event));
    }
  } finally {
    await event.after?.(scene);
    await prober.stop();
  }
  return trials;
}

async function runTrial(scene: Scene, { run, undo }: Event): Promise<Trial> {
  const { subject, prober } = scene;
  const owner = await onlyOwner(scene);
  const begin = monotonicMs();
  prober.forget(begin - 1000);
  let figures: Figures;
  try {
    figures = await run(owner, scene);
    await recovered(scene);
  } finally {
    // The lab is left as it was also when the event failed.
    await undo?.(owner, scene);
  }
  const end = monotonicMs();
  await prober.settled(end);
  const samples = subject.addresses.map(address =>
    measureOutage(prober.attempts(address, begin, end)),
  );
  return { samples, figures };
}

async function recovered({ subject, prober }: Scene): Promise<void> {
  for (const address of subject.addresses) await prober.good(address, QUIET_MS, LIMIT_MS);
}

/** All who answer for the addresses, asked once. */
export async function owners({ lab, subject }: Scene, from?: string): Promise<readonly string[]> {
  const found = [];
  for (const address of subject.addresses) found.push(...(await answerers(lab, address, from)));
  return [...new Set(found)];
}

/** Waits until one node alone answers for all addresses. */
export function oneOwner(scene: Scene, isWanted: (node: string) => boolean): Promise<string> {
  return waitFor(
    "one node to answer for both addresses",
    async () => {
      scene.signal.throwIfAborted();
      const [owner, ...others] = await owners(scene);
      return owner !== undefined && others.length === 0 && isWanted(owner) && owner;
    },
    LIMIT_MS,
  );
}

/** Waits until all is well: one owner, and connections succeed. */
async function onlyOwner(scene: Scene): Promise<string> {
  await recovered(scene);
  return oneOwner(scene, () => true);
}
