import type { Aim } from "../report";
import type { Case, SubjectName } from "./cases";
import type { Summary } from "./statistics";
import { percentile, summarize } from "./statistics";
import type { Figures, Trial } from "./trial";

/** What a case gave for one subject on so many nodes. */
export type Measured = {
  readonly of: Case;
  readonly subject: SubjectName;
  readonly nodes: number;
  /** By family: IPv4, IPv6. */
  readonly families: readonly Summary[];
  readonly figures: Readonly<Record<string, FigureOfRuns>>;
};

/** A figure of all runs of a case, and what else is to be known of it. */
type FigureOfRuns = { readonly value: number; readonly besides: Readonly<Record<string, number>> };

const FAMILIES = ["IPv4", "IPv6"] as const;
const P50_MS = 250;
const P99_MS = 500;

/** Puts the runs of a case together. */
export function measuredOf(
  trials: readonly Trial[],
  about: Pick<Measured, "of" | "subject" | "nodes">,
): Measured {
  const families = FAMILIES.map((_, i) =>
    summarize(trials.flatMap(({ samples }) => samples.slice(i, i + 1))),
  );
  const names = Object.keys(about.of.limits ?? {});
  const figures = names.map(
    name => [name, figureOf(trials.map(t => t.figures[name] ?? NaN))] as const,
  );
  return { ...about, families, figures: Object.fromEntries(figures) };
}

function figureOf(runs: readonly Figures[string][]): FigureOfRuns {
  const lists = runs.filter(one => typeof one !== "number");
  if (lists.length === 0) return { value: Math.max(...runs.map(Number)), besides: {} };
  const all = lists.flat();
  const slowest = Math.max(...lists.map(list => percentile(list, 99)));
  const besides = { p50: percentile(all, 50), "p99 of the slowest run": slowest };
  return { value: percentile(all, 99), besides };
}

/** A line for each family, for who watches the bench. */
export function linesOf({ of, subject, nodes, families, figures }: Measured): readonly string[] {
  const head = `${subject}, ${nodes} nodes, ${of.title}`;
  return [
    ...families.map(({ times, p50, p90, p99, max, failed }, i) => {
      const outage = `p50 ${p50} p90 ${p90} p99 ${p99} max ${max} ms`;
      return `${head}, ${FAMILIES[i] ?? ""}: ${outage}; ${failed} failed in ${times} runs`;
    }),
    ...Object.entries(figures).map(([name, { value, besides }]) => {
      const more = Object.entries(besides).map(([what, ms]) => `, ${what}: ${ms}`);
      return `${head}: ${name}: ${value}${more.join("")}`;
    }),
  ];
}

/** Ancho's figures, each with its aim and with what the peers had in the same run. */
export function aimsOf(measured: readonly Measured[]): readonly Aim[] {
  return measured
    .filter(({ subject }) => subject === "ancho")
    .flatMap(one => {
      const others = measured.filter(
        ({ of, nodes, subject }) => of === one.of && nodes === one.nodes && subject !== one.subject,
      );
      const title = `${one.of.title}, ${one.nodes} nodes`;
      return [
        ...one.families.flatMap((_, i) => familyAims(one, others, i)),
        ...Object.entries(one.figures).map(([name, { value, besides }]): Aim => {
          const limit = one.of.limits?.[name] ?? NaN;
          const peers = { times: one.families[0]?.times ?? 0, ...besides };
          const aim = `≤ ${limit}`;
          const unit = name.startsWith("ms ") ? "ms" : "count";
          return { name: `${title}: ${name}`, value, unit, aim, holds: value <= limit, peers };
        }),
      ];
    });
}

function familyAims(one: Measured, others: readonly Measured[], family: number): readonly Aim[] {
  const summary = one.families[family];
  if (summary === undefined || one.of.judgedBy === undefined) return [];
  const title = `${one.of.title}, ${one.nodes} nodes, ${FAMILIES[family] ?? ""}`;
  const own = { "ancho p90": summary.p90, "ancho max": summary.max, times: summary.times };
  const peers = (key: "p50" | "p99"): Record<string, number> =>
    Object.fromEntries(
      others.map(({ subject, families }) => [`${subject} ${key}`, families[family]?.[key] ?? NaN]),
    );
  if (one.of.judgedBy === "failures") {
    const value = summary.failed;
    const name = `${title}: failed connections`;
    return [{ name, value, unit: "count", aim: "0", holds: value === 0, peers: own }];
  }
  const fastest = Math.min(...Object.values(peers("p50")));
  return [
    {
      name: `${title}: outage p50`,
      value: summary.p50,
      unit: "ms",
      aim: `≤ ${P50_MS}, and less than the peers'`,
      holds: summary.p50 <= P50_MS && summary.p50 < fastest,
      peers: peers("p50"),
    },
    {
      name: `${title}: outage p99`,
      value: summary.p99,
      unit: "ms",
      aim: `≤ ${P99_MS}`,
      holds: summary.p99 <= P99_MS,
      peers: { ...peers("p99"), ...own },
    },
  ];
}
