import { describe, expect, it } from "vitest";
import type { VirtualIP } from "../../config/kinds/virtual-ip";
import type { Link } from "../layer2/kernel-state";
import { hostsOf } from "./hosts";
import type { HostsInput } from "./hosts";

const INPUT: HostsInput = {
  before: new Map(),
  me: "n1",
  links: [{ mac: "02:00:00:00:00:01" }, { mac: "" }] as Link[],
  nodes: [
    { name: "n1", addresses: ["10.0.0.1"] },
    { name: "n2", addresses: ["10.0.0.2", "fd00::2"] },
  ],
  neighbors: [
    { address: "fd00::2", mac: "02:00:00:00:00:02", interfaceIndex: 2 },
    { address: "10.0.0.99", mac: "02:00:00:00:00:99", interfaceIndex: 2 },
  ],
  vips: [],
};
const vip = (node: string, mac: string): VirtualIP =>
  ({ status: { intendedOwner: { node, mac } } }) as VirtualIP;

describe("hostsOf", () => {
  it("knows our own links and the nodes that the kernel has resolved, and no stranger", () => {
    expect([...hostsOf(INPUT)]).toEqual([
      ["02:00:00:00:00:02", "n2"],
      ["02:00:00:00:00:01", "n1"],
    ]);
  });

  it("knows what VirtualIPs say of the cluster's nodes", () => {
    const vips = [vip("n2", "02:00:00:00:00:22"), vip("gone", "02:00:00:00:00:33")];
    const hosts = hostsOf({ ...INPUT, vips });
    expect(hosts.get("02:00:00:00:00:22")).toBe("n2");
    expect(hosts.has("02:00:00:00:00:33")).toBe(false);
  });

  it("remembers a node that the kernel has no entry of now, until the Node is deleted", () => {
    const before = hostsOf(INPUT);
    const later = { ...INPUT, before, neighbors: [] };
    expect(hostsOf(later).get("02:00:00:00:00:02")).toBe("n2");
    const [n1] = INPUT.nodes;
    expect(hostsOf({ ...later, nodes: [n1!] }).has("02:00:00:00:00:02")).toBe(false);
  });
});
