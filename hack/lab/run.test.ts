import { describe, expect, it } from "vitest";
import { must, run } from "./run";

describe("run", () => {
  it("gives input, and returns output and exit code", async () => {
    const result = await run(["sh", "-c", "cat; echo oops >&2; exit 3"], { input: "hello" });
    expect(result).toEqual({ code: 3, stdout: "hello", stderr: "oops\n" });
  });

  it("kills the command and its children on timeout", async () => {
    const result = await run(["sh", "-c", "sleep 60 & wait"], { timeoutMs: 50 });
    expect(result.code).toBe(137);
  });

  it("kills on abort, and does not start after it", async () => {
    const controller = new AbortController();
    const running = run(["sleep", "60"], { signal: controller.signal });
    controller.abort(new Error("stop"));
    expect((await running).code).toBe(137);
    await expect(run(["true"], { signal: controller.signal })).rejects.toThrow("stop");
  });

  it("says which command cannot be run", async () => {
    await expect(run(["/no/such/program"])).rejects.toThrow("/no/such/program");
  });

  it("survives a command that does not read its input", async () => {
    expect((await run(["true"], { input: "x".repeat(1 << 20) })).code).toBe(0);
  });
});

describe("must", () => {
  it("throws what the command said", async () => {
    await expect(must(["sh", "-c", "echo no luck >&2; exit 7"])).rejects.toThrow(
      /exit code 7: no luck/,
    );
  });
});
