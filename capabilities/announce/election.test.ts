import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rankCandidates } from "./election";

const rank = (nodes: readonly string[], address: string): readonly string[] =>
  rankCandidates(
    nodes.map(node => ({ node, score: 0 })),
    address,
  ).map(({ node }) => node);

describe("rankCandidates", () => {
  it.each([
    [["node-a", "node-b", "node-c"], "10.0.0.1", ["node-b", "node-a", "node-c"]],
    [["node-a", "node-b", "node-c"], "10.0.0.2", ["node-b", "node-c", "node-a"]],
    [
      ["edge-a", "edge-b", "worker-a", "worker-b"],
      "10.20.30.1",
      ["edge-b", "worker-a", "edge-a", "worker-b"],
    ],
    [["node1", "node2", "node3"], "192.168.1.240", ["node3", "node1", "node2"]],
    [["node1", "node2", "node3"], "192.168.1.241", ["node1", "node3", "node2"]],
    [["node1", "node2", "node3"], "fc00:f853:ccd:e799::1", ["node2", "node3", "node1"]],
    [["node1", "node2", "node3"], "2001:db8::1", ["node3", "node2", "node1"]],
  ])("metallb 126: golden order of %j at %s", (nodes, address, expected) => {
    expect(rank(nodes, address)).toEqual(expected);
  });

  // Made without our code: python3 -c 'import hashlib, sys; ip, *n = sys.argv[1:];
  // print(sorted(n, key=lambda n: hashlib.sha256(f"{n}#{ip}".encode()).digest()))' ADDRESS NODE...
  it.each([
    ["192.0.2.7", ["b", "d", "e", "a", "c"]],
    ["172.18.255.200", ["kind-worker2", "kind-worker", "kind-control-plane"]],
    ["fc00:f853:ccd:e793::ff", ["kind-worker", "kind-worker2", "kind-control-plane"]],
    ["2001:db8:0:1::a", ["rack1.example.com", "rack3.example.com", "rack2.example.com"]],
    ["172.30.0.240", ["n5", "n2", "n1", "n3", "n6", "n4", "n7"]],
  ])("metallb 126: the order at %s is %j, as Python's hashlib has it", (address, expected) => {
    expect(rank([...expected].sort(), address)).toEqual(expected);
  });

  it.each([
    ["10.20.30.1", "iris2"],
    ["10.20.30.2", "iris1"],
    ["10.20.30.3", "iris1"],
    ["10.20.30.4", "iris2"],
  ])("metallb 126: first of iris1 and iris2 at %s is %s", (address, expected) => {
    expect(rank(["iris1", "iris2"], address)[0]).toBe(expected);
  });

  it("metallb 117: iris1 wins 134 and iris2 121 of 10.20.30.1-255", () => {
    const owners = Array.from(
      { length: 255 },
      (_, i) => rank(["iris1", "iris2"], `10.20.30.${i + 1}`)[0],
    );
    expect(owners.filter(owner => owner === "iris1")).toHaveLength(134);
    expect(owners.filter(owner => owner === "iris2")).toHaveLength(121);
  });

  it("metallb 126: empty stays empty, a single candidate stays itself", () => {
    expect(rank([], "10.0.0.1")).toEqual([]);
    expect(rank(["a"], "10.0.0.1")).toEqual(["a"]);
  });

  it("metallb 126: the highest score comes first whatever the hash says", () => {
    const order = rankCandidates(
      [
        { node: "edge-b", score: 0 },
        { node: "worker-b", score: 10 },
        { node: "edge-a", score: 10 },
      ],
      "10.20.30.1",
    );
    expect(order.map(({ node }) => node)).toEqual(["edge-a", "worker-b", "edge-b"]);
  });

  it("does not depend on the order in which the nodes are listed", () => {
    const candidate = fc.record({ node: fc.string({ minLength: 1 }), score: fc.nat(3) });
    const candidates = fc.uniqueArray(candidate, { selector: ({ node }) => node });
    fc.assert(
      fc.property(candidates, fc.ipV4(), (list, address) => {
        const forward = rankCandidates(list, address);
        expect(rankCandidates([...list].reverse(), address)).toEqual(forward);
      }),
    );
  });

  it("losing a node moves only what that node had", () => {
    const nodes = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(nodes, fc.ipV4(), (list, address) => {
        const [owner, heir] = rank(list, address);
        for (const lost of list) {
          const next = rank(
            list.filter(node => node !== lost),
            address,
          )[0];
          expect(next).toBe(lost === owner ? heir : owner);
        }
      }),
    );
  });
});
