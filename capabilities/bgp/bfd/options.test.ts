import { describe, expect, it } from "vitest";
import { minimumTtlOf, pathKey, sessionSettings } from "./options";
import type { BfdTimers } from "./options";

describe("options of a BFD session", () => {
  it("are 300 ms three times without authentication where nothing is said", () => {
    expect(sessionSettings({})).toEqual({
      desiredMinTx: 300_000,
      requiredMinRx: 300_000,
      detectMultiplier: 3,
      isPassive: false,
      echoTx: 0,
      requiredMinEchoRx: 0,
    });
  });

  it.each<[BfdTimers, string]>([
    [{ transmitInterval: 0 }, "transmitInterval 0 is not from 1 to 4294967"],
    [{ receiveInterval: 4_294_968 }, "receiveInterval 4294968 is not from 1 to 4294967"],
    [{ transmitInterval: NaN }, "transmitInterval NaN is not from 1 to 4294967"],
    [{ echoReceiveInterval: -1 }, "echoReceiveInterval -1 is not from 0 to 4294967"],
    [{ echoTransmitInterval: NaN }, "echoTransmitInterval NaN is not from 0 to 4294967"],
    [{ detectMultiplier: 256 }, "detectMultiplier 256 is not from 1 to 255"],
    [{ authentication: { kind: "keyedSha1", keys: [] } }, "authentication has no key"],
    [
      { authentication: { kind: "keyedMd5", keys: [{ id: 1, secret: "x".repeat(17) }] } },
      "authentication: length of key 1 17 is not from 1 to 16",
    ],
    [
      { authentication: { kind: "keyedSha1", keys: [{ id: 256, secret: "x" }] } },
      "authentication: key id 256 is not from 0 to 255",
    ],
  ])("%j is refused in words", (timers, message) => {
    expect(() => sessionSettings(timers)).toThrow(new RangeError(message));
  });

  it("bgp 87: the TTL is 255 on a link, and can be chosen only for several hops", () => {
    expect(minimumTtlOf({ address: "10.0.0.1", minimumTtl: 10 })).toBe(255);
    expect(minimumTtlOf({ address: "10.0.0.1", isMultihop: true })).toBe(254);
    expect(minimumTtlOf({ address: "10.0.0.1", isMultihop: true, minimumTtl: 10 })).toBe(10);
    const wrong = { address: "10.0.0.1", minimumTtl: 0 };
    expect(() => minimumTtlOf(wrong)).toThrow("minimumTtl 0 is not from 1 to 255");
  });

  it("have one session for a neighbor, device and kind of path", () => {
    const address = "fe80::1";
    const keys = [
      pathKey({ address }),
      pathKey({ address, device: "eth0" }),
      pathKey({ address, device: "eth0", isMultihop: true }),
    ];
    expect(new Set(keys).size).toBe(3);
    expect(pathKey({ address, minimumTtl: 7, localAddress: "fe80::2" })).toBe(keys[0]);
  });
});
