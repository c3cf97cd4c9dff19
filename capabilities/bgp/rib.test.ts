import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attributeSet } from "./attribute-set";
import type { AttributeSet, Egress } from "./attribute-set";
import { createAdjRibOut } from "./rib";
import type { AdjRibOut } from "./rib";
import { familyOf } from "./wire/address";
import type { Family } from "./wire/address";
import { decodeMessage, MAX_LENGTH, readFrame } from "./wire/message";
import type { Message } from "./wire/message";
import { endOfRibFamily, routesOf } from "./wire/update";

const egress: Egress = {
  localAs: 65_001,
  isInternal: false,
  fourOctetAs: true,
  hasIpv4OverIpv6: false,
  families: ["ipv4", "ipv6"],
  hasEnhancedRefresh: true,
  nextHops: { ipv4: "192.0.2.1", ipv6: "2001:db8::1" },
};
const plain = attributeSet({});
const blue = attributeSet({ communities: ["65001:1"] });
/** No IPv6 route can have this next hop: such ones are withheld. */
const viaIpv4 = attributeSet({ nextHop: "192.0.2.9", communities: ["65001:2"] });

/** What a peer makes of the messages: each is checked to be one whole message that fits. */
function createPeer() {
  const routes = new Map<string, string>();
  const ends: Family[] = [];
  const marks: string[] = [];
  let updates = 0;
  const take = (bytes: Uint8Array): void => {
    expect(bytes.length).toBeLessThanOrEqual(MAX_LENGTH);
    const message = decode(bytes);
    if (message.type === "routeRefresh") {
      marks.push(`${message.afi}/${message.subtype}`);
      return;
    }
    if (message.type !== "update") throw new Error(`a ${message.type} is no message of routes`);
    expect(message.faults).toEqual([]);
    const end = endOfRibFamily(message);
    if (end !== undefined) {
      ends.push(end);
      return;
    }
    updates += 1;
    const { announced, withdrawn } = routesOf(message);
    const said = String(message.attributes.communities ?? "");
    withdrawn.forEach(({ prefixes }) => {
      prefixes.forEach(prefix => routes.delete(prefix));
    });
    announced.forEach(({ prefixes }) => {
      prefixes.forEach(prefix => routes.set(prefix, said));
    });
  };
  const read = (rib: AdjRibOut, messages: number): void => {
    for (let next = rib.next(); next !== undefined; next = rib.next()) {
      take(next);
      messages -= 1;
      if (messages === 0) return;
    }
  };
  const drain = (rib: AdjRibOut): void => {
    read(rib, Infinity);
  };
  return { routes, ends, marks, read, drain, updates: () => updates };
}

function decode(bytes: Uint8Array): Message {
  const frame = readFrame(bytes);
  if (!frame.ok || frame.value === undefined) throw new Error("no whole message");
  const message = decodeMessage(frame.value);
  if (!message.ok) throw new Error(message.error.reason);
  return message.value;
}

function connected(to: Partial<Egress> = {}): {
  rib: AdjRibOut;
  peer: ReturnType<typeof createPeer>;
} {
  const rib = createAdjRibOut();
  const peer = createPeer();
  rib.connect({ ...egress, ...to });
  peer.drain(rib);
  return { rib, peer };
}

const prefixes = (n: number): readonly string[] =>
  Array.from({ length: n }, (_, i) => `198.18.${i >> 8}.${i & 255}/32`);

describe("what a peer is to know", () => {
  it("says how much the peer is yet to be told", () => {
    const rib = createAdjRibOut();
    const peer = createPeer();
    rib.announce(["192.0.2.1/32", "192.0.2.2/32", "2001:db8::1/128"], plain);
    expect(rib.pending()).toBe(3);
    rib.connect(egress);
    expect(rib.pending()).toBe(3);
    rib.announce(["192.0.2.3/32"], plain);
    peer.drain(rib);
    expect(rib.pending()).toBe(0);
    rib.withdraw(["192.0.2.1/32"]);
    rib.announce(["192.0.2.2/32"], blue);
    expect(rib.pending()).toBe(2);
    rib.refresh("ipv4");
    expect(rib.pending()).toBe(3);
    peer.drain(rib);
    expect(rib.pending()).toBe(0);
    rib.disconnect();
    expect(rib.pending()).toBe(3);
  });

  it("is nothing without a session, and everything with an end once there is one", () => {
    const rib = createAdjRibOut();
    rib.announce(["192.0.2.0/24", "2001:db8::/32"], plain);
    expect(rib.next()).toBeUndefined();
    const peer = createPeer();
    rib.connect(egress);
    peer.drain(rib);
    expect([...peer.routes.keys()]).toEqual(["192.0.2.0/24", "2001:db8::/32"]);
    expect(peer.ends).toEqual(["ipv4", "ipv6"]);
    rib.disconnect();
    rib.announce(["192.0.2.0/24"], blue);
    expect(rib.next()).toBeUndefined();
  });

  it("bgp 50: is told in messages as full as they may be", () => {
    const { rib, peer } = connected();
    rib.announce(prefixes(10_000), blue);
    peer.drain(rib);
    // 4096 octets less 23 of header and lengths and 30 of attributes: 808 prefixes of 5 octets.
    expect(peer.updates()).toBe(Math.ceil(10_000 / 808));
    expect(peer.routes.size).toBe(10_000);
    rib.withdraw(prefixes(10_000));
    peer.drain(rib);
    expect(peer.updates()).toBe(Math.ceil(10_000 / 808) + Math.ceil(10_000 / 814));
    expect(peer.routes.size).toBe(0);
  });

  it("is not told what it knows, nor of a change and its reverse", () => {
    const { rib, peer } = connected();
    rib.announce(["192.0.2.0/24"], plain);
    peer.drain(rib);
    rib.announce(["192.0.2.0/24"], plain);
    rib.announce(["192.0.2.0/24"], blue);
    rib.announce(["192.0.2.0/24"], plain);
    rib.announce(["192.0.3.0/24"], plain);
    rib.withdraw(["192.0.3.0/24", "192.0.4.0/24"]);
    peer.drain(rib);
    expect(peer.updates()).toBe(1);
  });

  it("is told again when it asks, between marks where it knows them", () => {
    const { rib, peer } = connected();
    rib.announce(["192.0.2.0/24", "2001:db8::/32"], plain);
    peer.drain(rib);
    rib.refresh("ipv4");
    rib.refresh("ipv4");
    peer.drain(rib);
    expect(peer.marks).toEqual(["1/1", "1/2"]);
    expect(peer.updates()).toBe(3);
    const old = connected({ hasEnhancedRefresh: false, families: ["ipv4"] });
    old.rib.announce(["192.0.2.0/24", "2001:db8::/32"], plain);
    old.peer.drain(old.rib);
    old.rib.refresh("ipv4");
    old.rib.refresh("ipv6");
    old.peer.drain(old.rib);
    expect([old.peer.marks, old.peer.updates()]).toEqual([[], 2]);
  });

  it("is the last word on what changes while the table is on its way", () => {
    const rib = createAdjRibOut();
    const all = prefixes(3_000);
    rib.announce(all, plain);
    const peer = createPeer();
    rib.connect(egress);
    peer.read(rib, 1);
    // One that is told already, and two that are not: gone, changed, and gone and back.
    rib.withdraw([all[0]!, all[2_997]!, all[2_999]!]);
    rib.announce([all[1]!, all[2_998]!], blue);
    rib.announce([all[2_999]!], plain);
    peer.drain(rib);
    expect(peer.routes.size).toBe(2_998);
    expect([all[0]!, all[2_997]!].map(prefix => peer.routes.has(prefix))).toEqual([false, false]);
    expect([all[1]!, all[2_998]!].map(prefix => peer.routes.get(prefix))).toEqual([
      "65001:1",
      "65001:1",
    ]);
    expect(peer.routes.get(all[2_999]!)).toBe("");
    expect(peer.ends).toEqual(["ipv4", "ipv6"]);
  });

  it("leaves out routes that have no next hop there, and takes them back when they lose it", () => {
    const { rib, peer } = connected();
    rib.announce(["2001:db8::/32"], plain);
    peer.drain(rib);
    rib.announce(["2001:db8::/32"], viaIpv4);
    peer.drain(rib);
    expect(peer.routes.size).toBe(0);
    expect([...rib.prefixes()]).toEqual(["2001:db8::/32"]);
    rib.announce(["2001:db8::/32"], blue);
    peer.drain(rib);
    expect(peer.routes.get("2001:db8::/32")).toBe("65001:1");
  });
});

/** Things that happen to a RIB, in any order, with the peer reading now and then. */
type Happening =
  | { readonly do: "announce"; readonly prefixes: readonly string[]; readonly set: AttributeSet }
  | { readonly do: "withdraw"; readonly prefixes: readonly string[] }
  | { readonly do: "refresh"; readonly family: Family }
  | { readonly do: "read"; readonly messages: number }
  | { readonly do: "reconnect" };

const some = fc.subarray([
  ...["10.0.0.0/8", "10.1.0.0/16", "192.0.2.1/32", "192.0.2.2/32"],
  ...["2001:db8::/32", "2001:db8::1/128", "2001:db8::2/128"],
]);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({
    do: fc.constant("announce" as const),
    prefixes: some,
    set: fc.constantFrom(plain, blue, viaIpv4),
  }),
  fc.record({ do: fc.constant("withdraw" as const), prefixes: some }),
  fc.record({
    do: fc.constant("refresh" as const),
    family: fc.constantFrom<Family>("ipv4", "ipv6"),
  }),
  fc.record({ do: fc.constant("read" as const), messages: fc.integer({ min: 1, max: 3 }) }),
  fc.constant({ do: "reconnect" as const }),
);
const egresses: fc.Arbitrary<Egress> = fc.record({
  ...{
    localAs: fc.constant(65_001),
    isInternal: fc.constant(false),
    fourOctetAs: fc.constant(true),
  },
  hasIpv4OverIpv6: fc.boolean(),
  families: fc.constantFrom<readonly Family[]>(["ipv4"], ["ipv6"], ["ipv4", "ipv6"]),
  hasEnhancedRefresh: fc.boolean(),
  nextHops: fc.constantFrom(
    { ipv4: "192.0.2.1", ipv6: "2001:db8::1" },
    { ipv4: "192.0.2.1" },
    {
      ipv6: "2001:db8::1",
    },
  ),
});

describe("a peer that has read everything", { timeout: 60_000 }, () => {
  it("has exactly what was wanted and could be told, whatever happened before", () => {
    fc.assert(
      fc.property(egresses, fc.array(happening, { maxLength: 40 }), (to, happenings) => {
        const rib = createAdjRibOut();
        const wanted = new Map<string, AttributeSet>();
        let peer = createPeer();
        rib.connect(to);
        for (const one of happenings) {
          switch (one.do) {
            case "announce":
              rib.announce(one.prefixes, one.set);
              one.prefixes.forEach(prefix => wanted.set(prefix, one.set));
              break;
            case "withdraw":
              rib.withdraw(one.prefixes);
              one.prefixes.forEach(prefix => wanted.delete(prefix));
              break;
            case "refresh":
              rib.refresh(one.family);
              break;
            case "read":
              peer.read(rib, one.messages);
              break;
            case "reconnect":
              rib.disconnect();
              peer = createPeer();
              rib.connect(to);
          }
        }
        peer.drain(rib);
        expect(rib.next()).toBeUndefined();
        expect(new Map([...peer.routes].sort())).toEqual(new Map([...expected(wanted, to)].sort()));
        expect([...peer.ends].sort()).toEqual([...to.families].sort());
        expect([...rib.prefixes()].sort()).toEqual([...wanted.keys()].sort());
      }),
      { numRuns: 3_000 },
    );
  });
});

/** The oracle: each prefix by itself. */
function expected(wanted: ReadonlyMap<string, AttributeSet>, to: Egress): Map<string, string> {
  const canHave = (prefix: string, { attributes }: AttributeSet): boolean => {
    const family = familyOf(prefix);
    const own = attributes.nextHop;
    const hops = own === undefined ? Object.values(to.nextHops) : [own];
    const isUsable = (hop: string): boolean =>
      familyOf(hop) === family || (family === "ipv4" && to.hasIpv4OverIpv6);
    return to.families.includes(family) && hops.some(isUsable);
  };
  return new Map(
    [...wanted]
      .filter(([prefix, set]) => canHave(prefix, set))
      .map(([prefix, { attributes }]) => [prefix, String(attributes.communities ?? "")]),
  );
}
