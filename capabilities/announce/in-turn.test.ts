import { describe, expect, it } from "vitest";
import { inTurn } from "./in-turn";

describe("inTurn", () => {
  it("keeps the order, whatever the earlier ones wait for", async () => {
    const said: string[] = [];
    const turn = inTurn();
    let open = (): void => undefined;
    const gate = new Promise<void>(resolve => (open = resolve));
    const first = turn(() => said.push("first"), gate);
    const second = turn(() => said.push("second"));
    await Promise.resolve();
    expect(said).toEqual([]);
    open();
    await second;
    await first;
    expect(said).toEqual(["first", "second"]);
  });

  it("is a turn of its own for who waits for all before", async () => {
    const turn = inTurn();
    let said = 0;
    void turn(() => said++);
    void turn(() => said++);
    await turn(() => undefined);
    expect(said).toBe(2);
  });
});
