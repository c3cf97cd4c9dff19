/** Numbers of behaviours, with the test files that show each, and those that Ancho does otherwise. */
export type Evidence = {
  readonly tests: ReadonlyMap<number, readonly string[]>;
  readonly differences: ReadonlySet<number>;
};

/** A test's name carries numbers as `metallb 44,45: …`. */
const IN_NAME = /metallb (\d+(?:, ?\d+)*)/g;
/** A difference is an item that begins with its numbers: `- **47, 48** …`. */
const IN_ITEM = /^- \*\*(\d+(?:, \d+)*)\*\*/gm;

/** Which files carry which numbers; each file once, in the order given. */
export function shownBy(
  files: readonly { readonly path: string; readonly text: string }[],
): Evidence["tests"] {
  const found = new Map<number, string[]>();
  for (const { path, text } of files) {
    for (const number of new Set(numbersIn(text, IN_NAME))) {
      found.set(number, [...(found.get(number) ?? []), path]);
    }
  }
  return found;
}

/** The numbers that docs/differences.md gives a reason for. */
export function differences(markdown: string): Evidence["differences"] {
  return new Set(numbersIn(markdown, IN_ITEM));
}

function numbersIn(text: string, pattern: RegExp): readonly number[] {
  return [...text.matchAll(pattern)].flatMap(([, list = ""]) => list.split(",").map(Number));
}
