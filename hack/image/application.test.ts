import { describe, expect, it } from "vitest";
import { isNeededAtRunTime, packagesOf } from "./application";
import { parseLdd } from "./node-runtime";

describe("packagesOf", () => {
  it("finds plain, scoped and nested packages once each", () => {
    expect(
      packagesOf([
        "node_modules/a/x.js",
        "node_modules/a/y/z.js",
        "node_modules/@s/b/c.js",
        "node_modules/a/node_modules/d/e.js",
        "capabilities/config/crd.ts",
      ]),
    ).toEqual(["node_modules/@s/b", "node_modules/a", "node_modules/a/node_modules/d"]);
  });
});

describe("isNeededAtRunTime", () => {
  it.each([
    ["", true],
    ["/index.js", true],
    ["/package.json", true],
    ["/build/koffi/linux_x64", true],
    ["/build/koffi/linux_x64/koffi.node", true],
    ["/build/koffi/win32_x64", false],
    ["/prebuilds/linux-x64", true],
    ["/prebuilds/linux-arm", false],
    ["/types.d.ts", false],
    ["/index.js.map", false],
    ["/node_modules/x/index.js", false],
  ])("%s → %s", (path, needed) => {
    expect(isNeededAtRunTime(path, "x64")).toBe(needed);
  });
});

describe("parseLdd", () => {
  it("keeps libraries and the loader, not the vdso", () => {
    const output = [
      "\tlinux-vdso.so.1 (0x00007f70)",
      "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f71)",
      "\t/lib64/ld-linux-x86-64.so.2 (0x00007f72)",
    ].join("\n");
    expect(parseLdd(output)).toEqual([
      "/lib/x86_64-linux-gnu/libc.so.6",
      "/lib64/ld-linux-x86-64.so.2",
    ]);
  });
});
