import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { IpAddress } from "../config/address";
import type { Holder, VirtualIP } from "../config/kinds/virtual-ip";
import { vipName } from "../config/vip-name";
import { ip } from "./fixtures";
import { createLedger, serviceKeysOf } from "./ledger";
import type { Ledger } from "./ledger";

type Made = { readonly version?: string; readonly uid?: string; readonly holders?: Holder[] };

const holder = (name: string, more: Partial<Holder> = {}): Holder => ({
  namespace: "shop",
  name,
  claimedAt: "2026-01-01T00:00:00.000Z",
  ...more,
});

function vip(text: string, { version, uid = "u", holders = [] }: Made = {}): VirtualIP {
  const metadata = { name: vipName(ip(text)), uid };
  return {
    metadata: version === undefined ? metadata : { ...metadata, resourceVersion: version },
    spec: { address: text, pool: "a", reason: "", holders },
  };
}

const next = (ledger: Ledger, from: string): bigint | undefined => {
  const { family, value } = ip(from);
  return ledger.nextFree(family, value);
};

const names = (vips: readonly VirtualIP[]): readonly string[] => vips.map(one => one.spec.address);

describe("what the ledger knows of an address", () => {
  it("is the VirtualIP that it was shown last", () => {
    const ledger = createLedger();
    ledger.observe(vip("10.0.0.1", { version: "1" }));
    ledger.observe(vip("10.0.0.1", { version: "2", holders: [holder("web")] }));
    expect(ledger.get(ip("10.0.0.1"))?.spec.holders).toHaveLength(1);
    expect(ledger.get(ip("10.0.0.2"))).toBeUndefined();
  });

  it.each([
    ["an older version of the same object", { version: "9" }, "kept"],
    ["a version of another length", { version: "99" }, "new"],
    ["an object made anew, whatever its version", { version: "1", uid: "v" }, "new"],
    ["a version that is no number", { version: "abc" }, "new"],
    ["an object without version", {}, "new"],
  ] as const)("after %s is what is true", (_, made, expected) => {
    const ledger = createLedger();
    ledger.observe(vip("10.0.0.1", { version: "10", holders: [holder("kept")] }));
    ledger.observe(vip("10.0.0.1", { ...made, holders: [holder("new")] }));
    expect(ledger.get(ip("10.0.0.1"))?.spec.holders[0]?.name).toBe(expected);
    expect(ledger.heldBy(`shop/${expected}`)).toHaveLength(1);
    expect(ledger.heldBy(expected === "new" ? "shop/kept" : "shop/new")).toEqual([]);
  });

  it("is nothing for an object whose name no address makes", () => {
    const ledger = createLedger();
    const odd = vip("10.0.0.1");
    ledger.observe({ ...odd, metadata: { name: "010.0.0.1" } });
    ledger.observe({ ...odd, metadata: {} });
    ledger.forget("never-seen");
    expect(next(ledger, "10.0.0.1")).toBe(ip("10.0.0.1").value);
    expect(ledger.heldBy("shop/web")).toEqual([]);
  });
});

describe("who holds what", () => {
  it("is found by Service and by sharing key, in the order of the names", () => {
    const ledger = createLedger();
    const shared = [holder("web", { sharingKey: "k" }), holder("api", { sharingKey: "k" })];
    ledger.observe(vip("10.0.0.2", { holders: shared }));
    ledger.observe(vip("10.0.0.1", { holders: shared.slice(0, 1) }));
    ledger.observe(vip("fd00::1", { holders: [holder("web")] }));
    expect(names(ledger.heldBy("shop/web"))).toEqual(["10.0.0.1", "10.0.0.2", "fd00::1"]);
    expect(names(ledger.heldBy("shop/api"))).toEqual(["10.0.0.2"]);
    expect(names(ledger.sharedUnder("k"))).toEqual(["10.0.0.1", "10.0.0.2"]);
    ledger.forget("10.0.0.2");
    expect(names(ledger.heldBy("shop/api"))).toEqual([]);
    expect(names(ledger.sharedUnder("k"))).toEqual(["10.0.0.1"]);
  });

  it("leaves out claims of Services that have no name yet", () => {
    const unnamed = { namespace: "shop", generateName: "web-", claimedAt: "" };
    expect(serviceKeysOf(vip("10.0.0.1", { holders: [unnamed, holder("b")] }))).toEqual(["shop/b"]);
  });
});

describe("what is kept for who had it", () => {
  const released = (text: string, name: string, second: number): VirtualIP => {
    const at = `2026-01-01T00:00:0${second}.000Z`;
    const { spec, ...rest } = vip(text);
    return { ...rest, spec: { ...spec, released: { namespace: "shop", name, at } } };
  };

  it("is found by the Service, the latest first, and in all, the earliest first", () => {
    const ledger = createLedger();
    ledger.observe(released("10.0.0.1", "web", 3));
    ledger.observe(released("10.0.0.2", "api", 1));
    ledger.observe(released("10.0.0.3", "web", 2));
    expect(names(ledger.keptFor("shop/web"))).toEqual(["10.0.0.1", "10.0.0.3"]);
    expect(names(ledger.keptFor("shop/db"))).toEqual([]);
    expect(names(ledger.released())).toEqual(["10.0.0.2", "10.0.0.3", "10.0.0.1"]);
    expect(next(ledger, "10.0.0.1")).toBe(ip("10.0.0.4").value);
  });

  it("is no more when somebody holds it, or it is gone, or a claim is under way", () => {
    const ledger = createLedger();
    const first = released("10.0.0.1", "web", 1);
    ledger.observe(first);
    ledger.observe(released("10.0.0.2", "web", 2));
    ledger.observe(released("10.0.0.3", "web", 3));
    ledger.observe({ ...first, spec: { ...first.spec, holders: [holder("api")] } });
    ledger.forget("10.0.0.2");
    ledger.reserve(ip("10.0.0.3"), 100);
    expect(ledger.released()).toEqual([]);
    expect(names(ledger.keptFor("shop/web"))).toEqual(["10.0.0.3"]);
    ledger.expire(100);
    expect(names(ledger.released())).toEqual(["10.0.0.3"]);
  });
});

describe("reservations", () => {
  it("are passed over until they end", () => {
    const ledger = createLedger();
    ledger.reserve(ip("10.0.0.1"), 100);
    ledger.expire(99);
    expect(next(ledger, "10.0.0.1")).toBe(ip("10.0.0.2").value);
    ledger.expire(100);
    expect(next(ledger, "10.0.0.1")).toBe(ip("10.0.0.1").value);
  });

  it("end with the VirtualIP that they were for, and take nothing from one that is there", () => {
    const ledger = createLedger();
    ledger.reserve(ip("10.0.0.1"), 100);
    ledger.observe(vip("10.0.0.1"));
    ledger.expire(1_000);
    expect(next(ledger, "10.0.0.1")).toBe(ip("10.0.0.2").value);
    ledger.reserve(ip("10.0.0.1"), 2_000);
    ledger.unreserve(ip("10.0.0.1"));
    expect(next(ledger, "10.0.0.1")).toBe(ip("10.0.0.2").value);
  });

  it("outlive a VirtualIP that is forgotten", () => {
    const ledger = createLedger();
    ledger.observe(vip("10.0.0.1"));
    ledger.reserve(ip("10.0.0.1"), 100);
    ledger.forget("10.0.0.1");
    expect(next(ledger, "10.0.0.1")).toBe(ip("10.0.0.2").value);
    ledger.unreserve(ip("10.0.0.1"));
    expect(next(ledger, "10.0.0.1")).toBe(ip("10.0.0.1").value);
  });
});

describe("any sequence of changes", () => {
  const address = fc.constantFrom(
    ...["10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "fd00::", "fd00::1"],
  );
  const services = fc.subarray(["web", "api", "db"]);
  const change = fc.oneof(
    fc.record({ do: fc.constant("observe" as const), address, services }),
    fc.record({ do: fc.constant("forget" as const), address }),
    fc.record({ do: fc.constant("reserve" as const), address, until: fc.nat(10) }),
    fc.record({ do: fc.constant("unreserve" as const), address }),
    fc.record({ do: fc.constant("expire" as const), now: fc.nat(10) }),
    fc.record({ do: fc.constant("resync" as const), present: fc.uniqueArray(address) }),
  );
  type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

  /** The same by plain maps, and by looking at all of them. */
  type Model = { known: Map<string, readonly string[]>; reserved: Map<string, number> };

  function see(model: Model, text: string, holders: readonly string[]): void {
    model.known.set(text, holders);
    model.reserved.delete(text);
  }

  function applyTo(model: Model, one: Change): void {
    const { known, reserved } = model;
    if (one.do === "observe") see(model, one.address, one.services);
    else if (one.do === "forget") known.delete(one.address);
    else if (one.do === "reserve") reserved.set(one.address, one.until);
    else if (one.do === "unreserve") reserved.delete(one.address);
    else if (one.do === "expire") {
      model.reserved = new Map([...reserved].filter(([, until]) => until > one.now));
    } else {
      model.known = new Map([...known].filter(([text]) => one.present.includes(text)));
      for (const text of one.present) see(model, text, []);
    }
  }

  function applyToLedger(ledger: Ledger, one: Change): void {
    const holders = (list: readonly string[]): Holder[] => list.map(name => holder(name));
    if (one.do === "observe") ledger.observe(vip(one.address, { holders: holders(one.services) }));
    else if (one.do === "forget") ledger.forget(vipName(ip(one.address)));
    else if (one.do === "reserve") ledger.reserve(ip(one.address), one.until);
    else if (one.do === "unreserve") ledger.unreserve(ip(one.address));
    else if (one.do === "expire") ledger.expire(one.now);
    else ledger.resync(one.present.map(text => vip(text)));
  }

  function lowestFree({ known, reserved }: Model, from: IpAddress): bigint {
    const taken = new Set(
      [...known.keys(), ...reserved.keys()]
        .map(ip)
        .filter(({ family }) => family === from.family)
        .map(({ value }) => value),
    );
    let value = from.value;
    while (taken.has(value)) value += 1n;
    return value;
  }

  it("leaves it knowing what plain maps know", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), changes => {
        const ledger = createLedger();
        const model: Model = { known: new Map(), reserved: new Map() };
        for (const one of changes) {
          applyTo(model, one);
          applyToLedger(ledger, one);
          for (const from of ["10.0.0.0", "10.0.0.2", "fd00::"]) {
            expect(next(ledger, from)).toBe(lowestFree(model, ip(from)));
          }
          for (const name of ["web", "api", "db"]) {
            const held = [...model.known].filter(([, holders]) => holders.includes(name));
            expect(new Set(names(ledger.heldBy(`shop/${name}`)))).toEqual(
              new Set(held.map(([text]) => text)),
            );
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
