import { describe, expect, it } from "vitest";
import type { Link } from "../layer2/kernel-state";
import { BURST_AT_MS, createAnnouncer } from "./burst";

const LINK: Link = {
  index: 2,
  name: "eth0",
  mac: "02:00:00:00:00:11",
  up: true,
  carrier: true,
  broadcast: true,
  noArp: false,
  loopback: false,
  linkLocal: "fe80::11",
};

/** An announcer on a clock of its own; `sent` has [ms, interface, EtherType] of each frame. */
function setUp(fail?: Error, refreshMs = 0) {
  const timers: { at: number; callback: () => void; cancelled: boolean }[] = [];
  const sent: [number, number, string][] = [];
  const errors: unknown[] = [];
  let now = 0;
  const announcer = createAnnouncer({
    send: (index, frame) => {
      if (fail) throw fail;
      sent.push([now, index, Buffer.from(frame).toString("hex", 12, 14)]);
    },
    refreshMs,
    after: (ms, callback) => {
      const timer = { at: now + ms, callback, cancelled: false };
      timers.push(timer);
      return () => (timer.cancelled = true);
    },
    onSent: () => undefined,
    onError: error => errors.push(error),
  });
  const advance = (to: number): void => {
    for (;;) {
      const [timer] = timers
        .filter(t => !t.cancelled && t.at > now && t.at <= to)
        .sort((a, b) => a.at - b.at);
      if (!timer) break;
      now = timer.at;
      timer.cancelled = true;
      timer.callback();
    }
    now = to;
  };
  return { announcer, sent, errors, advance };
}

describe("createAnnouncer", () => {
  it("sends request and reply form at once and at each time of the burst", () => {
    const { announcer, sent, advance } = setUp();
    announcer.start("172.30.0.240", LINK);
    expect(sent).toHaveLength(2);
    advance(10_000);
    expect(sent.filter((_, i) => i % 2 === 0).map(([ms]) => ms)).toEqual(BURST_AT_MS);
    expect(new Set(sent.map(([, , type]) => type))).toEqual(new Set(["0806"]));
  });

  it("announces again, spread over the interval, what stays where it is, and nothing else", () => {
    const { announcer, sent, advance } = setUp(undefined, 60_000);
    const bindings = Array.from({ length: 30 }, (_, i) => ({ address: `10.0.0.${i}`, link: LINK }));
    announcer.refresh(bindings);
    advance(60_500);
    expect(sent).toHaveLength(60);
    expect(new Set(sent.map(([ms]) => ms)).size).toBeGreaterThan(10);
    announcer.refresh(bindings.slice(0, 1));
    advance(120_500);
    expect(sent).toHaveLength(62);
    announcer.stop("10.0.0.0");
    advance(180_500);
    expect(sent).toHaveLength(62);
    announcer.stopAll();
    advance(300_000);
    expect(sent).toHaveLength(62);
  });

  it("never announces again where that is switched off", () => {
    const { announcer, sent, advance } = setUp();
    announcer.refresh([{ address: "172.30.0.240", link: LINK }]);
    advance(1e6);
    expect(sent).toEqual([]);
  });

  it("sends a neighbor advertisement to all nodes and one to all routers for IPv6", () => {
    const { announcer, sent, advance } = setUp();
    announcer.start("fd00::1", LINK);
    advance(10_000);
    const both = BURST_AT_MS.flatMap(ms => [ms, ms]);
    expect(sent.map(([ms, , type]) => [ms, type])).toEqual(both.map(ms => [ms, "86dd"]));
  });

  it("says nothing more once the address is given up", () => {
    const { announcer, sent, advance } = setUp();
    announcer.start("172.30.0.240", LINK);
    announcer.start("172.30.0.241", LINK);
    announcer.stop("172.30.0.240");
    announcer.stopAll();
    advance(10_000);
    expect(sent).toHaveLength(4);
  });

  it("metallb 132: starting the same address again starts over and does not double", () => {
    const { announcer, sent, advance } = setUp();
    announcer.start("172.30.0.240", LINK);
    advance(100);
    announcer.start("172.30.0.240", LINK);
    advance(10_000);
    expect(sent).toHaveLength(2 * (1 + BURST_AT_MS.length));
  });

  it("reports a frame that cannot be sent and goes on", () => {
    const { announcer, errors, advance } = setUp(new Error("ENETDOWN"));
    announcer.start("172.30.0.240", LINK);
    advance(10_000);
    expect(errors).toHaveLength(BURST_AT_MS.length);
  });
});
