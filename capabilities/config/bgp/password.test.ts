import { describe, expect, it } from "vitest";
import { passwordSecretsOf } from "./password";

const peer = (name?: unknown): object => ({ spec: { passwordSecret: { name } } });

describe("the Secrets that BGPPeers name", () => {
  it("are each named once, in an order that does not depend on theirs", () => {
    expect(passwordSecretsOf([peer("b"), peer("a"), peer("b")])).toEqual(["a", "b"]);
    expect(passwordSecretsOf([])).toEqual([]);
  });

  it("are none for what names none, or nothing that is a name", () => {
    const odd = [{}, { spec: null }, { spec: {} }, { spec: { passwordSecret: null } }];
    expect(passwordSecretsOf([...odd, peer(), peer(""), peer(7), peer(["a"])])).toEqual([]);
  });
});
