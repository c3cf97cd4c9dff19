import { parseArgs } from "node:util";
import type { Lab } from "../../hack/lab/lab";
import { downLab } from "../../hack/lab/lab";
import type { Aim, Report } from "../report";
import { startAncho } from "./ancho";
import type { Case, SubjectName } from "./cases";
import { CASES } from "./cases";
import { startKeepalived } from "./keepalived";
import { LAB, setStage } from "./stage";
import { summarize } from "./statistics";
import type { Sample, Summary } from "./statistics";
import type { StartSubject } from "./subject";
import { runTrials } from "./trial";

const SUBJECTS: Readonly<Record<SubjectName, StartSubject>> = {
  ancho: startAncho,
  keepalived: startKeepalived,
};

type CaseName = keyof typeof CASES;

type Settings = {
  readonly cases: readonly CaseName[];
  readonly subjects: readonly SubjectName[];
  readonly nodes: readonly number[];
  readonly times: number;
};

type Measured = {
  readonly name: CaseName;
  readonly subject: SubjectName;
  readonly nodes: number;
  readonly families: readonly Summary[];
};

const FAMILIES = ["IPv4", "IPv6"] as const;

/** What an event costs a client that opens a connection every 5 ms, for Ancho and its peers. */
export async function benchFailover(args: readonly string[]): Promise<Report> {
  const settings = readSettings(args);
  const controller = new AbortController();
  const end = (signal: string): void => {
    controller.abort(new Error(`ended by ${signal}`));
  };
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
  const measured: Measured[] = [];
  try {
    for (const nodes of settings.nodes) {
      await downLab(LAB);
      const lab = await setStage(nodes, progress, controller.signal);
      measured.push(...(await measureAll(lab, settings, controller.signal)));
      await downLab(LAB);
    }
  } finally {
    await downLab(LAB);
    process.off("SIGINT", end);
    process.off("SIGTERM", end);
  }
  return { bench: "failover", aims: aimsOf(measured) };
}

async function measureAll(
  lab: Lab,
  settings: Settings,
  signal: AbortSignal,
): Promise<readonly Measured[]> {
  const nodes = lab.lightNodes.length;
  const measured: Measured[] = [];
  for (const name of settings.subjects) {
    const cases = settings.cases.filter(one => (CASES[one] as Case).subjects.includes(name));
    if (cases.length === 0) continue;
    progress(`${name} on ${nodes} nodes`);
    const subject = await SUBJECTS[name](lab, progress);
    try {
      for (const one of cases) {
        const { event, title } = CASES[one];
        const trials = await runTrials({ lab, subject, signal }, event, settings.times);
        const families = FAMILIES.map((_, i) =>
          summarize(trials.map(trial => trial[i]).filter((s): s is Sample => s !== undefined)),
        );
        measured.push({ name: one, subject: name, nodes, families });
        families.forEach((summary, i) => {
          progress(`${name}, ${nodes} nodes, ${title}, ${FAMILIES[i] ?? ""}: ${textOf(summary)}`);
        });
      }
    } finally {
      await subject.stop();
    }
  }
  return measured;
}

function textOf({ times, p50, p90, p99, max, failed }: Summary): string {
  return `p50 ${p50} p90 ${p90} p99 ${p99} max ${max} ms, ${failed} failed in ${times}`;
}

function aimsOf(measured: readonly Measured[]): readonly Aim[] {
  return measured
    .filter(({ subject }) => subject === "ancho")
    .flatMap(({ name, nodes, families }) =>
      families.flatMap((summary, i): readonly Aim[] => {
        const others = measured.filter(
          other => other.name === name && other.nodes === nodes && other.subject !== "ancho",
        );
        const of = (key: "p50" | "p99"): Record<string, number> =>
          Object.fromEntries(
            others.map(({ subject, families: all }) => [`${subject} ${key}`, all[i]?.[key] ?? NaN]),
          );
        const title = `${CASES[name].title}, ${nodes} nodes, ${FAMILIES[i] ?? ""}`;
        const fastest = Math.min(...Object.values(of("p50")));
        return [
          {
            name: `${title}: outage p50`,
            value: summary.p50,
            unit: "ms",
            aim: "≤ 250, and less than the peers'",
            holds: summary.p50 <= 250 && summary.p50 < fastest,
            peers: of("p50"),
          },
          {
            name: `${title}: outage p99`,
            value: summary.p99,
            unit: "ms",
            aim: "≤ 500",
            holds: summary.p99 <= 500,
            peers: { ...of("p99"), "ancho max": summary.max, times: summary.times },
          },
        ];
      }),
    );
}

function readSettings(args: readonly string[]): Settings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      cases: { type: "string", default: Object.keys(CASES).join(",") },
      subjects: { type: "string", default: Object.keys(SUBJECTS).join(",") },
      nodes: { type: "string", default: "3,10" },
      times: { type: "string", default: "30" },
    },
  });
  const nodes = values.nodes.split(",").map(Number);
  const times = Number(values.times);
  if (!nodes.every(n => Number.isInteger(n) && n >= 2 && n <= 50))
    throw new Error(`--nodes is "${values.nodes}": give whole numbers from 2 to 50, as in 3,10`);
  if (!Number.isInteger(times) || times < 1)
    throw new Error(`--times is "${values.times}": give a whole number from 1 up`);
  return {
    cases: readNames("cases", values.cases, Object.keys(CASES) as CaseName[]),
    subjects: readNames("subjects", values.subjects, Object.keys(SUBJECTS) as SubjectName[]),
    nodes,
    times,
  };
}

function readNames<T extends string>(flag: string, text: string, known: readonly T[]): T[] {
  const unknown = text.split(",").find(name => !(known as readonly string[]).includes(name));
  if (unknown !== undefined)
    throw new Error(`--${flag} has "${unknown}": give some of ${known.join(",")}`);
  return text.split(",") as T[];
}

const began = Date.now();

function progress(line: string): void {
  process.stderr.write(`${((Date.now() - began) / 1000).toFixed(1).padStart(7)} s  ${line}\n`);
}
