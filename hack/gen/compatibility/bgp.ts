import { readFileSync, readdirSync } from "node:fs";
import { inRepo } from "../../repo";
import { bgpAssertions } from "./bgp-assertions";

const HEAD = `<!-- Written by \`npm run gen\` from the names of the tests; do not edit. -->

# What the speaker has to do

Duties from the RFCs, and the tests that show them in the speaker (\`capabilities/bgp\`) and in what Ancho does with it.
A line without a test is not shown yet; most of those are partly covered by tests that carry no number.

| no. | it | shown by |
| --- | --- | --- |
`;

/** A test's name carries numbers as `bgp 12, 13: …` or `bgp#12 …`. */
const IN_NAME = /\bbgp[ #](\d+(?:, ?\d+)*)/g;

/** `docs/bgp-assertions.md`: each duty with the tests that carry its number. */
export function bgpAssertionsMarkdown(): string {
  const shown = bgpNumbers(
    readdirSync(inRepo("capabilities"), { recursive: true, encoding: "utf8" })
      .filter(path => path.endsWith(".test.ts") || path.endsWith("interop/cases.ts"))
      .sort()
      .map(path => ({
        path: `capabilities/${path}`,
        text: readFileSync(inRepo("capabilities", path), "utf8"),
      })),
  );
  const rows = bgpAssertions.map((assertion, i) => {
    const links = (shown.get(i + 1) ?? []).map(path => `[${baseName(path)}](../${path})`);
    return `| ${i + 1} | ${assertion} | ${links.join(", ")} |\n`;
  });
  return `${HEAD}${rows.join("")}`;
}

/** Which files carry which numbers; each file once, in the order given. */
export function bgpNumbers(
  files: readonly { readonly path: string; readonly text: string }[],
): ReadonlyMap<number, readonly string[]> {
  const found = new Map<number, string[]>();
  for (const { path, text } of files) {
    const numbers = [...text.matchAll(IN_NAME)].flatMap(([, list = ""]) =>
      list.split(",").map(Number),
    );
    for (const number of new Set(numbers)) {
      found.set(number, [...(found.get(number) ?? []), path]);
    }
  }
  return found;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/(\.test)?\.ts$/, "");
}
