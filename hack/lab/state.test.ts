import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LabState, ProcessRecord } from "./state";
import { parseState, readState, withoutProcess, withProcess, writeState } from "./state";

const record = (name: string, pid: number): ProcessRecord => ({
  name,
  host: "n1",
  pid,
  startTime: "12345",
  argv: ["kubelet", "--config=x"],
  log: `/logs/${name}.log`,
});

const state: LabState = {
  version: 1,
  name: "a",
  phase: "starting",
  owner: { pid: 10, startTime: "99" },
  nodes: 1,
  lightNodes: 0,
  proxyMode: "iptables",
  dualStack: true,
  processes: [record("etcd", 11)],
};

describe("the state file", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ancho-state-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("reads what was written, and leaves no other file", () => {
    const file = join(folder, "lab", "state.json");
    writeState(file, state);
    writeState(file, { ...state, phase: "up" });
    expect(readState(file)).toEqual({ ...state, phase: "up" });
    expect(readdirSync(join(folder, "lab"))).toEqual(["state.json"]);
  });

  it("is undefined where there is none", () => {
    expect(readState(join(folder, "state.json"))).toBeUndefined();
  });

  it("names the file when it is cut short", () => {
    const file = join(folder, "state.json");
    writeFileSync(file, '{"version": 1, "na');
    expect(() => readState(file)).toThrow(/state\.json: not JSON.*lab down/);
  });

  it("names the field that is wrong", () => {
    const wrong = { ...state, processes: [{ ...record("etcd", 11), pid: -4 }] };
    expect(() => parseState(JSON.stringify(wrong), "s.json")).toThrow(
      /s\.json: field processes\.0\.pid/,
    );
  });
});

describe("processes in the state", () => {
  it("replaces a restarted process by name and keeps the others", () => {
    const next = withProcess(withProcess(state, record("n1/kubelet", 12)), record("etcd", 13));
    expect(next.processes.map(({ name, pid }) => [name, pid])).toEqual([
      ["n1/kubelet", 12],
      ["etcd", 13],
    ]);
  });

  it("forgets by name", () => {
    expect(withoutProcess(state, "etcd").processes).toEqual([]);
    expect(withoutProcess(state, "other")).toEqual(state);
  });
});
