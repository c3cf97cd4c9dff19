import { describe, expect, it } from "vitest";
import type { SessionChange } from "../../bgp/index";
import { createTeller } from "./news";

const up = { type: "up" } as SessionChange;
const down = (reason: string, wasUp = false): SessionChange => ({ type: "down", reason, wasUp });

describe("what users are told of BGP sessions", () => {
  const tellAll = (...changes: readonly SessionChange[]): readonly (string | undefined)[] => {
    const tell = createTeller("n1");
    return changes.map(change => tell({ peer: "tor", change })?.message);
  };

  it("is each time that one came up or went down, with the reason", () => {
    expect(tellAll(up, down("hold timer expired", true), up, down("Cease", true))).toEqual([
      "the BGP session of node n1 is established",
      "the BGP session of node n1 went down: hold timer expired",
      "the BGP session of node n1 is established",
      "the BGP session of node n1 went down: Cease",
    ]);
  });

  it("is of attempts that fail each reason once, until a session is up", () => {
    const refused = "the BGP session of node n1 cannot be established: refused";
    const told = tellAll(down("refused"), down("refused"), down("timeout"), down("refused"), up);
    expect(told[0]).toBe(refused);
    expect(told.map(text => text !== undefined)).toEqual([true, false, true, false, true]);
    expect(tellAll(down("a"), down("refused"), up, down("refused"))[3]).toBe(refused);
  });

  it("is little, however many reasons a router has", () => {
    const many = Array.from({ length: 100 }, (_, i) => down(`reason ${i}`));
    expect(tellAll(...many).filter(text => text !== undefined)).toHaveLength(5);
  });

  it("keeps peers apart", () => {
    const tell = createTeller("n1");
    expect(tell({ peer: "a", change: down("x") })?.reason).toBe("BGPSessionFailed");
    expect(tell({ peer: "b", change: down("x") })?.reason).toBe("BGPSessionFailed");
  });
});
