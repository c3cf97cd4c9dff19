import { describe, expect, it } from "vitest";
import { rememberKernel } from "./kernel-memory";
import type { KernelOp, KernelState } from "./kernel-state";
import type { Kernel } from "./netlink";

const NOTHING: KernelState = { links: [], proxies: [], routes: [], locals: [] };
const IP = "10.20.30.1";

/** A kernel that says each time that it holds something else, when it is told to answer. */
function setUp() {
  let dumps = 0;
  let refuses = false;
  let answer: (() => void) | undefined;
  let isSlow = false;
  const kernel: Kernel = {
    dump: async () => {
      dumps += 1;
      if (isSlow) await new Promise<void>(resolve => (answer = resolve));
      return { ...NOTHING, routes: [`dump ${dumps}`] };
    },
    apply: () => (refuses ? Promise.reject(new Error("EPERM")) : Promise.resolve()),
    linkIndex: () => Promise.resolve(undefined),
    onChange: () => undefined,
    close: () => undefined,
  };
  const memory = rememberKernel(kernel);
  return {
    memory,
    dumps: () => dumps,
    refuse: () => (refuses = true),
    slow: () => (isSlow = true),
    answer: () => answer?.(),
  };
}

describe("rememberKernel", () => {
  it("reads once, and knows of what is changed here", async () => {
    const { memory, dumps } = setUp();
    expect(memory.isKnown()).toBe(false);
    await memory.state();
    const entry = { address: IP, interfaceIndex: 2 };
    const ops: readonly KernelOp[] = [
      { op: "add-route", address: IP },
      { op: "add-proxy", ...entry },
      { op: "add-proxy", ...entry },
      { op: "add-proxy", ...entry, interfaceIndex: 3 },
      { op: "remove-proxy", ...entry, interfaceIndex: 3 },
      { op: "remove-route", address: "dump 1" },
    ];
    for (const op of ops) await memory.apply(op, 9);
    expect(await memory.state()).toEqual({ ...NOTHING, routes: [IP], proxies: [entry] });
    expect([dumps(), memory.isKnown()]).toEqual([1, true]);
  });

  it.each<KernelOp>([
    { op: "add-device" },
    { op: "set-device-flags", index: 9 },
    { op: "remove-device", index: 9 },
    { op: "note", text: "" },
  ])("reads again after $op", async op => {
    const { memory } = setUp();
    await memory.state();
    await memory.apply(op, undefined);
    expect((await memory.state()).routes).toEqual(["dump 2"]);
  });

  it("reads again after a change was refused, or when it is told to", async () => {
    const { memory, refuse, dumps } = setUp();
    await memory.state();
    memory.forget();
    await memory.state();
    expect(dumps()).toBe(2);
    refuse();
    await expect(memory.apply({ op: "add-route", address: IP }, 9)).rejects.toThrow("EPERM");
    await memory.state();
    expect(dumps()).toBe(3);
  });

  it("does not keep what was read while something changed", async () => {
    const { memory, slow, answer } = setUp();
    slow();
    const reading = memory.state();
    memory.forget();
    answer();
    await reading;
    expect(memory.isKnown()).toBe(false);
  });
});
