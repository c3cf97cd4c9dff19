import { describe, expect, it } from "vitest";
import { crdCases, statusCases } from "./crds.cases";
import type { CrdCase } from "./crds.case";
import type { StatusCase } from "./crds.cases";
import { cluster } from "./support";

async function apply({ manifest, refusedWith }: CrdCase): Promise<void> {
  const lab = await cluster();
  const input = JSON.stringify(manifest);
  const { code, stderr } = await lab.kubectl(["apply", "--dry-run=server", "-f", "-"], { input });
  if (refusedWith === undefined) expect(stderr).not.toMatch(/invalid|denied|error/i);
  else expect(stderr).toMatch(refusedWith);
  expect(code === 0).toBe(refusedWith === undefined);
}

async function writeStatus(one: StatusCase): Promise<void> {
  const lab = await cluster();
  const { name, namespace = "default" } = one.object.metadata as Record<string, string>;
  const target = [one.resource, name ?? "", "-n", namespace];
  const patch = (status: object) =>
    lab.kubectl([
      "patch",
      ...target,
      "--subresource=status",
      "--type=merge",
      "-p",
      JSON.stringify({ status }),
    ]);
  await lab.ok(["create", "-f", "-"], { input: JSON.stringify(one.object) });
  try {
    expect(await patch(one.good)).toMatchObject({ code: 0 });
    const refused = await patch(one.bad);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(one.refusedWith);
  } finally {
    await lab.kubectl(["delete", ...target, "--ignore-not-found"]);
  }
}

describe.each(crdCases)("$kind at the API server", ({ resource, cases }) => {
  it.each(cases.filter(one => !one.refusedWith))("accepts $name", apply);
  it.each(cases.filter(one => one.refusedWith))("refuses $name and names the field", apply);

  it("is explained by kubectl down to its fields", async () => {
    const lab = await cluster();
    expect(await lab.ok(["explain", resource])).toContain("FIELDS:");
    expect(await lab.ok(["explain", `${resource.split(".")[0] ?? ""}.spec`])).not.toContain(
      "<empty>",
    );
  });
});

describe("status subresources", () => {
  // A VirtualIP that no Service holds is collected by the watcher, so it cannot be patched in peace.
  const stable = statusCases.filter(one => !one.resource.startsWith("virtualips"));
  it.each(stable)("$resource: a wrong value is refused and the field named", writeStatus);
});
