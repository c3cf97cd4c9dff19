import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, it } from "vitest";
import {
  addressing,
  checkLabName,
  firstAddress,
  isNetnsOf,
  MAX_NODES,
  netnsName,
  hostOfMac,
  planHosts,
  planNodes,
} from "./plan";

const counts = fc.record({
  nodes: fc.integer({ min: 0, max: MAX_NODES }),
  lightNodes: fc.integer({ min: 0, max: MAX_NODES }),
});

const within = (address: string, cidr: string): boolean => {
  const parsed = ipaddr.parse(address);
  const [base, bits] = ipaddr.parseCIDR(cidr);
  return parsed.kind() === base.kind() && parsed.match([base, bits] as never);
};

describe("the address plan", () => {
  it("numbers nodes as documented", () => {
    expect(planNodes({ nodes: 2, lightNodes: 1 })).toMatchObject([
      { name: "n1", kind: "real", ipv4: "172.30.0.11", ipv6: "fd00:30::11" },
      { name: "n2", podCidr4: "10.244.2.0/24", podCidr6: "fd00:244:2::/64" },
      { name: "l1", kind: "light", ipv4: "172.30.0.101", podCidr4: "10.244.101.0/24" },
    ]);
  });

  it("gives every host its own name, addresses and MAC on the LAN", () => {
    fc.assert(
      fc.property(counts, size => {
        const hosts = planHosts(size);
        for (const key of ["name", "ipv4", "ipv6", "mac"] as const) {
          expect(new Set(hosts.map(host => host[key])).size).toBe(hosts.length);
        }
        expect(hosts.every(host => within(host.ipv4, addressing.lan4))).toBe(true);
        expect(hosts.every(host => within(host.ipv6, addressing.lan6))).toBe(true);
        expect(hosts.some(host => host.ipv4 === addressing.gateway4)).toBe(false);
      }),
      { numRuns: 20 },
    );
  });

  it("gives every node pod subnets of its own inside the cluster's", () => {
    fc.assert(
      fc.property(counts, size => {
        const nodes = planNodes(size);
        expect(new Set(nodes.map(node => node.podCidr4)).size).toBe(nodes.length);
        expect(new Set(nodes.map(node => node.podCidr6)).size).toBe(nodes.length);
        for (const node of nodes) {
          expect(within(firstAddress(node.podCidr4), addressing.pods4)).toBe(true);
          expect(within(firstAddress(node.podCidr6), addressing.pods6)).toBe(true);
        }
      }),
      { numRuns: 20 },
    );
  });

  it("leaves the demo's addresses for Services free", () => {
    const taken = planHosts({ nodes: MAX_NODES, lightNodes: MAX_NODES }).map(host => host.ipv4);
    for (let last = 240; last <= 250; last += 1) {
      expect(taken).not.toContain(`172.30.0.${last}`);
    }
  });

  it.each([-1, 1.5, MAX_NODES + 1, Number.NaN])("refuses %d nodes and names the flag", nodes => {
    expect(() => planNodes({ nodes, lightNodes: 0 })).toThrow(/--nodes/);
    expect(() => planNodes({ nodes: 0, lightNodes: nodes })).toThrow(/--light-nodes/);
  });
});

describe("firstAddress", () => {
  it("is the gateway's address in both families", () => {
    expect(firstAddress("10.244.3.0/24")).toBe("10.244.3.1");
    expect(firstAddress("fd00:244:3::/64")).toBe("fd00:244:3::1");
  });
});

describe("names of labs", () => {
  it.each(["ancho", "a", "e2e-b", "lab-12345678901234x"])("takes %s", name => {
    expect(() => {
      checkLabName(name);
    }).not.toThrow();
  });

  it.each(["", "-a", "a-", "A", "a/b", "a b", "../x", "x".repeat(21)])("refuses %j", name => {
    expect(() => {
      checkLabName(name);
    }).toThrow(/lab name/);
  });

  it("never takes another lab's namespaces for its own", () => {
    expect(isNetnsOf("a", netnsName("a", "n1"))).toBe(true);
    expect(isNetnsOf("a", netnsName("a", "client"))).toBe(true);
    expect(isNetnsOf("a", netnsName("a-n1", "sw"))).toBe(false);
    expect(isNetnsOf("a", netnsName("ab", "n1"))).toBe(false);
    expect(isNetnsOf("a", "ancho-a-other")).toBe(false);
  });
});

describe("hostOfMac", () => {
  it("finds the host whose MAC address it is, and no stranger's", () => {
    const counts = { nodes: 3, lightNodes: 2 };
    for (const { mac, name } of planHosts(counts)) expect(hostOfMac(counts, mac)).toBe(name);
    expect(hostOfMac(counts, "02:aa:00:00:00:01")).toBeUndefined();
  });
});
