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
function setUp(fail?: Error) {
  const timers: { at: number; callback: () => void; cancelled: boolean }[] = [];
  const sent: [number, number, string][] = [];
  const errors: unknown[] = [];
  let now = 0;
  const announcer = createAnnouncer({
    send: (index, frame) => {
      if (fail) throw fail;
      sent.push([now, index, Buffer.from(frame).toString("hex", 12, 14)]);
    },
    after: (ms, callback) => {
      const timer = { at: now + ms, callback, cancelled: false };
      timers.push(timer);
      return () => (timer.cancelled = true);
    },
    onSent: () => undefined,
    onError: error => errors.push(error),
  });
  const advance = (to: number): void => {
    const due = timers.filter(t => !t.cancelled && t.at > now && t.at <= to);
    for (const timer of due.sort((a, b) => a.at - b.at)) {
      now = timer.at;
      if (!timer.cancelled) timer.callback();
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

  it("sends one neighbor advertisement each for IPv6", () => {
    const { announcer, sent, advance } = setUp();
    announcer.start("fd00::1", LINK);
    advance(10_000);
    expect(sent.map(([ms, , type]) => [ms, type])).toEqual(BURST_AT_MS.map(ms => [ms, "86dd"]));
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
