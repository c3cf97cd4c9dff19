import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { linkerFlags, pinnedVersion, programs, searchFolders } from "./binaries";
import { buildDir } from "./paths";

describe("pins", () => {
  it("are found in every go.mod that has some", () => {
    for (const { module, pin } of programs.filter(program => program.pin !== undefined)) {
      const goMod = readFileSync(join(buildDir, module, "go.mod"), "utf8");
      expect(pinnedVersion(goMod, pin!)).toMatch(/^v\d+\.\d+\.\d+$/);
    }
  });

  it("are read from a line of their own and from a block", () => {
    expect(pinnedVersion("require k8s.io/kubernetes v1.34.4\n", "k8s.io/kubernetes")).toBe(
      "v1.34.4",
    );
    expect(pinnedVersion("require (\n\tk8s.io/a v0.1.0\n\tk8s.io/b v0.2.0\n)", "k8s.io/b")).toBe(
      "v0.2.0",
    );
    expect(() => pinnedVersion("require k8s.io/ab v1.0.0", "k8s.io/a")).toThrow("k8s.io/a");
  });
});

describe("linkerFlags", () => {
  const [pause] = programs;
  const kubelet = programs.find(program => program.name === "kubelet")!;

  it("make Kubernetes report its version", () => {
    const flags = linkerFlags(kubelet, "v1.34.4");
    expect(flags).toContain("version.gitVersion=v1.34.4");
    expect(flags).toContain("version.gitMajor=1");
    expect(flags).toContain("version.gitMinor=34");
  });

  it("leave our own programs alone", () => {
    expect(linkerFlags(pause!, undefined)).toBe("-s -w");
  });
});

describe("searchFolders", () => {
  it("looks into KUBEBUILDER_ASSETS first, and into no relative folder", () => {
    expect(searchFolders({ KUBEBUILDER_ASSETS: "/assets", PATH: "/bin:.::/usr/bin" })).toEqual([
      "/assets",
      "/bin",
      "/usr/bin",
    ]);
    expect(searchFolders({})).toEqual([]);
  });
});
