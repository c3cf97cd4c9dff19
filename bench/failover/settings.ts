import { parseArgs } from "node:util";
import type { SubjectName } from "./cases";

export type Settings = {
  /** Keys of the table of cases. */
  readonly cases: readonly string[];
  readonly subjects: readonly SubjectName[];
  /** How many nodes may own addresses; a lab for each. */
  readonly nodes: readonly number[];
  /** Runs of each case. */
  readonly times: number;
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
  const times = Number(values.times);
  const minutes = Number(values.minutes);
  if (!nodes.every(n => Number.isInteger(n) && n >= 2 && n <= 50))
    throw new Error(`--nodes is "${values.nodes}": give whole numbers from 2 to 50, as in 3,10`);
  if (!Number.isInteger(times) || times < 1)
    throw new Error(`--times is "${values.times}": give a whole number from 1 up`);
  if (!(minutes > 0)) throw new Error(`--minutes is "${values.minutes}": give a number above 0`);
  return {
    cases: readNames("cases", values.cases, choices.cases),
    subjects: readNames("subjects", values.subjects, choices.subjects),
    nodes,
    times,
    minutes,
  };
}

function readNames<T extends string>(flag: string, text: string, known: readonly T[]): T[] {
  return text.split(",").map(name => {
    const found = known.find(one => one === name);
    if (found === undefined)
      throw new Error(`--${flag} has "${name}": give some of ${known.join(",")}`);
    return found;
  });
}
