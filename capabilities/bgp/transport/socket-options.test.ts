import { describe, expect, it } from "vitest";
import { decodeIpv6SocketAddress, encodeSocketAddress, plainAddress } from "./socket-address";
import { listeningOptions, md5Option, optionsOf } from "./socket-options";

const hex = (bytes: number | Uint8Array): string =>
  Buffer.from(bytes as Uint8Array).toString("hex");
const numbers = (options: readonly { level: number; name: number; value: number | Uint8Array }[]) =>
  options.map(({ level, name, value }) => [
    level,
    name,
    typeof value === "number" ? value : "bytes",
  ]);

describe("options of connections", () => {
  it("are the kernel's numbers, in both families", () => {
    const options = { ttl: 255, minTtl: 254, device: "vrf-a", userTimeoutMs: 9_000 };
    expect(numbers(optionsOf("ipv4", options))).toEqual([
      [0, 1, 0xc0],
      [0, 2, 255],
      [0, 21, 254],
      [6, 18, 9_000],
      [1, 25, "bytes"],
    ]);
    expect(numbers(optionsOf("ipv6", options)).slice(0, 3)).toEqual([
      [41, 67, 0xc0],
      [41, 16, 255],
      [41, 73, 254],
    ]);
    expect(numbers(optionsOf("ipv4", {}))).toEqual([[0, 1, 0xc0]]);
  });

  it("answer to a SYN with a TTL that passes TTL security, in both families on one socket", () => {
    expect(numbers(listeningOptions("ipv6", undefined))).toEqual(
      expect.arrayContaining([
        [41, 26, 0],
        [41, 16, 255],
        [0, 2, 255],
      ]),
    );
    expect(numbers(listeningOptions("ipv4", "vrf-a"))).toContainEqual([1, 25, "bytes"]);
  });
});

/** The bytes of struct tcp_md5sig of linux/tcp.h, on a little-endian machine. */
describe("the option that signs", () => {
  it("names an address, a prefix, and an IPv4 peer of a socket of IPv6", () => {
    const v4 = md5Option("192.0.2.1", "key");
    expect([v4.name, hex(v4.value).slice(0, 16)]).toEqual([14, "02000000c0000201"]);
    expect(hex(v4.value).slice(256, 264)).toBe("00000300");
    expect(hex(v4.value).slice(272, 278)).toBe("6b6579");
    const range = md5Option("192.0.2.0/24", "key");
    expect([range.name, hex(range.value).slice(256, 264)]).toEqual([32, "01180300"]);
    const mapped = md5Option("192.0.2.1", "key", "ipv6");
    expect(hex(mapped.value).slice(0, 48)).toBe(
      "0a000000000000000000000000000000000000ff".slice(0, 36) + "ffffc0000201",
    );
    expect(hex(md5Option("2001:db8::1", "key").value).slice(16, 48)).toBe(
      "20010db8000000000000000000000001",
    );
  });

  it("has no key to take it away, and refuses what is no password", () => {
    expect(hex(md5Option("192.0.2.1", undefined).value).slice(260, 264)).toBe("0000");
    expect(() => md5Option("192.0.2.1", "")).toThrow("0 octets");
    expect(() => md5Option("192.0.2.1", "x".repeat(81))).toThrow("81 octets");
    expect(() => md5Option("192.0.2.300", "key")).toThrow("no IP address");
  });

  it("bgp 79: does not say the password in what it can be blamed for", () => {
    expect(JSON.stringify({ ...md5Option("192.0.2.1", "s3cret"), value: 0 })).not.toContain(
      "s3cret",
    );
    expect(() => md5Option("192.0.2.1", "s3cret".repeat(20))).not.toThrow("s3cret");
  });
});

describe("socket addresses", () => {
  it("are the kernel's structures", () => {
    const v4 = encodeSocketAddress({ family: "ipv4", address: "192.0.2.1", port: 179, scope: 0 });
    expect(hex(v4)).toBe("020000b3c00002010000000000000000");
    const where = { family: "ipv6", address: "fe80::1", port: 179, scope: 7 } as const;
    expect(decodeIpv6SocketAddress(encodeSocketAddress(where))).toEqual(where);
  });

  it("are shown without zone, and IPv4 as such", () => {
    expect(plainAddress("fe80::1%eth0")).toBe("fe80::1");
    expect(plainAddress("::ffff:192.0.2.1")).toBe("192.0.2.1");
    expect(plainAddress("::ffff:1")).toBe("::ffff:1");
  });
});
