import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeImage } from "./archive";
import { tarHeader } from "./tar";

const sha256 = (data: Buffer): string =>
  `sha256:${createHash("sha256").update(data).digest("hex")}`;

const tar = (...args: string[]): Buffer => execFileSync("tar", args, { maxBuffer: 1 << 26 });

describe("writeImage", () => {
  let folder: string;
  const inFolder = (...parts: string[]): string => join(folder, ...parts);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ancho-image-"));
    mkdirSync(inFolder("root", "bin"), { recursive: true });
    writeFileSync(inFolder("root", "bin", "app"), "#!/bin/sh\n", { mode: 0o755 });
    writeFileSync(inFolder("root", "data"), "x".repeat(1000));
    symlinkSync("../data", inFolder("root", "bin", "link"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("gives the same bytes whatever times and group rights the files have", async () => {
    const spec = { tag: "x:dev", layers: [{ root: inFolder("root") }] };
    const first = await writeImage(spec, inFolder("1.tar"));
    utimesSync(inFolder("root", "data"), 1, 1);
    chmodSync(inFolder("root", "data"), 0o664);
    const second = await writeImage(spec, inFolder("2.tar"));
    expect(second).toEqual(first);
    expect(readFileSync(inFolder("2.tar")).equals(readFileSync(inFolder("1.tar")))).toBe(true);
    writeFileSync(inFolder("root", "data"), "y");
    expect((await writeImage(spec, inFolder("3.tar"))).digest).not.toBe(first.digest);
  });

  it("writes a docker-archive whose digests are those of its parts", async () => {
    const out = inFolder("image.tar");
    const image = await writeImage(
      {
        tag: "x:dev",
        layers: [{ root: inFolder("root") }, { root: inFolder("root", "data"), at: "/etc/data" }],
        entrypoint: ["/bin/app"],
        cmd: ["run"],
        env: { A: "1" },
        user: "65532:65532",
        workdir: "/app",
      },
      out,
    );
    const manifest = JSON.parse(tar("-xOf", out, "manifest.json").toString()) as [
      { Config: string; RepoTags: string[]; Layers: string[] },
    ];
    const [{ Config, RepoTags, Layers }] = manifest;
    expect(RepoTags).toEqual(["x:dev"]);
    const config = tar("-xOf", out, Config);
    expect(sha256(config)).toBe(image.digest);
    expect(Layers.map(layer => sha256(tar("-xOf", out, layer)))).toEqual(image.layers);
    expect(JSON.parse(config.toString())).toMatchObject({
      os: "linux",
      config: {
        Entrypoint: ["/bin/app"],
        Cmd: ["run"],
        Env: ["A=1"],
        User: "65532:65532",
        WorkingDir: "/app",
      },
      rootfs: { diff_ids: image.layers },
    });
  });

  it("places, owns and leaves out files as told", async () => {
    const out = inFolder("image.tar");
    const layer = { root: inFolder("root"), at: "/app", uid: 65532, gid: 7, exclude: ["data"] };
    const { layers } = await writeImage({ tag: "x:dev", layers: [layer] }, out);
    tar("-xf", out, "-C", folder);
    const file = inFolder(`${layers[0]!.slice("sha256:".length)}.tar`);
    const listing = tar("--numeric-owner", "-tvf", file).toString();
    const members = listing.trim().split("\n");
    expect(members.every(member => member.includes(" 65532/7 "))).toBe(true);
    expect(members.map(member => member.split("1970-01-01 00:00 ")[1])).toEqual([
      "app/",
      "app/bin/",
      "app/bin/app",
      // The target stays as it was.
      "app/bin/link -> ../data",
    ]);
  });

  it("names the layer that cannot be read, and leaves nothing behind", async () => {
    const spec = { tag: "x:dev", layers: [{ root: inFolder("none") }] };
    await expect(writeImage(spec, inFolder("image.tar"))).rejects.toThrow("none");
    expect(readdirSync(folder)).toEqual(["root"]);
  });
});

describe("tarHeader", () => {
  it("refuses what the format cannot say", () => {
    expect(() => tarHeader("x".repeat(101), 1)).toThrow("100 bytes");
    expect(() => tarHeader("x", 8 ** 11)).toThrow("ustar");
  });
});
