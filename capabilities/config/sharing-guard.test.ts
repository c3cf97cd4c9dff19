import { describe, expect, it } from "vitest";
import { SHARING, parseSharing, sharingFindings } from "./sharing-guard";

describe("who may share a pool's addresses", () => {
  it.each<[string, Record<string, string> | undefined, string]>([
    ["nothing is said", undefined, "all"],
    ["something else is said", { other: "x" }, "all"],
    ["all is said", { [SHARING]: "all" }, "all"],
    ["namespace is said", { [SHARING]: "namespace" }, "namespace"],
  ])("where %s", (_, annotations, expected) => {
    expect(parseSharing(annotations)).toBe(expected);
    expect(sharingFindings(annotations)).toEqual([]);
  });

  it.each(["", "Namespace", "none", " all"])("is not said by %j", text => {
    expect(parseSharing({ [SHARING]: text })).toBeUndefined();
    expect(sharingFindings({ [SHARING]: text })).toEqual([
      {
        field: `metadata.annotations[${SHARING}]`,
        value: text,
        problem: "is not a way to share",
        remedy: 'write "all", or "namespace" to share within a namespace only',
      },
    ]);
  });
});
