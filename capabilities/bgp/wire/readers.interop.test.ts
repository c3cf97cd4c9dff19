import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { canonical, octetsIn, plainOf } from "../../../hack/interop/readers/plain";
import type { Plain } from "../../../hack/interop/readers/plain";
import { capturedMessages } from "../../../hack/interop/readers/captures";
import { gobgp, scapy } from "../../../hack/interop/readers/readers";
import type { Reader } from "../../../hack/interop/readers/readers";
import { dissect } from "../../../hack/interop/readers/tshark";
import { FIELDS, fieldsOf } from "../../../hack/interop/readers/tshark-fields";
import { quietTask } from "../../../hack/lab/context";
import { ensurePackages } from "../../../hack/lab/packages";
import { anyMessage, anyUpdate } from "./arbitraries";
import { fromHex, toHex } from "./hex";
import { decodeMessage, encodeMessage, readFrame } from "./message";
import type { Message } from "./message";

/** More of each from the environment: ANCHO_READ_MESSAGES. */
const COUNT = Number(process.env.ANCHO_READ_MESSAGES ?? 300);
const SEED = 4_271;
/** Within an AS, so that all attributes are read. */
const CONTEXT = { fourOctetAs: true, isInternal: true };
/** Codes that no reader has a meaning of its own for. */
const FREE = 200;
const LONGEST_OF_SHORT_OPEN = 29 + 255;
/** Whose messages there are. */
const CORPORA = ["ours", "Scapy", "GoBGP", "routers"] as const;

/**
 * Programs that share no line with our codec, about messages of ours, of theirs, of each other's, and of those that BIRD,
 * OpenBGPD and Quagga once sent.
 */
describe("independent readers of BGP messages", { timeout: 600_000 }, () => {
  const readers = new Map<string, Reader>();
  const corpora = new Map<string, readonly string[]>();
  /** Of the routers', what we do not read. */
  let refused: readonly string[];

  beforeAll(async () => {
    await ensurePackages(quietTask(), ["tshark"]);
    readers.set("Scapy", await scapy()).set("GoBGP", await gobgp());
    const captured = await capturedMessages();
    corpora.set("ours", oursAtRandom()).set("routers", captured.filter(isWhole));
    refused = captured.filter(hex => !isWhole(hex));
    for (const [name, reader] of readers) corpora.set(name, await reader.write(COUNT, SEED));
  });

  it.each(CORPORA)("are all understood here, and written the same: %s", name => {
    for (const hex of corpora.get(name)!) {
      const message = read(hex);
      expect(message.type === "update" ? message.faults : []).toEqual([]);
      // What comes in another order than ours is the same message still.
      expect(read(toHex(encodeMessage(message, CONTEXT)))).toEqual(message);
    }
    expect(corpora.get(name)!.length).toBeGreaterThanOrEqual(name === "routers" ? 30 : COUNT);
  });

  it("are refused by GoBGP, too, where they have path identifiers (RFC 7911) that nobody here asked for", async () => {
    const theirs = await readers.get("GoBGP")!.read(refused);
    for (const { error } of theirs) expect(error).toMatch(/^network (bit length|bytes)/);
    expect(theirs.length).toBeLessThan(10);
  });

  describe.each([
    ["Scapy", isForScapy],
    ["GoBGP", isForAll],
  ] as const)("%s", (reader, isFor) => {
    it.each(CORPORA)("reads what we read in messages of %s", async name => {
      const messages = corpora.get(name)!.filter(hex => isFor(read(hex)));
      const theirs = await readers.get(reader)!.read(messages);
      compare(messages, theirs);
      expect(messages.length).toBeGreaterThan(corpora.get(name)!.length / 2);
    });
  });

  it.each(CORPORA)("tshark reads what we read in messages of %s", async name => {
    const messages = corpora.get(name)!.filter(hex => isForTshark(read(hex)));
    const theirs = await dissect(messages, FIELDS);
    expect(theirs).toHaveLength(messages.length);
    messages.forEach((hex, at) => {
      const expected = { isMalformed: false, fields: fieldsOf(read(hex)) };
      expect({ hex, ...theirs[at] }).toEqual({ hex, ...expected });
    });
    expect(messages.length).toBeGreaterThan(corpora.get(name)!.length / 2);
  });
});

function oursAtRandom(): readonly string[] {
  const any = fc
    .oneof(anyMessage, anyUpdate(CONTEXT))
    .filter(isForOthers)
    .map(withRouteTargets)
    .map(message => encodeMessage(message, CONTEXT));
  return fc.sample(any, { numRuns: COUNT, seed: SEED }).map(toHex);
}

function isWhole(hex: string): boolean {
  try {
    const message = read(hex);
    return message.type !== "update" || message.faults.length === 0;
  } catch {
    return false;
  }
}

function read(hex: string): Message {
  const frame = readFrame(fromHex(hex));
  if (!frame.ok || !frame.value) throw new Error(`no message: ${hex}`);
  const message = decodeMessage(frame.value, CONTEXT);
  if (!message.ok) throw new Error(`${message.error.reason}: ${hex}`);
  return message.value;
}

function compare(messages: readonly string[], theirs: readonly Plain[]): void {
  expect(theirs).toHaveLength(messages.length);
  messages.forEach((hex, at) => {
    const plain = theirs[at]!;
    expect(plain.error, hex).toBeUndefined();
    expect({ hex, ...canonical(plain) }).toEqual({ hex, ...plainOf(read(hex), octetsIn(plain)) });
  });
}

/** GoBGP knows extended communities that steer traffic, and writes them as it understands them. */
function withRouteTargets(message: Message): Message {
  if (message.type !== "update" || !message.attributes.extendedCommunities) return message;
  const targets = message.attributes.extendedCommunities.map(hex => `0002${hex.slice(4)}`);
  return { ...message, attributes: { ...message.attributes, extendedCommunities: targets } };
}

/** Without numbers that mean something elsewhere, filled with what it cannot be, and without empty lists. */
function isForOthers(message: Message): boolean {
  if (message.type === "open") {
    return message.capabilities.every(
      one =>
        (one.kind !== "unknown" || one.code >= FREE) &&
        (!("families" in one) || one.families.length > 0),
    );
  }
  if (message.type !== "update") return true;
  const { unknown = [] } = message.attributes;
  return isRouted(message) && unknown.every(({ code }) => code >= FREE);
}

/** Of the families that we have: of others we keep the octets, and others more. */
function isRouted(message: Message): boolean {
  if (message.type !== "update") return true;
  const { reach, unreach } = message.attributes;
  return [reach, unreach].every(one => !one || "family" in one);
}

/** Of what all readers know: RFC 9072 is younger than they are. */
function isForAll(message: Message): boolean {
  if (!isRouted(message)) return false;
  return message.type !== "open" || encodeMessage(message).length <= LONGEST_OF_SHORT_OPEN;
}

/** Scapy and tshark take a default route beside others for one with a path identifier (RFC 7911). */
function isUnambiguous(message: Message): boolean {
  if (message.type !== "update" || !isRouted(message)) return isForAll(message);
  const { reach, unreach } = message.attributes;
  const lists = [message.withdrawn, message.announced, prefixesOf(reach), prefixesOf(unreach)];
  return !lists.some(list => list.length > 1 && list.some(prefix => prefix.endsWith("/0")));
}

/** Scapy takes what follows graceful restart in one parameter for a part of it. */
function isForScapy(message: Message): boolean {
  const hasRestart =
    message.type === "open" && message.capabilities.some(one => one.kind === "gracefulRestart");
  return isUnambiguous(message) && !hasRestart;
}

/** tshark looks for capabilities, AS numbers and texts in what some NOTIFICATIONs carry, which is random here. */
function isForTshark(message: Message): boolean {
  const hasMeaning =
    message.type === "notification" && message.data.length > 0 && [2, 6].includes(message.code);
  return isUnambiguous(message) && !hasMeaning;
}

const prefixesOf = (one: object | undefined): readonly string[] =>
  one && "prefixes" in one ? (one.prefixes as readonly string[]) : [];
