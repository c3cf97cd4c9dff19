import { describe, expect, it } from "vitest";
import { parseRange } from "../../config/address";
import type { AddressRange } from "../../config/address";
import { wayTo } from "./way";

const subnet = (text: string, interfaceIndex: number) => ({
  range: parseRange(text) as AddressRange,
  interfaceIndex,
});
const subnets = [subnet("10.1.0.0/24", 1), subnet("10.2.0.0/24", 2), subnet("fd00:2::/64", 2)];

describe("wayTo", () => {
  it.each([
    ["10.9.9.9", ["10.1.0.7"], "10.1.0.7"],
    ["10.9.9.9", ["10.1.0.7", "10.2.0.7"], "10.2.0.7"],
    ["10.9.9.9", ["10.3.0.7"], undefined],
    ["10.9.9.9", ["fd00:2::7"], undefined],
    ["10.9.9.9", [], undefined],
    ["fd00:9::9", ["10.2.0.7", "fd00:2::7"], "fd00:2::7"],
  ])("what is for %s to a node with %j: by %s", (address, addresses, expected) => {
    const announcing = new Set([2]);
    expect(wayTo(address, { addresses, subnets, announcing })).toBe(expected);
  });
});
