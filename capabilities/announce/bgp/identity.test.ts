import { isIPv4 } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BgpPeer } from "../../config/bgp/peer";
import { node } from "../fixtures";
import { nextHopsOf, routerIdFor } from "./identity";

const PEER = { name: "router" } as BgpPeer;

describe("the BGP identifier of a node", () => {
  it("is what the peer says, or the node's first IPv4 address", () => {
    const me = node("n1", { addresses: ["fd00::1", "10.0.0.1", "10.0.0.2"] });
    expect(routerIdFor({ ...PEER, routerId: "1.2.3.4" }, me)).toBe("1.2.3.4");
    expect(routerIdFor(PEER, me)).toBe("10.0.0.1");
  });

  it("is made of the name where the node has IPv6 only: always the same, and never 0.0.0.0", () => {
    fc.assert(
      fc.property(fc.string(), name => {
        const id = routerIdFor(PEER, node(name));
        expect(isIPv4(id)).toBe(true);
        expect(id.endsWith(".0")).toBe(false);
        expect(routerIdFor(PEER, node(name))).toBe(id);
      }),
    );
    expect(routerIdFor(PEER, node("n1"))).not.toBe(routerIdFor(PEER, node("n2")));
  });
});

describe("next hops of a node", () => {
  it("are its first address of each family", () => {
    expect(nextHopsOf(node("n1", { addresses: ["10.0.0.1", "fd00::1", "fd00::2"] }))).toEqual({
      ipv4: "10.0.0.1",
      ipv6: "fd00::1",
    });
    expect(nextHopsOf(node("n1"))).toEqual({});
  });
});
