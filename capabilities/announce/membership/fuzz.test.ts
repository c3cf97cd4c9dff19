import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { beat, pageOf } from "./fixtures";
import { deriveKey } from "./keyring";
import { openHeartbeat, sealHeartbeat } from "./packet";
import { createRoll } from "./roll";

/** Packets; a longer search takes as many as it is given. */
const PACKETS = Number(process.env["ANCHO_FUZZ"] ?? 20_000);
const MAC_BYTES = 16;
const KEY = deriveKey(Buffer.alloc(32, 1))!;
const TIMEOUT = { timeout: 60_000 + PACKETS };

/** xorshift32 (Marsaglia 2003): the same packets in every run. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return below => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const claims = Array.from({ length: 20 }, (_, i) => ({ address: `fd00::${i + 1}`, epoch: i }));
const BASES = [
  beat(),
  beat({ page: pageOf([]), interfaces: [], isToGroup: true }),
  beat({ page: pageOf(claims), asks: 5n, wantsAll: true }),
  beat({ answers: 77n, sequence: 9n, phase: "leaving" }),
].map(base => sealHeartbeat(base, KEY));

/** Some bytes overwritten, or the packet cut, drawn out, or mixed with another one. */
function mutate(random: (below: number) => number): Buffer {
  const base = BASES[random(BASES.length)]!;
  const packet = Buffer.from(base);
  switch (random(5)) {
    case 0:
      return packet.subarray(0, random(packet.length));
    case 1:
      return Buffer.concat([packet, Buffer.alloc(1 + random(1500), random(256))]);
    case 2:
      return Buffer.concat([packet.subarray(0, random(packet.length)), BASES[random(4)]!]);
    default:
      for (let i = 0; i <= random(8); i++) packet[random(packet.length)]! ^= 1 + random(255);
      return packet;
  }
}

describe("mutated heartbeats", () => {
  it("from outside are refused, every one", TIMEOUT, () => {
    const random = randomFrom(1);
    let opened = 0;
    for (let i = 0; i < PACKETS; i++) {
      const packet = mutate(random);
      if (BASES.some(base => base.equals(packet))) continue;
      if (typeof openHeartbeat(packet, [KEY]) !== "string") opened += 1;
    }
    expect(opened).toBe(0);
  });

  it(
    "with a right signature throw nothing, and change nothing for a peer that is known",
    TIMEOUT,
    () => {
      const random = randomFrom(2);
      const roll = createRoll(0);
      const at = { now: 0, nonce: () => 1n };
      roll.hear(beat({ bootId: 1n, page: pageOf([]) }), at);
      roll.hear(beat({ bootId: 1n, sequence: 2n ** 60n, answers: 1n, page: pageOf([]) }), at);
      const before = roll.members();
      for (let i = 0; i < PACKETS; i++) {
        const body = mutate(random).subarray(0, -MAC_BYTES);
        const mac = createHmac("sha256", KEY.secret).update(body).digest().subarray(0, MAC_BYTES);
        const heard = openHeartbeat(Buffer.concat([body, mac]), [KEY]);
        // Whoever has the key may speak for itself; what is of no boot that proved itself has no effect.
        if (typeof heard !== "string" && heard.node === "n2" && heard.bootId !== 1n) {
          roll.hear({ ...heard, answers: 0n }, { now: 0, nonce: () => 2n });
        }
      }
      expect(before).toHaveLength(1);
      expect(roll.members()).toEqual(before);
    },
  );
});
