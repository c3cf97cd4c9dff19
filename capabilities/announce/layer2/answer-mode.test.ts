import { describe, expect, it } from "vitest";
import { answerModeOf, unguardedOf } from "./answer-mode";
import type { AnswerMode } from "./answer-mode";
import type { Link } from "./kernel-state";

const flags = { up: true, carrier: true, broadcast: true, noArp: false, loopback: false };
const ETH0: Link = { index: 2, name: "eth0", mac: "02:00:00:00:00:11", ...flags };
const ETH1: Link = { ...ETH0, index: 3, name: "eth1" };
const IPVS = 9;
const V4 = "172.30.0.240";
const V6 = "fd00:30::240";

type Case = {
  readonly at?: number;
  readonly ignore?: number;
  readonly isRefused?: boolean;
};

function modeOf(address: string, { at, ignore = 0, isRefused = false }: Case): AnswerMode {
  return answerModeOf(address, ETH0, {
    locals: at === undefined ? [] : [{ address, interfaceIndex: at }],
    arp: new Map([["eth0", { ignore, announce: 2 }]]),
    isRefused,
  });
}

describe("answerModeOf", () => {
  it.each<[string, string, Case, AnswerMode]>([
    ["not local", V4, {}, "proxy"],
    ["not local, and the kernel cannot", V4, { isRefused: true }, "packet"],
    ["local as by IPVS, strictARP", V4, { at: IPVS, ignore: 1 }, "packet"],
    ["local as by IPVS, no strictARP: the kernel answers", V4, { at: IPVS }, "local"],
    ["on the link itself", V4, { at: ETH0.index, ignore: 1 }, "local"],
    ["on the link itself, which answers for nothing", V4, { at: ETH0.index, ignore: 8 }, "packet"],
    ["not local", V6, {}, "proxy"],
    ["local as by IPVS: IPv6 proxies all the same", V6, { at: IPVS, ignore: 1 }, "proxy"],
    ["local as by IPVS, and the kernel cannot", V6, { at: IPVS, isRefused: true }, "packet"],
    ["on the link itself", V6, { at: ETH0.index }, "local"],
  ])("%s (%s)", (_, address, input, mode) => {
    expect(modeOf(address, input)).toBe(mode);
  });
});

describe("unguardedOf", () => {
  const locals = [V4, V6].map(address => ({ address, interfaceIndex: IPVS }));

  it("is every link that speaks for a local IPv4 address of another link", () => {
    const strict = { ignore: 1, announce: 2 };
    const arp = new Map([["eth1", strict]]);
    const found = unguardedOf([V4, V6, "172.30.0.241"], [ETH0, ETH1], { locals, arp });
    expect(found).toEqual([{ address: V4, interfaceName: "eth0" }]);
    const all = new Map(["eth0", "eth1"].map(name => [name, strict]));
    expect(unguardedOf([V4], [ETH0, ETH1], { locals, arp: all })).toEqual([]);
  });

  it.each([
    { ignore: 0, announce: 2 },
    { ignore: 1, announce: 1 },
  ])("wants both settings: %o is not enough", settings => {
    const arp = new Map([["eth0", settings]]);
    expect(unguardedOf([V4], [ETH0], { locals, arp })).toHaveLength(1);
  });
});
