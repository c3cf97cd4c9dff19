import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyMessage } from "./arbitraries";
import { fromHex, toHex } from "./hex";
import { keepalive } from "./keepalive";
import { decodeMessage, encodeMessage, HEADER_LENGTH, readFrame } from "./message";
import type { Frame, Message } from "./message";
import type { Decoded } from "./result";
import { endOfRib } from "./update";

const marker = "ff".repeat(16);

/** Code, subcode and data of an error. */
function errorOf(result: Decoded<unknown>): string | undefined {
  return result.ok
    ? undefined
    : `${result.error.code}/${result.error.subcode} ${toHex(result.error.data)}`.trim();
}

/** All messages in a stream that arrives in pieces. */
function readAll(pieces: readonly Uint8Array[]): Message[] {
  const messages: Message[] = [];
  let buffer = new Uint8Array();
  for (const piece of pieces) {
    buffer = Uint8Array.from([...buffer, ...piece]);
    for (let frame = next(buffer); frame !== undefined; frame = next(buffer)) {
      buffer = buffer.slice(HEADER_LENGTH + frame.body.length);
      messages.push(must(decodeMessage(frame)));
    }
  }
  expect(buffer).toHaveLength(0);
  return messages;
}

function next(bytes: Uint8Array): Frame | undefined {
  return must(readFrame(bytes));
}

function must<T>(result: Decoded<T>): T {
  if (!result.ok) {
    throw new Error(result.error.reason);
  }
  return result.value;
}

describe("messages, written by hand from RFC 4271", () => {
  it("KEEPALIVE is a header (4.4)", () => {
    expect(toHex(encodeMessage(keepalive))).toBe(`${marker}001304`);
    expect(readAll([fromHex(`${marker}001304`)])).toEqual([keepalive]);
  });

  it("NOTIFICATION (4.5)", () => {
    const hex = `${marker} 0017 03 02 01 0004`;
    const message = { type: "notification", code: 2, subcode: 1, data: fromHex("0004") } as const;
    expect(readAll([fromHex(hex)])).toEqual([message]);
    expect(encodeMessage(message)).toEqual(fromHex(hex));
  });

  it("OPEN (4.2)", () => {
    const hex = `${marker} 001d 01 04 fde9 005a c0000201 00`;
    const [message] = readAll([fromHex(hex)]);
    expect(message).toMatchObject({ type: "open", myAs: 65001, holdTime: 90 });
    expect(encodeMessage(message ?? keepalive)).toEqual(fromHex(hex));
  });

  it("UPDATE and ROUTE-REFRESH (4.3, RFC 2918)", () => {
    const hex = `${marker} 0017 02 00000000 ${marker} 0017 05 00010001`;
    expect(readAll([fromHex(hex)])).toEqual([
      endOfRib("ipv4"),
      { type: "routeRefresh", afi: 1, subtype: 0, safi: 1 },
    ]);
  });
});

describe("header errors (RFC 4271 6.1)", () => {
  it.each([
    ["a marker that is not all ones", `${"ff".repeat(15)}fe 0013 04`, "1/1"],
    ["a wrong marker, before the rest has come", "ffff00", "1/1"],
    ["type 0", `${marker} 0013 00`, "1/3 00"],
    ["type 6", `${marker} 0013 06`, "1/3 06"],
    ["a length below the header's", `${marker} 0012 04`, "1/2 0012"],
    ["a KEEPALIVE with a body", `${marker} 0014 04 00`, "1/2 0014"],
    ["a short OPEN", `${marker} 001c 01`, "1/2 001c"],
    ["a short UPDATE", `${marker} 0016 02`, "1/2 0016"],
    ["a short NOTIFICATION", `${marker} 0014 03`, "1/2 0014"],
    ["a short ROUTE-REFRESH", `${marker} 0016 05`, "1/2 0016"],
    ["more than 4096 octets", `${marker} 1001 02`, "1/2 1001"],
  ])("%s: %s", (_name, hex, expected) => {
    expect(errorOf(readFrame(fromHex(hex)))).toBe(expected);
  });

  it("takes long UPDATEs once extended messages are agreed (RFC 8654)", () => {
    expect(readFrame(fromHex(`${marker} 1001 02`), 65_535)).toEqual({ ok: true, value: undefined });
  });

  it("does not encode what is too long", () => {
    const data = new Uint8Array(4_076);
    const message = { type: "notification", code: 6, subcode: 2, data } as const;
    expect(() => encodeMessage(message)).toThrow("notification: 4097 octets");
  });
});

describe("messages, by random input", { timeout: 30_000 }, () => {
  it("decode to what was encoded, equal messages to equal bytes", () => {
    fc.assert(
      fc.property(anyMessage, message => {
        const bytes = encodeMessage(message);
        expect(readAll([bytes])).toEqual([message]);
        expect(encodeMessage(structuredClone(message))).toEqual(bytes);
      }),
    );
  });

  it("are the same however TCP cuts the stream", () => {
    const input = fc.tuple(
      fc.array(anyMessage, { maxLength: 4 }),
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 20 }),
    );
    fc.assert(
      fc.property(input, ([messages, sizes]) => {
        const stream = messages.flatMap(message => [...encodeMessage(message)]);
        const pieces: Uint8Array[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          pieces.push(Uint8Array.from(stream.slice(at, at + size)));
          at += size;
        }
        expect(readAll(pieces)).toEqual(messages);
      }),
    );
  });

  it("never make the decoder throw, nor wait for more than a message's length", () => {
    const noise = fc.uint8Array({ maxLength: 200 });
    const withHeader = fc
      .tuple(fc.nat(300), fc.nat(8), noise)
      .map(([length, type, rest]) =>
        Uint8Array.from([...fromHex(marker), length >> 8, length & 255, type, ...rest]),
      );
    fc.assert(
      fc.property(fc.oneof(noise, withHeader), bytes => {
        const frame = readFrame(bytes);
        if (frame.ok && frame.value !== undefined) {
          decodeMessage(frame.value);
          expect(HEADER_LENGTH + frame.value.body.length).toBeLessThanOrEqual(bytes.length);
        }
        if (frame.ok && bytes.length >= 4_096) {
          expect(frame.value).toBeDefined();
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("are copies: a receive buffer can be used again", () => {
    const bytes = fromHex(`${marker} 0017 03 02 01 0004`);
    for (const buffer of [bytes, Buffer.from(bytes)]) {
      const frame = readFrame(buffer);
      const message = frame.ok && frame.value && decodeMessage(frame.value);
      buffer.fill(0);
      expect(message).toMatchObject({ value: { data: fromHex("0004") } });
    }
  });
});
