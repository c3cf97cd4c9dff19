import { describe, expect, it } from "vitest";
import type { Link } from "../layer2/kernel-state";
import { readSighting } from "../packet/sighting";
import { createConverger, targetsOn } from "./converger";
import type { Surroundings } from "./converger";
import type { Converged } from "./convergence";

const IP = "172.30.0.240";
const V6 = "fd00:30::240";
const LINK = { index: 2, name: "eth0", mac: "02:00:00:00:00:11" } as Link;
const [GATEWAY_MAC, HOST_MAC, NODE_MAC] = [
  "02:00:00:00:00:01",
  "02:00:00:00:00:22",
  "02:00:00:00:00:12",
];
const AROUND: Surroundings = {
  neighbors: [
    { address: "172.30.0.1", mac: GATEWAY_MAC, interfaceIndex: 2 },
    { address: "172.30.0.200", mac: HOST_MAC, interfaceIndex: 2 },
    { address: "172.30.0.12", mac: NODE_MAC, interfaceIndex: 2 },
    { address: "10.0.0.7", mac: HOST_MAC, interfaceIndex: 3 },
    { address: "fe80::22", mac: HOST_MAC, interfaceIndex: 2 },
  ],
  gateways: [
    { address: "172.30.0.1", interfaceIndex: 2 },
    { address: "fe80::1", interfaceIndex: 2 },
  ],
  hosts: new Map([[NODE_MAC, "n2"]]),
};

describe("targetsOn", () => {
  it("the link's gateway and its neighbours of the family, and no nodes", () => {
    const on = { interfaceIndex: 2 };
    expect(targetsOn(LINK, IP, AROUND)).toEqual([
      { ...on, address: "172.30.0.1", mac: GATEWAY_MAC, isGateway: true },
      { ...on, address: "172.30.0.200", mac: HOST_MAC, isGateway: false },
    ]);
    expect(targetsOn(LINK, V6, AROUND)).toEqual([
      { ...on, address: "fe80::1", isGateway: true },
      { ...on, address: "fe80::22", mac: HOST_MAC, isGateway: false },
    ]);
  });

  it("eight neighbours at most, after the gateway", () => {
    const neighbors = Array.from({ length: 50 }, (_, i) => ({
      ...{ address: `172.30.0.${100 + i}`, mac: HOST_MAC, interfaceIndex: 2 },
    }));
    expect(targetsOn(LINK, IP, { ...AROUND, neighbors })).toHaveLength(9);
  });
});

describe("createConverger", () => {
  function setUp() {
    const sent: [string, string][] = [];
    const done: Converged[] = [];
    let now = 1000;
    const converger = createConverger({
      send: (_, frame) => {
        const to = Buffer.from(frame).toString("hex", 0, 6);
        sent.push([to, readSighting(frame)?.address ?? ""]);
      },
      surroundings: () => AROUND,
      now: () => now,
      onDone: result => done.push(result),
      onError: () => undefined,
    });
    return { converger, sent, done, at: (ms: number) => (now = ms) };
  }
  const reply = (address: string, to: string) => ({
    ...({ what: "reply", address, to, mac: GATEWAY_MAC } as const),
  });

  it("asks gateway and neighbours alone, from the address, and ends when they have answered to it", () => {
    const { converger, sent, done, at } = setUp();
    converger.begin(IP, LINK, 990);
    expect([...converger.addresses()]).toEqual(["172.30.0.1", "172.30.0.200"]);
    converger.round(1000);
    expect(sent).toEqual([
      ["020000000001", IP],
      ["020000000022", IP],
    ]);
    at(1005);
    converger.hear(reply("172.30.0.1", "172.30.0.11"), 2);
    converger.hear(reply("172.30.0.1", IP), 2);
    converger.hear(reply("172.30.0.200", IP), 2);
    converger.round(1010);
    expect(done).toEqual([{ address: IP, ms: 15, silent: [] }]);
    expect([...converger.addresses()]).toEqual([]);
  });

  it("asks a host whose hardware address is unknown by its group, and stops with the address", () => {
    const { converger, sent } = setUp();
    converger.begin(V6, LINK, 990);
    converger.round(1000);
    expect(sent.map(([to]) => to)).toEqual(["3333ff000001", "020000000022"]);
    converger.stop(V6);
    converger.round(2000);
    expect(sent).toHaveLength(2);
  });
});
