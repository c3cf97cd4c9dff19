import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAddress } from "../../config/address";
import { deriveKey } from "./keyring";
import type { Claim } from "./membership";
import { claimsOf, pagesOf } from "./claim-page";
import { beat, pageOf } from "./fixtures";
import { MAX_HEARTBEAT_BYTES, nameableInterfaces, openHeartbeat, sealHeartbeat } from "./packet";
import type { Heartbeat } from "./packet";

const KEY = deriveKey(Buffer.alloc(32, 1))!;
const OTHER = deriveKey(Buffer.alloc(32, 2))!;
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const u32 = fc.nat(2 ** 32 - 1);

const address = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map(value => ({ family: "ipv4", value }) as const),
  fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map(value => ({ family: "ipv6", value }) as const),
);
const claim: fc.Arbitrary<Claim> = fc.record({ address: address.map(formatAddress), epoch: u32 });
const page = fc
  .record({
    list: u32,
    pages: fc.integer({ min: 1, max: 1024 }),
    claims: fc.array(claim, { maxLength: 30 }),
  })
  .chain(({ list, pages, claims }) =>
    fc.nat(pages - 1).map(index => ({ ...pageOf(claims, list), pages, index })),
  );
const heartbeat: fc.Arbitrary<Heartbeat> = fc.record({
  node: fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,30}[a-z0-9])?$/),
  phase: fc.constantFrom("starting", "active", "leaving"),
  bootId: u64,
  sequence: u64,
  asks: u64,
  answers: u64,
  intervalMs: fc.integer({ min: 1, max: 65535 }),
  interfaces: fc.array(fc.stringMatching(/^[a-z0-9@.-]{1,15}$/), { maxLength: 15 }),
  isToGroup: fc.boolean(),
  isDeaf: fc.boolean(),
  wantsWord: fc.boolean(),
  wantsAll: fc.boolean(),
  page,
});
const plain = beat({
  node: "n1",
  bootId: 258n,
  sequence: 7n,
  answers: 9n,
  isDeaf: true,
  interfaces: ["eth0", "eth1"],
  page: pageOf([{ address: "10.0.0.1", epoch: 2 }], 3),
});
/** All that can be as long as it may be. */
const longest = beat({
  node: "a".repeat(253),
  interfaces: nameableInterfaces(Array.from({ length: 30 }, (_, i) => `interface-n${i + 100}`)),
});

describe("heartbeat codec", () => {
  it("has a fixed layout on the wire", () => {
    const packet = sealHeartbeat(plain, { id: 5, secret: Buffer.alloc(32) });
    expect(packet.subarray(0, -16).toString("hex")).toBe(
      "414e4348" +
        "03" +
        "01" +
        "02" +
        "00000005" +
        "0000000000000102" +
        "0000000000000007" +
        "0000000000000000" +
        "0000000000000009" +
        "0032" +
        "00000003" +
        "0000" +
        "0001" +
        "0209" +
        "6e31" +
        "657468302f65746831" +
        "040a00000100000002",
    );
  });

  it("gives back what was sealed, under whichever of the keys", () => {
    fc.assert(
      fc.property(heartbeat, fc.boolean(), (value, isOther) => {
        const packet = sealHeartbeat(value, isOther ? OTHER : KEY);
        expect(openHeartbeat(packet, [KEY, OTHER])).toEqual(value);
      }),
    );
  });

  it("refuses what is signed with a key that is not ours, or with none", () => {
    const packet = sealHeartbeat(plain, OTHER);
    expect(openHeartbeat(packet, [KEY])).toBe("unauthentic");
    expect(openHeartbeat(packet, [])).toBe("unauthentic");
    expect(openHeartbeat(packet, [{ ...KEY, id: OTHER.id }])).toBe("unauthentic");
  });

  it("takes a name of 253 bytes and refuses a longer or an impossible one", () => {
    expect(openHeartbeat(sealHeartbeat(longest, KEY), [KEY])).toEqual(longest);
    expect(() => sealHeartbeat({ ...plain, node: "a".repeat(254) }, KEY)).toThrow("--node-name");
    expect(() => sealHeartbeat({ ...plain, node: "Nöde" }, KEY)).toThrow("--node-name");
  });

  it("every change of a byte, cut and extension is refused, never an exception", () => {
    const change = fc.integer({ min: 1, max: 255 });
    fc.assert(
      fc.property(heartbeat, fc.nat(), change, (value, at, bits) => {
        const packet = sealHeartbeat(value, KEY);
        const spot = at % packet.length;
        expect(openHeartbeat(packet.subarray(0, spot), [KEY])).toBeTypeOf("string");
        expect(openHeartbeat(Buffer.concat([packet, Buffer.from("x")]), [KEY])).toBeTypeOf(
          "string",
        );
        packet[spot] = (packet[spot] ?? 0) ^ bits;
        expect(openHeartbeat(packet, [KEY])).toBeTypeOf("string");
      }),
      { numRuns: 2000 },
    );
  });

  it("is total on random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1500 }), bytes => {
        expect(openHeartbeat(Buffer.from(bytes), [KEY])).toBeTypeOf("string");
      }),
      { numRuns: 2000 },
    );
  });

  it("mutated bodies with a right signature open to nothing or to what seals to the same bytes", () => {
    // The signature is what keeps strangers out; a faulty peer of ours must not do harm either.
    fc.assert(
      fc.property(heartbeat, fc.nat(), fc.integer({ min: 0, max: 255 }), (value, at, byte) => {
        const forged = resign(sealHeartbeat(value, KEY), at, byte);
        const opened = openHeartbeat(forged, [KEY]);
        if (typeof opened === "string") return;
        expect(sealHeartbeat(opened, KEY).equals(forged)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });
});

/** Overwrites one byte of the body and signs anew, as only an owner of the key can. */
function resign(packet: Buffer, at: number, byte: number): Buffer {
  const body = Buffer.from(packet.subarray(0, -16));
  body[at % body.length] = byte;
  const mac = createHmac("sha256", KEY.secret).update(body).digest().subarray(0, 16);
  return Buffer.concat([body, mac]);
}

describe("pagesOf", () => {
  it("keeps every claim once and in order, in packets that fit every network's MTU", () => {
    fc.assert(
      fc.property(fc.array(claim, { maxLength: 300 }), claims => {
        const pages = pagesOf(4, claims);
        expect(pages.flatMap(claimsOf)).toEqual(claims);
        for (const [index, part] of pages.entries()) {
          expect(part).toMatchObject({ list: 4, index, pages: pages.length });
          const packet = sealHeartbeat({ ...longest, page: part }, KEY);
          expect(packet.length).toBeLessThanOrEqual(MAX_HEARTBEAT_BYTES);
        }
      }),
    );
    // IPv6's smallest MTU (RFC 8200 5) less the headers of IPv6 and UDP.
    expect(MAX_HEARTBEAT_BYTES).toBeLessThanOrEqual(1280 - 48);
  });

  it("an owner of nothing has one empty page, of 1,000 addresses not more than 34", () => {
    expect(pagesOf(1, [])).toEqual([{ list: 1, index: 0, pages: 1, bytes: Buffer.alloc(0) }]);
    const many = Array.from({ length: 1000 }, (_, i) => ({ address: `fd00::${i}`, epoch: 1 }));
    expect(pagesOf(1, many).length).toBeLessThanOrEqual(34);
  });
});

describe("nameableInterfaces", () => {
  it("keeps the names that a heartbeat can carry, each once, as many as fit", () => {
    expect(nameableInterfaces(["eth0", "eth0", "", "a/b", "x".repeat(16), "bond0.10"])).toEqual([
      "eth0",
      "bond0.10",
    ]);
    expect(longest.interfaces.join("/").length).toBeLessThanOrEqual(255);
    expect(longest.interfaces.length).toBeGreaterThan(10);
  });
});
