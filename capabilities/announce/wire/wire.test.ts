import { describe, expect, it } from "vitest";
import { parseAddress } from "../../config/address";
import type { Link } from "../layer2/kernel-state";
import { gratuitousArpReply } from "../packet/arp";
import { parseMac } from "../packet/ethernet";
import type { HeardFrame } from "../packet/packet-socket";
import { probeFrame } from "../packet/probe";
import { readSighting } from "../packet/sighting";
import type { WireDuty } from "./duties";
import { createWire } from "./wire";

const IP = "172.30.0.240";
const LINK = {
  ...{ index: 2, name: "eth0", mac: "02:00:00:00:00:11" },
  ...{ ipv4: "172.30.0.11", linkLocal: "fe80::11" },
} as Link;
const FIRST: WireDuty = { interfaces: "all", isFirstUse: true, isShared: false };
const IN_USE: WireDuty = { ...FIRST, isFirstUse: false };
const STRANGER = "02:00:00:00:00:99";
const NODE = "02:00:00:00:00:12";

const claim = (mac: string, interfaceIndex = 2): HeardFrame => ({
  bytes: gratuitousArpReply(parseAddress(IP)!, parseMac(mac)!),
  interfaceIndex,
});

/** A wire whose LAN and clock the test holds. */
function setUp() {
  const heard: HeardFrame[] = [];
  const sent: string[] = [];
  const ear = { wants: [] as string[], heard: [] as string[] };
  const seen = { open: 0, filters: 0, changes: 0, defences: 0, errors: 0, isDeaf: false };
  let now = 0;
  let timer: { at: number; callback: () => void } | undefined;
  const wire = createWire({
    openSocket: () => {
      if (seen.isDeaf) throw new Error("no capability");
      seen.open += 1;
      return {
        receive: () => heard.shift(),
        filter: () => (seen.filters += 1),
        close: () => (seen.open -= 1),
      };
    },
    send: (_, frame) => sent.push(readSighting(frame)?.what ?? "other"),
    links: () => [LINK],
    isOfCluster: mac => mac === NODE || mac === LINK.mac,
    times: { probes: 3, probeIntervalMs: 150, recheckMs: 10_000 },
    ears: [
      {
        addresses: () => ear.wants,
        hear: ({ address }) => ear.heard.push(address),
        round: () => undefined,
      },
    ],
    now: () => now,
    after: (ms, callback) => {
      timer = { at: now + ms, callback };
      return () => (timer = undefined);
    },
    onChange: () => (seen.changes += 1),
    onDefence: () => (seen.defences += 1),
    onError: () => (seen.errors += 1),
  });
  const advance = (to: number): void => {
    while (timer && timer.at <= to) {
      const { at, callback } = timer;
      [now, timer] = [at, undefined];
      callback();
    }
    now = to;
  };
  const watch = (duty?: WireDuty): void => {
    wire.lookAfter(new Map(duty ? [[IP, duty]] : []));
  };
  return { wire, ear, heard, sent, seen, advance, watch, isTicking: () => timer !== undefined };
}

describe("createWire", () => {
  it("asks at once for what is used first, by probe and by question, and says when it is free", () => {
    const { wire, sent, seen, advance, watch } = setUp();
    watch(FIRST);
    expect(sent).toEqual(["probe", "request"]);
    expect(wire.isWithheld(IP)).toBe(true);
    advance(449);
    expect([sent.length, wire.isWithheld(IP)]).toEqual([6, true]);
    const before = seen.changes;
    advance(450);
    expect([wire.isWithheld(IP), seen.changes]).toEqual([false, before + 1]);
  });

  it("a stranger's answer keeps it back; one by a node of the cluster, or on another LAN, does not", () => {
    const { wire, heard, advance, watch } = setUp();
    watch(FIRST);
    heard.push(claim(NODE), claim(STRANGER, 3));
    advance(100);
    expect(wire.conflicts().size).toBe(0);
    heard.push(claim(STRANGER));
    advance(200);
    expect([...wire.conflicts()]).toEqual([
      [IP, { mac: STRANGER, interface: "eth0", isInUse: false }],
    ]);
    advance(5000);
    expect(wire.isWithheld(IP)).toBe(true);
  });

  it("tells of a stranger within a tenth of a second, once, and defends by both forms", () => {
    const { heard, sent, seen, advance, watch } = setUp();
    watch(IN_USE);
    const before = seen.changes;
    heard.push(claim(STRANGER), claim(STRANGER));
    advance(100);
    expect(seen).toMatchObject({ changes: before + 1, defences: 1 });
    expect(sent.slice(0, 2)).toEqual(["request", "reply"]);
    heard.push(claim(STRANGER));
    advance(300);
    expect(seen).toMatchObject({ changes: before + 1, defences: 1 });
  });

  it("answers a probe for what is in use, to the asker alone", () => {
    const { wire, heard, sent, advance, watch } = setUp();
    watch(IN_USE);
    heard.push({ bytes: probeFrame(parseAddress(IP)!, parseMac(STRANGER)!), interfaceIndex: 2 });
    advance(100);
    expect([sent, wire.conflicts().size]).toEqual([["reply"], 0]);
  });

  it("judges nothing while another node answers as well", () => {
    const { wire, heard, advance, watch } = setUp();
    watch({ ...IN_USE, isShared: true });
    heard.push(claim(STRANGER));
    advance(200);
    expect(wire.conflicts().size).toBe(0);
  });

  it("asks for other frames when the addresses are others, and hears nothing without any", () => {
    const { wire, seen, watch, isTicking } = setUp();
    watch(IN_USE);
    expect(seen).toMatchObject({ open: 1, filters: 0 });
    wire.lookAfter(
      new Map([
        [IP, IN_USE],
        ["172.30.0.241", FIRST],
      ]),
    );
    expect(seen.filters).toBe(1);
    watch();
    expect([seen.open, isTicking()]).toEqual([0, false]);
  });

  it("others may listen by the same socket, also where there is nothing to look after", () => {
    const { wire, ear, heard, seen, advance, isTicking } = setUp();
    ear.wants = [IP];
    wire.wake();
    heard.push(claim(STRANGER));
    advance(200);
    expect([ear.heard, wire.conflicts().size, seen.open]).toEqual([[IP], 0, 1]);
    ear.wants = [];
    wire.wake();
    expect([seen.open, isTicking()]).toEqual([0, false]);
  });

  it("noise has no effect", () => {
    const { wire, heard, advance, watch } = setUp();
    watch(IN_USE);
    heard.push({ bytes: Buffer.from("noise"), interfaceIndex: 2 });
    advance(200);
    expect(wire.conflicts().size).toBe(0);
  });

  it("where it cannot hear, addresses are answered for all the same", () => {
    const { wire, seen, advance, watch } = setUp();
    seen.isDeaf = true;
    watch(FIRST);
    advance(1000);
    expect(wire.isWithheld(IP)).toBe(false);
    expect(seen.errors).toBeGreaterThan(0);
  });
});
