import { describe, expect, it } from "vitest";
import { parsePrefix } from "../../capabilities/bgp/wire/prefix";
import { peerAddresses, prefixAt } from "./load";

describe("the load", () => {
  it.each([
    [0, "198.18.0.0/32"],
    [256, "198.18.1.0/32"],
    [131_071, "198.19.255.255/32"],
  ])("has prefix %d: %s", (index, prefix) => {
    expect(prefixAt(index)).toBe(prefix);
    expect(parsePrefix(prefix)?.text).toBe(prefix);
  });

  it("has an address on loopback for each peer", () => {
    expect(peerAddresses(2)).toEqual(["127.0.1.1", "127.0.1.2"]);
  });
});
