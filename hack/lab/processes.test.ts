import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { childrenOf, hasEnded, isAlive, parseStat, signalProcess, startTimeOf } from "./processes";

describe("parseStat", () => {
  it("finds fields 3, 20 and 22 behind a command name with blanks and parentheses", () => {
    const fields = Array.from({ length: 50 }, (_, i) => String(i + 3));
    expect(parseStat(`42 (a (b) c) ${fields.join(" ")}`)).toEqual({
      state: "3",
      threads: 20,
      startTime: "22",
    });
  });
});

describe("hasEnded", () => {
  it("is true only when the last thread of a zombie is gone", () => {
    expect(hasEnded({ state: "Z", threads: 1, startTime: "1" })).toBe(true);
    expect(hasEnded({ state: "Z", threads: 7, startTime: "1" })).toBe(false);
    expect(hasEnded({ state: "S", threads: 1, startTime: "1" })).toBe(false);
  });
});

describe("a process by pid and start time", () => {
  it("is alive only as itself", () => {
    const startTime = startTimeOf(process.pid) ?? "";
    expect(isAlive({ pid: process.pid, startTime })).toBe(true);
    expect(isAlive({ pid: process.pid, startTime: "1" })).toBe(false);
  });

  it("ends with its group, and a signal to it later does nothing", async () => {
    const child = spawn("sleep", ["60"], { detached: true, stdio: "ignore" });
    await once(child, "spawn");
    const pid = child.pid!;
    const ref = { pid, startTime: startTimeOf(pid)! };
    expect(childrenOf(process.pid)).toContain(pid);
    signalProcess({ ...ref, startTime: "1" }, "SIGKILL");
    expect(isAlive(ref)).toBe(true);
    const exit = once(child, "exit");
    signalProcess(ref, "SIGKILL");
    await exit;
    expect(isAlive(ref)).toBe(false);
    signalProcess(ref, "SIGKILL");
  });
});
