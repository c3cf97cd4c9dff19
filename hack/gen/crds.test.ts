import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { parsers } from "../../capabilities/config/validators/parsers";
import type { ValidatedKind } from "../../capabilities/config/validators/parsers";
import { refusalOf } from "../../capabilities/config/validators/verdict";
import { buildCrds } from "../../capabilities/config/crd";
import { crdCases } from "../../e2e/crds.cases";
import { crdsYaml } from "./crds";

describe("crdsYaml", () => {
  it("is the CRDs, one document each", () => {
    const documents = parseAllDocuments(crdsYaml()).map(document => document.toJS() as unknown);
    expect(documents).toEqual(JSON.parse(JSON.stringify(buildCrds())));
  });

  it("is the same every time", () => {
    expect(crdsYaml()).toBe(crdsYaml());
  });
});

const validated = crdCases.filter(({ kind }) => kind in parsers);

describe.each(validated)("the webhook's answer to $kind", ({ kind, cases }) => {
  const answer = (manifest: object) => refusalOf(kind as ValidatedKind, manifest, "metallb-system");

  it.each(cases.filter(one => !one.refusedWith))("accepts $name", ({ manifest }) => {
    expect(answer(manifest)).toBeUndefined();
  });

  it.each(cases.filter(one => one.byAdmission))("refuses $name", ({ manifest, refusedWith }) => {
    expect(answer(manifest)).toMatch(refusedWith!);
  });
});
