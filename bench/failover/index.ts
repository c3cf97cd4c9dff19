import type { Lab } from "../../hack/lab/lab";
import { downLab } from "../../hack/lab/lab";
import type { Report } from "../report";
import type { Measured } from "./aims";
import { aimsOf, linesOf, measuredOf } from "./aims";
import { startAncho } from "./ancho";
import type { Case, SubjectName } from "./cases";
import { CASES } from "./cases";
import { startKeepalived } from "./keepalived";
import { startMetallb } from "./metallb";
import type { Settings } from "./settings";
import { readSettings } from "./settings";
import { labName, setStage } from "./stage";
import type { StartSubject } from "./subject";
import { runTrials } from "./trial";

/** In this order on one lab: MetalLB must come after Ancho, whose CRDs it replaces. */
const SUBJECTS: Readonly<Record<SubjectName, StartSubject>> = {
  ancho: startAncho,
  keepalived: startKeepalived,
  metallb: startMetallb,
};

/** What an event costs a client that opens a connection every 5 ms, for Ancho and its peers. */
export async function benchFailover(args: readonly string[]): Promise<Report> {
  const settings = readSettings(args, {
    cases: Object.keys(CASES),
    subjects: Object.keys(SUBJECTS) as SubjectName[],
  });
  const controller = new AbortController();
  const end = (signal: string): void => {
    progress(`${signal}: cleaning up`);
    controller.abort(new Error(`ended by ${signal}`));
  };
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
  const measured: Measured[] = [];
  try {
    for (const nodes of settings.nodes) {
      await downLab(labName(nodes));
      const lab = await setStage(nodes, progress, controller.signal);
      for (const name of settings.subjects)
        await measureSubject(lab, name, settings, {
          signal: controller.signal,
          onMeasured: one => measured.push(one),
        }).catch((error: unknown) => {
          controller.signal.throwIfAborted();
          // What was measured is not lost with a subject that fails; the exit code tells that something is missing.
          progress(`${name} on ${nodes} nodes was not measured to the end: ${String(error)}`);
          process.exitCode = 1;
        });
    }
  } finally {
    for (const nodes of settings.nodes) await downLab(labName(nodes));
    process.off("SIGINT", end);
    process.off("SIGTERM", end);
  }
  return { bench: "failover", aims: aimsOf(measured) };
}

async function measureSubject(
  lab: Lab,
  name: SubjectName,
  settings: Settings,
  { signal, onMeasured }: { signal: AbortSignal; onMeasured: (one: Measured) => void },
): Promise<void> {
  const nodes = lab.lightNodes.length;
  const cases = settings.cases
    .flatMap(key => {
      const of: Case | undefined = CASES[key];
      return of ? [{ of, times: of.isSoak ? 1 : settings.timesOf(key) }] : [];
    })
    .filter(({ of }) => of.subjects.includes(name) && nodes >= (of.minNodes ?? 0));
  if (cases.length === 0) return;
  progress(`${name} on ${nodes} nodes`);
  const subject = await SUBJECTS[name](lab, progress);
  for (const { of, times } of cases) {
    const soakMs = settings.minutes * 60_000;
    const trials = await runTrials({ lab, subject, signal, soakMs }, of.event, times);
    const one = measuredOf(trials, { of, subject: name, nodes });
    linesOf(one).forEach(progress);
    onMeasured(one);
  }
  await subject.stop();
}

const began = Date.now();

function progress(line: string): void {
  process.stderr.write(`${((Date.now() - began) / 1000).toFixed(1).padStart(7)} s  ${line}\n`);
}
