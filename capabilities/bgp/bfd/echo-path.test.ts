import { describe, expect, it } from "vitest";
import type { NetworkInterfaceInfo } from "node:os";
import { canEcho, echoPathOf } from "./echo-path";

const at = (cidr: string): NetworkInterfaceInfo => {
  const [address = ""] = cidr.split("/");
  const rest = { netmask: "", mac: "", internal: false, address, cidr };
  return address.includes(":")
    ? { ...rest, family: "IPv6", scopeid: 0 }
    : { ...rest, family: "IPv4" };
};
const INTERFACES = {
  lo: [at("127.0.0.1/8"), at("::1/128")],
  eth0: [at("10.0.0.1/24"), at("10.0.0.7/24"), at("2001:db8::1/64"), at("fe80::1/64")],
  eth1: [at("10.1.0.1/31"), at("10.0.0.9/25")],
};

describe("the way of echo packets", () => {
  it.each([
    ["10.0.0.200", {}, { interfaceName: "eth0", address: "10.0.0.1" }],
    ["10.0.0.2", { localAddress: "10.0.0.7" }, { interfaceName: "eth0", address: "10.0.0.7" }],
    ["10.0.0.2", { device: "eth1" }, { interfaceName: "eth1", address: "10.0.0.9" }],
    // In a VRF the interface has another name.
    ["10.0.0.2", { device: "red" }, { interfaceName: "eth0", address: "10.0.0.1" }],
    ["10.1.0.0", {}, { interfaceName: "eth1", address: "10.1.0.1" }],
    ["2001:db8::2", {}, { interfaceName: "eth0", address: "2001:db8::1" }],
    ["10.2.0.1", {}, undefined],
    ["2001:db8:1::2", {}, undefined],
    ["10.0.0.2", { localAddress: "10.1.0.1" }, undefined],
  ])("to %s with %j is %j", (address, more, path) => {
    expect(echoPathOf({ address, ...more }, INTERFACES)).toEqual(path);
  });

  it("is not to ourselves, and not where an interface has no network", () => {
    const interfaces = { eth0: [{ ...at("10.0.0.1/24"), cidr: null }], eth1: [at("10.0.0.2/24")] };
    expect(echoPathOf({ address: "10.0.0.2" }, interfaces)).toBeUndefined();
  });

  it("is none over several hops and between link-local addresses", () => {
    expect(canEcho({ address: "10.0.0.1" })).toBe(true);
    expect(canEcho({ address: "2001:db8::1" })).toBe(true);
    expect(canEcho({ address: "10.0.0.1", isMultihop: true })).toBe(false);
    expect(canEcho({ address: "fe80::1", device: "eth0" })).toBe(false);
  });
});
