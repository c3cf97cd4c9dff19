import { readFile } from "node:fs/promises";
import { show } from "../process";
import { inRepo } from "../repo";
import type { Tally } from "./tally";
import { addTallies, tallyVitest } from "./tally";

type Check = { readonly name: string; readonly argv: readonly string[] };

/** Checks that pass or fail as a whole, quick ones first; then what the e2e tests stand on. */
const checks: readonly Check[] = [
  { name: "types", argv: ["npm", "run", "--silent", "typecheck"] },
  { name: "lint", argv: ["npm", "run", "--silent", "lint"] },
  { name: "generated files", argv: ["npx", "tsx", "hack/gen/check.ts"] },
  { name: "lab packages and binaries", argv: ["npx", "tsx", "hack/lab/index.ts", "prepare"] },
  { name: "build", argv: ["npm", "run", "--silent", "build"] },
  { name: "image", argv: ["npm", "run", "--silent", "image"] },
];

const projects = ["unit", "interop", "e2e"] as const;

async function main(): Promise<number> {
  const tallies: Tally[] = [];
  for (const check of checks) tallies.push(await runCheck(check));
  for (const project of projects) tallies.push(await runProject(project));
  const total = addTallies(tallies);
  for (const failure of total.failures) console.log(`failed: ${failure}`);
  console.log(`${total.passed} passed, ${total.failures.length} failed`);
  return total.failures.length === 0 ? 0 : 1;
}

async function runCheck(check: Check): Promise<Tally> {
  console.log(`\n== ${check.name}`);
  const ok = await show(check.argv);
  return ok ? { passed: 1, failures: [] } : { passed: 0, failures: [check.name] };
}

async function runProject(project: (typeof projects)[number]): Promise<Tally> {
  console.log(`\n== ${project} tests`);
  const report = inRepo(".cache/test", `${project}.json`);
  const ok = await show([
    ...["npx", "vitest", "run", "--project", project],
    ...["--reporter=default", "--reporter=json", `--outputFile.json=${report}`],
  ]);
  return tallyVitest(project, ok, await readFile(report, "utf8").catch(() => undefined));
}

process.exitCode = await main();
