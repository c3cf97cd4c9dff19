import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAddress } from "../../../config/address";
import { addressBytes } from "../../address-bytes";
import { BROADCAST_MAC, encodeFrame, formatMac, parseMac } from "../../packet/ethernet";
import { gratuitousArpReply, gratuitousArpRequest } from "../../packet/arp";
import { encodeIcmpv6, unsolicitedAdvertisement } from "../../packet/ndp";
import { answeredAddress, queryFrame } from "../../packet/query";
import { answerFrame } from "./answer";
import { readQuestion } from "./question";
import type { Question } from "./question";

const V4 = "172.30.0.240";
const V6 = "fd00:30::240";
const ASKER = parseMac("02:00:00:00:00:22")!;
const OWN = parseMac("02:00:00:00:00:11")!;
const ip = (text: string) => parseAddress(text)!;
const bytes = (text: string): Buffer => addressBytes(ip(text));

const ARP_REQUEST = queryFrame(ip(V4), { mac: ASKER, source: ip("172.30.0.22") });
const SOLICITATION = queryFrame(ip(V6), { mac: ASKER, source: ip("fe80::22") });

/** A solicitation as a test wants it: the parts in the order of the wire. */
function solicit(parts: { from: string; to: string; options?: Buffer; target?: string }): Buffer {
  const head = Buffer.from([135, 0, 0, 0, 0, 0, 0, 0]);
  const message = Buffer.concat([
    head,
    bytes(parts.target ?? V6),
    parts.options ?? Buffer.alloc(0),
  ]);
  const packet = encodeIcmpv6(bytes(parts.from), bytes(parts.to), message);
  return encodeFrame({ destination: BROADCAST_MAC, source: ASKER, type: 0x86dd }, packet);
}

const GROUP = "ff02::1:ff00:240";
const DAD = solicit({ from: "::", to: GROUP });
const MAC_OPTION = Buffer.from([1, 1, ...ASKER]);

/** The frame with other bytes at a place. */
function patched(frame: Uint8Array, at: number, ...values: readonly number[]): Buffer {
  const copy = Buffer.from(frame);
  copy.set(values, at);
  return copy;
}

describe("readQuestion", () => {
  it("reads ARP requests, probes, solicitations and those of duplicate address detection", () => {
    expect(readQuestion(ARP_REQUEST)).toEqual({
      family: "ipv4",
      target: V4,
      asker: ip("172.30.0.22"),
      askerMac: Uint8Array.from(ASKER),
    });
    expect(readQuestion(patched(ARP_REQUEST, 28, 0, 0, 0, 0))?.asker).toBeUndefined();
    expect(readQuestion(SOLICITATION)).toMatchObject({ target: V6, asker: ip("fe80::22") });
    expect(readQuestion(DAD)).toMatchObject({ target: V6, asker: undefined });
  });

  it("answers go to the option's hardware address, or where the frame came from", () => {
    const other = Buffer.from([1, 1, 2, 0, 0, 0, 0, 0x99]);
    const macOf = (frame: Buffer): string => formatMac(readQuestion(frame)!.askerMac);
    expect(macOf(solicit({ from: "fe80::22", to: V6, options: other }))).toBe("02:00:00:00:00:99");
    expect(macOf(solicit({ from: "fe80::22", to: V6 }))).toBe("02:00:00:00:00:22");
  });

  it.each([
    ["metallb 131: an ARP reply", patched(ARP_REQUEST, 21, 2)],
    ["an announcement", gratuitousArpRequest(ip(V4), ASKER)],
    ["an announcement by a reply", gratuitousArpReply(ip(V4), ASKER)],
    ["ARP for another network", patched(ARP_REQUEST, 15, 6)],
    ["ARP whose sender is a group", patched(ARP_REQUEST, 22, 0xff)],
    ["ARP that is cut off", ARP_REQUEST.subarray(0, 41)],
    ["an advertisement", unsolicitedAdvertisement(ip(V6), ASKER, ip("fe80::22"))],
    ["a hop limit below 255: it was forwarded", patched(SOLICITATION, 21, 254)],
    ["a wrong checksum", patched(SOLICITATION, 56, 1, 2)],
    ["another code", patched(SOLICITATION, 55, 1)],
    ["another IP version", patched(SOLICITATION, 14, 0x40)],
    ["a payload longer than the frame", patched(SOLICITATION, 18, 1, 0)],
    ["a target that is a group", solicit({ from: "fe80::22", to: GROUP, target: "ff02::1" })],
    ["a sender that is a group", solicit({ from: "ff02::9", to: GROUP })],
    ["DAD with a hardware address", solicit({ from: "::", to: GROUP, options: MAC_OPTION })],
    ["DAD to a single host", solicit({ from: "::", to: V6 })],
    ["an option without length", solicit({ from: "fe80::22", to: V6, options: Buffer.alloc(8) })],
    [
      "an option beyond the end",
      solicit({ from: "fe80::22", to: V6, options: Buffer.from([1, 2, 0, 0, 0, 0, 0, 0]) }),
    ],
    ["no Ethernet type of ours", patched(ARP_REQUEST, 12, 8, 0)],
    ["nothing", Buffer.alloc(0)],
  ])("takes no notice of %s", (_, frame) => {
    expect(readQuestion(frame)).toBeUndefined();
  });

  /** More runs by ANCHO_FUZZ_RUNS; a crash here would be a crash of the announcer. */
  const numRuns = Number(process.env["ANCHO_FUZZ_RUNS"] ?? 20_000);

  it("any frame is read or not, and what is read can be answered", () => {
    const frames = fc.constantFrom(ARP_REQUEST, SOLICITATION, DAD);
    const mutation = fc.tuple(fc.nat(90), fc.nat(255));
    const mutated = fc
      .tuple(frames, fc.array(mutation, { maxLength: 4 }), fc.nat(100))
      .map(([frame, mutations, length]) => {
        const copy = Buffer.from(frame);
        for (const [at, value] of mutations) if (at < copy.length) copy[at] = value;
        return copy.subarray(0, Math.max(length, 30));
      });
    const anything = fc.uint8Array({ maxLength: 128 }).map(array => Buffer.from(array));
    fc.assert(
      fc.property(fc.oneof({ arbitrary: mutated, weight: 4 }, anything), frame => {
        const question = readQuestion(frame);
        if (question) {
          const answer = answerFrame(question, { mac: OWN, isLocal: true });
          expect(answeredAddress(answer)).toBe(question.target);
        }
      }),
      { numRuns },
    );
  });
});

describe("answerFrame", () => {
  const asked = (frame: Uint8Array): Question => readQuestion(frame)!;

  it("metallb 131: is an ARP reply to who asked, with the interface's MAC address", () => {
    const frame = answerFrame(asked(ARP_REQUEST), { mac: OWN, isLocal: true });
    expect(frame.toString("hex")).toBe(
      "020000000022" +
        "020000000011" +
        "0806" +
        "0001080006040002" +
        ("020000000011" + "ac1e00f0" + "020000000022" + "ac1e0016"),
    );
  });

  it("is solicited to who asked, and unsolicited to all nodes for duplicate address detection", () => {
    const flags = (frame: Buffer): number => frame.readUInt8(58);
    const one = answerFrame(asked(SOLICITATION), { mac: OWN, isLocal: true });
    expect(flags(one)).toBe(0x60);
    expect(one.subarray(38, 54)).toEqual(bytes("fe80::22"));
    const all = answerFrame(asked(DAD), { mac: OWN, isLocal: true });
    expect(flags(all)).toBe(0x20);
    expect(all.subarray(38, 54)).toEqual(bytes("ff02::1"));
    expect(formatMac(all.subarray(0, 6))).toBe("33:33:00:00:00:01");
    expect(one.readUInt8(21)).toBe(255);
  });

  it("for a proxied address, does not override, and comes from the node's own address", () => {
    const proxied = { mac: OWN, isLocal: false, linkLocal: "fe80::11" };
    const frame = answerFrame(asked(SOLICITATION), proxied);
    expect(frame.readUInt8(58)).toBe(0x40);
    expect(frame.subarray(22, 38)).toEqual(bytes("fe80::11"));
    expect(answeredAddress(frame)).toBe(V6);
  });
});
