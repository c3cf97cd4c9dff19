import { describe, expect, it } from "vitest";
import { hardwareOf, interfaceOf, linkAddress } from "./link-address";

describe("addresses of packet sockets", () => {
  it("are the kernel's structure: family, protocol in network order, interface", () => {
    const bytes = linkAddress(0x0102, 0x0806);
    expect(bytes).toHaveLength(20);
    expect(new Uint16Array(bytes.buffer, 0, 1)[0]).toBe(17);
    expect([...bytes.subarray(2, 4)]).toEqual([0x08, 0x06]);
    expect(interfaceOf(bytes)).toBe(0x0102);
    expect([...linkAddress(0).subarray(2)]).toEqual(new Array(18).fill(0));
  });

  it("have the hardware address of whom a packet is for, or came from, with its length", () => {
    const mac = Uint8Array.of(2, 0, 0, 0, 0, 7);
    const bytes = linkAddress(3, 0x0800, mac);
    expect([...bytes.subarray(11)]).toEqual([6, 2, 0, 0, 0, 0, 7, 0, 0]);
    expect(hardwareOf(bytes)).toEqual(mac);
    expect(hardwareOf(linkAddress(3))).toHaveLength(0);
  });
});
