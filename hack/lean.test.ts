import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { checkIsLatin1, lean } from "./lean";
import { inRepo } from "./repo";

/** Paths of what a bundle of this program has in it, by esbuild's own account. */
async function bundled(program: string): Promise<readonly string[]> {
  const { metafile } = await build({
    ...{ bundle: true, write: false, metafile: true, platform: "node", plugins: [lean] },
    stdin: { contents: program, resolveDir: inRepo("."), loader: "ts" },
  });
  const inputs = Object.values(metafile.outputs).flatMap(output => Object.entries(output.inputs));
  return inputs.flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 100 ? path : []));
}

describe("lean bundles", { timeout: 120_000 }, () => {
  it("have of the Kubernetes client what is used of it, and no tables for other Node.js", async () => {
    const paths = await bundled(`
      import { KubeConfig } from "@kubernetes/client-node";
      import "pino";
      new KubeConfig().loadFromDefault();
    `);
    expect(paths).toContain("node_modules/pino/pino.js");
    expect(paths).toContain("node_modules/@kubernetes/client-node/dist/config.js");
    expect(paths.filter(path => path.includes("client-node/dist/gen/models"))).toEqual([]);
    expect(paths.filter(path => path.includes("/tr46/"))).toEqual([]);
  });

  it("are refused with a character that takes two bytes, and told which", () => {
    expect(() => {
      checkIsLatin1("const unit = 'µs', name = 'Wärting';", "a.js");
    }).not.toThrow();
    expect(() => {
      checkIsLatin1("first line\nconst unit = 'μs';", "a.js");
    }).toThrow("a.js: a character beyond Latin-1 in «const unit = 'μ»: write it as an escape");
  });
});
