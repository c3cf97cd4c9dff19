import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { examples } from "../hack/gen/admission";
import type { Manifest } from "../hack/gen/admission/manifest";
import { statusAddresses } from "./fixtures";
import type { Cluster } from "./support";
import { cluster } from "./support";

/** What docs/admission.md says, asked of a real API server with kubectl. */
describe("docs/admission.md", () => {
  let c: Cluster;
  let given: readonly Manifest[] = [];

  const target = ({ kind, metadata }: Manifest): readonly string[] => [
    kind.toLowerCase(),
    metadata.name,
    "-n",
    metadata.namespace,
  ];

  beforeAll(async () => {
    c = await cluster();
  });

  afterEach(async () => {
    for (const manifest of given.filter(({ kind }) => kind === "Service")) {
      await c.ok(["delete", ...target(manifest), "--ignore-not-found"]);
    }
    for (const manifest of given.filter(({ kind }) => kind === "IPAddressPool")) {
      await c.ok(["annotate", ...target(manifest), "ancho.dev/protect-"]);
      await c.ok(["delete", ...target(manifest)]);
    }
    given = [];
  });

  it.each(examples.map(example => [example.rule, example] as const))(
    "metallb 177: tells the truth of %s",
    async (_, example) => {
      given = example.given;
      for (const manifest of given) {
        await c.apply([manifest]);
        const { name, namespace } = manifest.metadata;
        if (manifest.kind === "Service") await statusAddresses(c, name, namespace);
      }
      const args = example.isDeletion
        ? ["delete", ...target(example.manifest), "--dry-run=server"]
        : ["apply", "--dry-run=server", "-f", "-"];
      const answer = await c.kubectl(args, { input: JSON.stringify(example.manifest) });
      expect(answer.stderr).toContain(example.says);
      expect(answer.code).toBe(example.isRefused ? 1 : 0);
    },
  );
});
