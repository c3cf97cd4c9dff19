import { describe, expect, it } from "vitest";
import { countFalls } from "./falls";

describe("falls of a session", () => {
  it("are counted once each, by who missed the other's packets", () => {
    const { take, falls } = countFalls();
    take({ state: "Down", diagnostic: 0 });
    take({ state: "Init", diagnostic: 0 });
    expect(falls()).toEqual({ byUs: 0, byThem: 0 });
    take({ state: "Up", diagnostic: 0 });
    take({ state: "Down", diagnostic: 1 });
    take({ state: "Init", diagnostic: 1 });
    take({ state: "Up", diagnostic: 0 });
    take({ state: "Down", diagnostic: 3 });
    expect(falls()).toEqual({ byUs: 1, byThem: 1 });
  });
});
