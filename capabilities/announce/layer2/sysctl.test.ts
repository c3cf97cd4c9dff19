import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ensureSysctls, neededSysctls, readArpSettings, restoreSysctls } from "./sysctl";

let root = "";

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "ancho-sysctl-"));
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

async function put(path: string, value: string): Promise<string> {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, value);
  return file;
}

describe("ensureSysctls", () => {
  it("writes only what differs", async () => {
    const same = await put("ipv4/conf/eth0/forwarding", "1\n");
    const other = await put("ipv4/neigh/eth0/proxy_delay", "80\n");
    const { mtimeNs } = await stat(same, { bigint: true });
    expect(ensureSysctls(root, neededSysctls("eth0", new Set(["ipv4"])))).toEqual({
      refused: [],
      former: new Map([["ipv4/neigh/eth0/proxy_delay", "80"]]),
    });
    expect((await stat(same, { bigint: true })).mtimeNs).toBe(mtimeNs);
    expect(await readFile(other, "utf8")).toBe("0");
  });

  it("raises accept_ra from 1 to 2 so that forwarding does not cost the default route", async () => {
    const wanted = neededSysctls("eth0", new Set(["ipv6"])).filter(s =>
      s.path.includes("accept_ra"),
    );
    const file = await put("ipv6/conf/eth0/accept_ra", "1\n");
    ensureSysctls(root, wanted);
    expect(await readFile(file, "utf8")).toBe("2");
    await put("ipv6/conf/eth0/accept_ra", "0\n");
    ensureSysctls(root, wanted);
    expect(await readFile(file, "utf8")).toBe("0\n");
  });

  it("touches nothing of a family that has no addresses", () => {
    const paths = neededSysctls("eth0", new Set(["ipv4"])).map(({ path }) => path);
    expect(paths.filter(path => path.startsWith("ipv6"))).toEqual([]);
    expect(neededSysctls("eth0", new Set())).toEqual([]);
  });

  it("names the setting, the reason and the remedy when it cannot write", () => {
    const { refused: problems } = ensureSysctls(root, [
      { path: "ipv4/conf/eth0/forwarding", value: "1" },
    ]);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.path).toBe("ipv4/conf/eth0/forwarding");
    expect(problems[0]?.problem).toContain("net/ipv4/conf/eth0/forwarding cannot be set to 1");
    expect(problems[0]?.problem).toContain("ENOENT");
    expect(problems[0]?.problem).toContain("--sysctl-root");
  });
});

describe("readArpSettings", () => {
  it("is the greater of the interface's setting and that of all", async () => {
    await put("ipv4/conf/all/arp_ignore", "1\n");
    await put("ipv4/conf/eth0/arp_ignore", "0\n");
    await put("ipv4/conf/all/arp_announce", "0\n");
    await put("ipv4/conf/eth0/arp_announce", "2\n");
    expect(readArpSettings(root, ["eth0", "eth1"])).toEqual(
      new Map([
        ["eth0", { ignore: 1, announce: 2 }],
        ["eth1", { ignore: 1, announce: 0 }],
      ]),
    );
  });
});

describe("restoreSysctls", () => {
  it("puts values back, and makes none where the interface is gone", async () => {
    const file = await put("ipv4/neigh/eth0/proxy_delay", "0");
    const gone = "ipv4/neigh/eth9/proxy_delay";
    const former = new Map([
      [gone, "80"],
      ["ipv4/neigh/eth0/proxy_delay", "80"],
    ]);
    restoreSysctls(root, former);
    expect(await readFile(file, "utf8")).toBe("80");
    await expect(stat(join(root, gone))).rejects.toThrow("ENOENT");
  });
});
