import { describe, expect, it } from "vitest";
import { MS, machine, packets } from "./fixtures";
import { forgeryOf, sealPacket } from "./session-keys";
import type { SessionKeys } from "./session-types";
import type { DigestKind } from "./wire/authentication";
import { decodePacket } from "./wire/packet";

const secret = Buffer.from("s3cret");
const other = Buffer.from("0ther");
const KINDS = ["keyedMd5", "meticulousMd5", "keyedSha1", "meticulousSha1"] as const;
const keysOf = (kind: DigestKind | "password", ...ids: readonly number[]): SessionKeys => ({
  kind,
  keys: ids.map(id => ({ id, secret: id === 9 ? other : secret })),
});

/** What arrives of the first packet of a session with these keys. */
function firstPacket(keys: SessionKeys | undefined) {
  const one = machine(keys && { authentication: keys });
  const [sent] = packets(one.send({ type: "start" }));
  const bytes = sealPacket(sent!, keys);
  const result = decodePacket(bytes);
  if (!result.ok) throw new Error(result.reason);
  return { bytes, packet: result.value };
}

describe("authentication (RFC 5880 6.7)", () => {
  it.each([...KINDS, "password" as const])("%s: takes what is made with a key of ours", kind => {
    const { bytes, packet: heard } = firstPacket(keysOf(kind, 1));
    expect(forgeryOf(heard, bytes, keysOf(kind, 1))).toBeUndefined();
    expect(forgeryOf(heard, bytes, keysOf(kind, 9, 1))).toBeUndefined();
    expect(forgeryOf(heard, bytes, keysOf(kind, 2))).toBe("we have no key 1");
    const wrong = { kind, keys: [{ id: 1, secret: other }] };
    expect(forgeryOf(heard, bytes, wrong)).toBe("it is not made with our key 1");
  });

  it.each(KINDS)("%s: a packet changed anywhere is not taken", kind => {
    const keys = keysOf(kind, 1);
    const { bytes, packet: heard } = firstPacket(keys);
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at]! ^= 1;
      const result = decodePacket(changed);
      // The key id apart, of which the decoded packet tells.
      const forgery = result.ok ? forgeryOf(result.value, changed, keys) : "malformed";
      expect(forgery, `octet ${at}`).toBeDefined();
    }
    expect(heard.authentication).toMatchObject({ sequence: 1_000 });
  });

  it("bgp 86: with a key takes nothing unsigned, without one nothing signed", () => {
    const keys = keysOf("keyedSha1", 1);
    const signed = firstPacket(keys);
    const plain = firstPacket(undefined);
    expect(forgeryOf(plain.packet, plain.bytes, undefined)).toBeUndefined();
    expect(forgeryOf(plain.packet, plain.bytes, keys)).toMatch(/not authenticated by keyedSha1/);
    expect(forgeryOf(signed.packet, signed.bytes, undefined)).toMatch(/we have no key/);
    expect(forgeryOf(signed.packet, signed.bytes, keysOf("meticulousSha1", 1))).toBeDefined();
  });

  it("numbers its packets, and begins again after 2^32 - 1", () => {
    const one = machine({ authentication: keysOf("meticulousSha1", 1) });
    const first = packets(one.send({ type: "start" }));
    const second = packets(one.send({ type: "timer", timer: "transmit" }));
    expect([...first, ...second].map(({ authentication: section }) => section)).toMatchObject([
      { sequence: 1_000 },
      { sequence: 1_001 },
    ]);
  });
});

describe("sequence numbers", () => {
  const section = (kind: DigestKind, sequence: number) =>
    ({ authentication: { kind, keyId: 1, sequence, digest: new Uint8Array(20) } }) as const;
  const heard = (kind: DigestKind, ...sequences: readonly number[]) => {
    const one = machine();
    one.send({ type: "start" });
    const last = sequences.map(sequence => one.hear({ state: "Down", ...section(kind, sequence) }));
    return { one, isTaken: !last.at(-1)!.some(action => action.do === "discarded") };
  };

  it.each([
    ["meticulousSha1", 7, 7, false],
    ["meticulousSha1", 7, 8, true],
    ["meticulousSha1", 7, 16, true],
    ["meticulousSha1", 7, 17, false],
    ["meticulousSha1", 7, 6, false],
    ["meticulousSha1", 2 ** 32 - 1, 0, true],
    ["keyedSha1", 7, 7, true],
    ["keyedSha1", 7, 16, true],
    ["keyedSha1", 7, 17, false],
    ["keyedSha1", 7, 6, false],
    ["keyedMd5", 2 ** 32 - 2, 1, true],
  ] as const)("%s: after %i, %i is taken: %s", (kind, first, next, isTaken) => {
    expect(heard(kind, first, next).isTaken).toBe(isTaken);
  });

  it("are forgotten after two detection times of silence, not after one", () => {
    const { one } = heard("meticulousSha1", 500);
    one.send({ type: "timer", timer: "detect" });
    expect(one.timers.get("detect")).toBe(3 * 1_000 * MS);
    expect(one.hear({ state: "Down", ...section("meticulousSha1", 3) })).toMatchObject([
      { do: "discarded" },
    ]);
    one.send({ type: "timer", timer: "detect" });
    expect(one.hear({ state: "Down", ...section("meticulousSha1", 3) })).toContainEqual(
      expect.objectContaining({ do: "setTimer", timer: "detect" }),
    );
  });
});
