import { describe, expect, it } from "vitest";
import { familyTitle, givenFamilies, wantedFamilies } from "./families";
import type { Service } from "./service";

const dual = ["ipv4", "ipv6"] as const;
const service = (spec: NonNullable<Service["spec"]>): Service => ({ spec });

describe("the families that a Service needs at admission", () => {
  it.each([
    ["nothing said, dual cluster", {}, dual, ["ipv4"], true],
    ["nothing said, IPv6 first", {}, ["ipv6", "ipv4"] as const, ["ipv6"], true],
    ["one family said", { ipFamilies: ["IPv6"] }, dual, ["ipv6"], true],
    ["a cluster IP said", { clusterIP: "fd00::1" }, dual, ["ipv6"], true],
    ["required, dual cluster", { ipFamilyPolicy: "RequireDualStack" }, dual, [...dual], true],
    ["preferred, dual cluster", { ipFamilyPolicy: "PreferDualStack" }, dual, [...dual], false],
    [
      "metallb 97: preferred, single cluster",
      { ipFamilyPolicy: "PreferDualStack" },
      ["ipv4"] as const,
      ["ipv4"],
      false,
    ],
    [
      "required, IPv6 named first",
      { ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv6"] },
      dual,
      ["ipv6", "ipv4"],
      true,
    ],
    [
      "back to one family",
      { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv6", "IPv4"] },
      dual,
      ["ipv6"],
      true,
    ],
  ])("%s", (...[, spec, cluster, families, all]) => {
    expect(wantedFamilies(service(spec), cluster)).toEqual({ families, all });
  });

  it("are those from before the update, where the new object (kubectl replace) says nothing", () => {
    const old = service({ ipFamilies: ["IPv6", "IPv4"], ipFamilyPolicy: "PreferDualStack" });
    expect(wantedFamilies(service({}), dual, old)).toEqual({
      families: ["ipv6", "ipv4"],
      all: false,
    });
  });

  it("do not count a headless Service's cluster IP", () => {
    expect(givenFamilies(service({ clusterIP: "None" }))).toEqual([]);
    expect(givenFamilies(undefined)).toEqual([]);
  });

  it("have the names that people know", () => {
    expect(dual.map(familyTitle)).toEqual(["IPv4", "IPv6"]);
  });
});
