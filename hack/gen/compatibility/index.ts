import { readFileSync, readdirSync } from "node:fs";
import { inRepo } from "../../repo";
import { differences, shownBy } from "./evidence";
import type { Evidence } from "./evidence";
import { sections } from "./behaviours";

const HEAD = `<!-- Written by \`npm run gen\` from the names of the tests and docs/differences.md; do not edit. -->

# Compatibility with MetalLB

What MetalLB's own tests assert, and where Ancho's tests show the same or [differences](differences.md#by-number) says why
it does something else. A line with neither is not shown yet.
`;

/** `docs/compatibility.md`: each behaviour of MetalLB with the tests that carry its number. */
export function compatibilityMarkdown(): string {
  const tests = [...testsIn("capabilities"), ...testsIn("e2e")]
    .sort()
    .map(path => ({ path, text: readFileSync(inRepo(path), "utf8") }));
  const evidence = {
    tests: shownBy(tests),
    differences: differences(readFileSync(inRepo("docs/differences.md"), "utf8")),
  };
  return [HEAD, ...sections.map(section => table(section, evidence))].join("\n");
}

function table(
  { title, first, behaviours }: (typeof sections)[number],
  evidence: Evidence,
): string {
  const rows = behaviours.map((behaviour, i) => {
    const number = first + i;
    const places = (evidence.tests.get(number) ?? []).map(
      path => `[${baseName(path)}](../${path})`,
    );
    const other = evidence.differences.has(number) ? ["[differs](differences.md#by-number)"] : [];
    return `| ${number} | ${behaviour} | ${[...other, ...places].join(", ")} |`;
  });
  return `## ${title}\n\n| no. | MetalLB | shown by |\n| --- | --- | --- |\n${rows.join("\n")}\n`;
}

function testsIn(folder: string): readonly string[] {
  return readdirSync(inRepo(folder), { recursive: true, encoding: "utf8" })
    .filter(path => path.endsWith(".test.ts"))
    .map(path => `${folder}/${path}`);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/\.test\.ts$/, "");
}
