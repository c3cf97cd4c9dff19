import { describe, expect, it } from "vitest";
import { interfaceOf, linkAddress } from "./link-address";

describe("addresses of packet sockets", () => {
  it("are the kernel's structure: family, protocol in network order, interface", () => {
    const bytes = linkAddress(0x0102, 0x0806);
    expect(bytes).toHaveLength(20);
    expect(new Uint16Array(bytes.buffer, 0, 1)[0]).toBe(17);
    expect([...bytes.subarray(2, 4)]).toEqual([0x08, 0x06]);
    expect(interfaceOf(bytes)).toBe(0x0102);
    expect([...linkAddress(0).subarray(2)]).toEqual(new Array(18).fill(0));
  });
});
