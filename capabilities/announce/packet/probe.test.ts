import { describe, expect, it } from "vitest";
import { parseAddress } from "../../config/address";
import { parseMac } from "./ethernet";
import { probeFrame } from "./probe";

const MAC = parseMac("02:00:00:00:00:11")!;

describe("probeFrame", () => {
  it("ARP: a broadcast request whose sender is zero, byte by byte", () => {
    expect(probeFrame(parseAddress("172.30.0.240")!, MAC).toString("hex")).toBe(
      "ffffffffffff" +
        "020000000011" +
        "0806" +
        "0001080006040001" +
        "020000000011" +
        "00000000" +
        "000000000000" +
        "ac1e00f0",
    );
  });

  it("NDP: from nobody to the solicited-node group, without an option", () => {
    const frame = probeFrame(parseAddress("fd00:30::240")!, MAC);
    expect(frame.toString("hex")).toBe(
      "3333ff000240" +
        "020000000011" +
        "86dd" +
        "60000000" +
        "0018" +
        "3a" +
        "ff" +
        "00000000000000000000000000000000" +
        "ff0200000000000000000001ff000240" +
        "8700" +
        frame.subarray(56, 58).toString("hex") +
        "00000000" +
        "fd000030000000000000000000000240",
    );
  });
});
