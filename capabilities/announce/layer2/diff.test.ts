import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { diffKernel } from "./diff";
import { DEVICE } from "./kernel-state";
import type { KernelOp, KernelState, Link, ProxyEntry } from "./kernel-state";

const DEVICE_INDEX = 99;

function device(over: Partial<Link> = {}): Link {
  const flags = { up: true, carrier: false, broadcast: true, noArp: true, loopback: false };
  return { index: DEVICE_INDEX, name: DEVICE, mac: "", ...flags, ...over };
}

/** What the kernel does with an operation; throws where the kernel would refuse. */
// One case per operation: a table of what the kernel does, not a tangle.
// eslint-disable-next-line complexity
function applyOp(state: KernelState, op: KernelOp): KernelState {
  const hasDevice = state.links.some(({ name }) => name === DEVICE);
  switch (op.op) {
    case "add-device":
      if (hasDevice) throw new Error("EEXIST");
      return { ...state, links: [...state.links, device()] };
    case "set-device-flags":
      return { ...state, links: state.links.map(l => (l.name === DEVICE ? device() : l)) };
    case "remove-device":
      return { ...state, routes: [], links: state.links.filter(({ name }) => name !== DEVICE) };
    case "add-route":
      if (!state.links.some(l => l.name === DEVICE && l.up)) throw new Error("ENETDOWN");
      return { ...state, routes: [...state.routes, op.address] };
    case "note":
      throw new Error("no difference is a note");
    case "remove-route":
      return { ...state, routes: state.routes.filter(address => address !== op.address) };
    case "add-proxy": {
      if (!state.routes.includes(op.address)) throw new Error("answered before it is routed");
      const { address, interfaceIndex } = op;
      return { ...state, proxies: [...state.proxies, { address, interfaceIndex }] };
    }
    case "remove-proxy": {
      const isOther = (e: ProxyEntry): boolean =>
        e.address !== op.address || e.interfaceIndex !== op.interfaceIndex;
      return { ...state, proxies: state.proxies.filter(isOther) };
    }
  }
}

const entry = fc.record({
  address: fc.constantFrom("10.0.0.1", "10.0.0.2", "fd00::1", "fd00::2"),
  interfaceIndex: fc.integer({ min: 2, max: 4 }),
});
const entries = fc.uniqueArray(entry, { selector: e => `${e.address}%${e.interfaceIndex}` });
const kernel: fc.Arbitrary<KernelState> = fc
  .record({
    link: fc.constantFrom([], [device()], [device({ up: false })], [device({ noArp: false })]),
    proxies: entries,
    routes: fc.uniqueArray(fc.constantFrom("10.0.0.1", "10.0.0.2", "fd00::1")),
  })
  .map(({ link, proxies, routes }) => ({
    links: link,
    proxies,
    routes: link.some(({ up }) => up) ? routes : [],
    locals: [],
  }));

describe("diffKernel", () => {
  it("leads from any state to the desired one, never answering for what is not routed", () => {
    fc.assert(
      fc.property(kernel, entries, (actual, proxies) => {
        const end = diffKernel({ proxies }, actual).reduce(applyOp, actual);
        expect(new Set(end.proxies.map(e => JSON.stringify(e)))).toEqual(
          new Set(proxies.map(e => JSON.stringify(e))),
        );
        expect(new Set(end.routes)).toEqual(new Set(proxies.map(({ address }) => address)));
        expect(end.links.some(({ name }) => name === DEVICE)).toBe(proxies.length > 0);
        expect(diffKernel({ proxies }, end)).toEqual([]);
      }),
    );
  });

  it("touches nothing that stays", () => {
    const kept = { address: "10.0.0.1", interfaceIndex: 2 };
    const added = { address: "10.0.0.2", interfaceIndex: 2 };
    const actual = { links: [device()], proxies: [kept], routes: ["10.0.0.1"], locals: [] };
    expect(diffKernel({ proxies: [kept, added] }, actual)).toEqual([
      { op: "add-route", address: "10.0.0.2" },
      { op: "add-proxy", ...added },
    ]);
  });

  it("removes the entry before its route, and the device last", () => {
    const proxies = [{ address: "10.0.0.1", interfaceIndex: 2 }];
    const actual = { links: [device()], proxies, routes: ["10.0.0.1"], locals: [] };
    expect(diffKernel({ proxies: [] }, actual).map(({ op }) => op)).toEqual([
      "remove-proxy",
      "remove-route",
      "remove-device",
    ]);
  });
});
