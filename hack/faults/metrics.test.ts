import { describe, expect, it } from "vitest";
import { sumOf } from "./metrics";

const text = `# HELP ancho_moves_total addresses
ancho_moves_total{cause="first"} 2
ancho_moves_total{cause="silent"} 3
ancho_moves_totals 50
ancho_members_alive 4
`;

describe("sumOf", () => {
  it.each([
    ["ancho_moves_total", 5],
    ["ancho_members_alive", 4],
    ["ancho_members", undefined],
  ])("of %s is %s", (name, expected) => {
    expect(sumOf(text, name)).toBe(expected);
  });
});
