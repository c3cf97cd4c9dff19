import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAddress } from "../../config/address";
import type { IpAddress } from "../../config/address";
import { addressBytes, addressFromBytes } from "../address-bytes";
import { arpProbeReply, gratuitousArpReply, gratuitousArpRequest } from "./arp";
import { formatMac, parseMac } from "./ethernet";
import { advertisementToRouters, icmpv6Checksum, unsolicitedAdvertisement } from "./ndp";

const MAC = parseMac("02:00:00:00:00:11")!;
const address = (text: string): IpAddress => parseAddress(text)!;

describe("gratuitous ARP", () => {
  it("request form, byte by byte", () => {
    expect(gratuitousArpRequest(address("172.30.0.240"), MAC).toString("hex")).toBe(
      "ffffffffffff" +
        "020000000011" +
        "0806" +
        "0001080006040001" +
        "020000000011" +
        "ac1e00f0" +
        "000000000000" +
        "ac1e00f0",
    );
  });

  it("reply form, byte by byte", () => {
    expect(gratuitousArpReply(address("172.30.0.240"), MAC).toString("hex")).toBe(
      "ffffffffffff" +
        "020000000011" +
        "0806" +
        "0001080006040002" +
        "020000000011" +
        "ac1e00f0" +
        "020000000011" +
        "ac1e00f0",
    );
  });
});

describe("the answer to an ARP probe", () => {
  it("goes to the asker alone, who has no address yet, byte by byte", () => {
    const asker = parseMac("02:00:00:00:00:99")!;
    expect(arpProbeReply(address("172.30.0.240"), MAC, asker).toString("hex")).toBe(
      "020000000099" +
        "020000000011" +
        "0806" +
        "0001080006040002" +
        "020000000011" +
        "ac1e00f0" +
        "020000000099" +
        "00000000",
    );
  });
});

describe("unsolicited neighbor advertisement", () => {
  it("to all nodes with hop limit 255, Override and the link-layer address, byte by byte", () => {
    const frame = unsolicitedAdvertisement(address("fd00:30::240"), MAC, address("fe80::11"));
    expect(frame.toString("hex")).toBe(
      "333300000001" +
        "020000000011" +
        "86dd" +
        "60000000" +
        "0020" +
        "3a" +
        "ff" +
        "fe800000000000000000000000000011" +
        "ff020000000000000000000000000001" +
        "8800" +
        "568c" +
        "20000000" +
        "fd000030000000000000000000000240" +
        "0201" +
        "020000000011",
    );
  });

  it("to all routers without Override (RFC 9131), byte by byte", () => {
    const frame = advertisementToRouters(address("fd00:30::240"), MAC, address("fe80::11"));
    const all = unsolicitedAdvertisement(address("fd00:30::240"), MAC, address("fe80::11"));
    expect(frame.toString("hex", 0, 6)).toBe("333300000002");
    expect(frame.toString("hex", 38, 54)).toBe("ff020000000000000000000000000002");
    expect(frame.toString("hex", 58, 62)).toBe("00000000");
    expect(frame.subarray(62)).toEqual(all.subarray(62));
  });

  it("carries a checksum that a receiver finds right", () => {
    const value = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n });
    const mac = fc.uint8Array({ minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(value, value, mac, (target, from, hardware) => {
        const frame = unsolicitedAdvertisement({ family: "ipv6", value: target }, hardware, {
          family: "ipv6",
          value: from,
        });
        // Over a message that holds its own checksum the sum is 0xffff, so the complement is 0.
        expect(
          icmpv6Checksum(frame.subarray(22, 38), frame.subarray(38, 54), frame.subarray(54)),
        ).toBe(0);
      }),
    );
  });
});

describe("bytes and text", () => {
  it("an address survives the way to bytes and back", () => {
    const any = fc.oneof(fc.ipV4(), fc.ipV6()).map(text => parseAddress(text)!);
    fc.assert(
      fc.property(any, value => {
        expect(addressFromBytes(addressBytes(value))).toEqual(value);
      }),
    );
    expect(addressFromBytes(Buffer.alloc(5))).toBeUndefined();
  });

  it("reads and writes hardware addresses", () => {
    expect(formatMac(MAC)).toBe("02:00:00:00:00:11");
    expect(parseMac("02:00:00:00:00")).toBeUndefined();
    expect(parseMac("02:00:00:00:00:1g")).toBeUndefined();
  });
});
