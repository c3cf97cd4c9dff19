import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAddress } from "../../config/address";
import type { IpAddress } from "../../config/address";
import { gratuitousArpReply, gratuitousArpRequest } from "./arp";
import { parseMac } from "./ethernet";
import { unsolicitedAdvertisement } from "./ndp";
import { answeredAddress, queryFrame } from "./query";

const MAC = parseMac("02:00:00:00:00:11")!;
const address = (text: string): IpAddress => parseAddress(text)!;
const V4 = address("172.30.0.240");
const V6 = address("fd00:30::240");
const LINK_LOCAL = address("fe80::11");

describe("queryFrame", () => {
  it("ARP: a broadcast request with a sender, byte by byte", () => {
    const frame = queryFrame(V4, { mac: MAC, source: address("172.30.0.11") });
    expect(frame.toString("hex")).toBe(
      "ffffffffffff" +
        "020000000011" +
        "0806" +
        "0001080006040001" +
        "020000000011" +
        "ac1e000b" +
        "000000000000" +
        "ac1e00f0",
    );
  });

  it("NDP: to the solicited-node group, hop limit 255, with our link-layer address", () => {
    const frame = queryFrame(V6, { mac: MAC, source: LINK_LOCAL });
    expect(frame.toString("hex")).toBe(
      "3333ff000240" +
        "020000000011" +
        "86dd" +
        "60000000" +
        "0020" +
        "3a" +
        "ff" +
        "fe800000000000000000000000000011" +
        "ff0200000000000000000001ff000240" +
        "8700" +
        frame.subarray(56, 58).toString("hex") +
        "00000000" +
        "fd000030000000000000000000000240" +
        "0101" +
        "020000000011",
    );
  });
});

describe("a question to one host", () => {
  it("is the same, but goes to that host's hardware address alone", () => {
    const to = parseMac("02:00:00:00:00:99")!;
    for (const [target, source] of [
      [V4, address("172.30.0.11")],
      [V6, LINK_LOCAL],
    ] as const) {
      const frame = queryFrame(target, { mac: MAC, source, to });
      const toAll = queryFrame(target, { mac: MAC, source });
      expect(frame.subarray(0, 6)).toEqual(to);
      expect(frame.subarray(6)).toEqual(toAll.subarray(6));
    }
  });
});

describe("answeredAddress", () => {
  const reply = gratuitousArpReply(V4, MAC);
  const advertisement = unsolicitedAdvertisement(V6, MAC, LINK_LOCAL);

  it("reads ARP replies and neighbor advertisements, padded or not", () => {
    expect(answeredAddress(reply)).toBe("172.30.0.240");
    expect(answeredAddress(Buffer.concat([reply, Buffer.alloc(18)]))).toBe("172.30.0.240");
    expect(answeredAddress(advertisement)).toBe("fd00:30::240");
  });

  it("takes questions and announcements by request for no answer", () => {
    expect(answeredAddress(gratuitousArpRequest(V4, MAC))).toBeUndefined();
    expect(answeredAddress(queryFrame(V4, { mac: MAC, source: V4 }))).toBeUndefined();
    expect(answeredAddress(queryFrame(V6, { mac: MAC, source: LINK_LOCAL }))).toBeUndefined();
  });

  it("takes an advertisement that was forwarded, and one with another code, for no answer", () => {
    for (const [at, value] of [
      [21, 254],
      [55, 1],
    ] as const) {
      const wrong = Buffer.from(advertisement);
      wrong[at] = value;
      expect(answeredAddress(wrong)).toBeUndefined();
    }
  });

  it("never throws, on whatever is heard; cut frames are no answer", () => {
    const frame = fc.oneof(
      fc.uint8Array({ maxLength: 128 }),
      fc
        .tuple(fc.constantFrom(reply, advertisement), fc.nat(200), fc.nat(255))
        .map(([base, at, byte]) => {
          const changed = Buffer.from(base);
          changed[at % changed.length] = byte;
          return changed;
        }),
    );
    fc.assert(
      fc.property(frame, bytes => {
        const found = answeredAddress(bytes);
        if (found !== undefined) expect(parseAddress(found)).toBeDefined();
      }),
      { numRuns: 5000 },
    );
    for (const base of [reply, advertisement]) {
      for (let length = 0; length < base.length; length++) {
        const cut = answeredAddress(base.subarray(0, length));
        // Of an advertisement the option may be missing: it says who answers, which is not asked here.
        if (length < base.length - 8 || base === reply) expect(cut).toBeUndefined();
      }
    }
  });
});
