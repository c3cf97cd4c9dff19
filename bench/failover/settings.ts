import { parseArgs } from "node:util";
import type { SubjectName } from "./cases";

export type Settings = {
  /** Keys of the table of cases. */
  readonly cases: readonly string[];
  readonly subjects: readonly SubjectName[];
  /** How many nodes may own addresses; a lab for each. */
  readonly nodes: readonly number[];
  /** Runs of a case. */
  readonly timesOf: (name: string) => number;
  /** How long each soak lasts. */
  readonly minutes: number;
};

/** What there is to choose from. */
export type Choices = {
  readonly cases: readonly string[];
  readonly subjects: readonly SubjectName[];
};

/**
 * Reads the command line.
 * @throws Error that names the flag, the value and what may be given
 */
export function readSettings(args: readonly string[], choices: Choices): Settings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      cases: { type: "string", default: choices.cases.join(",") },
      subjects: { type: "string", default: choices.subjects.join(",") },
      nodes: { type: "string", default: "3,10" },
      times: { type: "string", default: "30" },
      minutes: { type: "string", default: "10" },
    },
  });
  const nodes = values.nodes.split(",").map(Number);
  const minutes = Number(values.minutes);
  if (!nodes.every(n => Number.isInteger(n) && n >= 2 && n <= 50))
    throw new Error(`--nodes is "${values.nodes}": give whole numbers from 2 to 50, as in 3,10`);
  if (!(minutes > 0)) throw new Error(`--minutes is "${values.minutes}": give a number above 0`);
  return {
    cases: readNames("cases", values.cases, choices.cases),
    subjects: readNames("subjects", values.subjects, choices.subjects),
    nodes,
    timesOf: readTimes(values.times, choices.cases),
    minutes,
  };
}

/** A number for all cases, then others for some of them, as in `5,power-cut=30`. */
function readTimes(text: string, cases: readonly string[]): (name: string) => number {
  const [all = "", ...some] = text.split(",");
  const read = (value: string): number => {
    const times = Number(value);
    if (Number.isInteger(times) && times >= 1) return times;
    throw new Error(
      `--times has "${value}": give whole numbers from 1 up, as in 30 or 5,${cases[0] ?? ""}=30`,
    );
  };
  const special = new Map(
    some.map(item => {
      const [name = "", value = ""] = item.split("=");
      return [readNames("times", name, cases)[0] ?? "", read(value)] as const;
    }),
  );
  const usual = read(all);
  return name => special.get(name) ?? usual;
}

function readNames<T extends string>(flag: string, text: string, known: readonly T[]): T[] {
  return text.split(",").map(name => {
    const found = known.find(one => one === name);
    if (found === undefined)
      throw new Error(`--${flag} has "${name}": give some of ${known.join(",")}`);
    return found;
  });
}
