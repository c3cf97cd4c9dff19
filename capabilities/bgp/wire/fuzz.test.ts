import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyMessage, anyUpdate } from "./arbitraries";
import { concat } from "./bytes";
import { toHex } from "./hex";
import { decodeMessage, encodeMessage, header, HEADER_LENGTH, readFrame } from "./message";
import { CLASSES, encodeRaw, MUTATIONS, parseRaw } from "./mutations";
import type { FaultClass, Pick, RawUpdate } from "./mutations";
import { decodeUpdate, encodeUpdate } from "./update";

/** More of each from the environment: ANCHO_FUZZ_MESSAGES. */
const COUNT = Number(process.env.ANCHO_FUZZ_MESSAGES ?? 20_000);
const SEED = Number(process.env.ANCHO_FUZZ_SEED ?? 7_606);
const CONTEXTS = [true, false].flatMap(fourOctetAs =>
  [true, false].map(isInternal => ({ fourOctetAs, isInternal })),
);
const INTERNAL = { fourOctetAs: true, isInternal: true };
/** The codes of RFC 4271 section 6 that a message of a type can be refused with. */
const CODES: Readonly<Record<number, number>> = { 1: 2, 2: 3, 5: 7 };

/** The decoder against what no speaker sends: COUNT messages broken at random, and COUNT in known ways. */
describe("messages that were broken", { timeout: 14_400_000 }, () => {
  it("are refused or read, and nothing is thrown; what is read is no larger than what came", () => {
    const random = randomFrom(SEED);
    const corpus = fc.sample(fc.oneof(anyMessage, anyUpdate(INTERNAL)), {
      numRuns: 500,
      seed: SEED,
    });
    const messages = corpus.map(one => encodeMessage(one, INTERNAL));
    const outcomes = { refused: 0, faulty: 0, read: 0 };
    let slowest = 0;
    for (let at = 0; at < COUNT; at++) {
      const bytes = breakMessage(messages[random(messages.length)]!, messages, random);
      const begin = performance.now();
      const outcome = outcomeOf(bytes, CONTEXTS[at % CONTEXTS.length]!);
      slowest = Math.max(slowest, performance.now() - begin);
      outcomes[outcome]++;
    }
    expect(Math.min(...Object.values(outcomes))).toBeGreaterThan(COUNT / 100);
    tell({ ...outcomes, slowestMs: slowest });
  });

  it("bgp 59, 60: in known ways have the class of RFC 7606, the strongest of several", () => {
    const random = randomFrom(SEED + 1);
    const corpus = fc.sample(anyUpdate(INTERNAL), { numRuns: 500, seed: SEED });
    const updates = corpus.map(one => parseRaw(encodeUpdate(one, INTERNAL)));
    const ways = Object.entries(MUTATIONS);
    const seen = new Map<string, number>();
    for (let at = 0; at < COUNT; at++) {
      const { update, names, is } = breakKnowingly(updates[random(updates.length)]!, ways, random);
      const expected = is === "withdraw" && !reaches(update) ? "reset" : is;
      const body = encodeRaw(update);
      if (classOf(body) !== expected) {
        expect({ names, hex: toHex(body), is: classOf(body) }).toEqual({ names, is: expected });
      }
      names.forEach(name => seen.set(name, (seen.get(name) ?? 0) + 1));
    }
    expect([...seen.keys()].sort()).toEqual(ways.map(([name]) => name).sort());
    tell(Object.fromEntries(seen));
  });
});

/** Decodes, and checks what must hold of every answer. */
function outcomeOf(
  bytes: Uint8Array,
  context: (typeof CONTEXTS)[number],
): "refused" | "faulty" | "read" {
  const frame = readFrame(bytes);
  if (!frame.ok) {
    if (frame.error.code !== 1) expect(frame.error).toBe(toHex(bytes));
    return "refused";
  }
  if (!frame.value) return "refused";
  const result = decodeMessage(frame.value, context);
  if (!result.ok) {
    if (result.error.code !== CODES[frame.value.type]) expect(result.error).toBe(toHex(bytes));
    return "refused";
  }
  if (result.value.type !== "update") return "read";
  const { withdrawn, announced, faults } = result.value;
  const most = bytes.length - HEADER_LENGTH;
  if (withdrawn.length + announced.length + faults.length > most) expect(faults).toBe(toHex(bytes));
  return faults.length > 0 ? "faulty" : "read";
}

/** A copy with some octets changed, left out, repeated or taken from another message, mostly of the right length. */
function breakMessage(
  message: Uint8Array,
  others: readonly Uint8Array[],
  random: Pick,
): Uint8Array {
  let body = message.slice(HEADER_LENGTH);
  for (let changes = 1 + random(6); changes > 0; changes--) {
    const at = random(body.length + 1);
    const end = Math.min(body.length, at + random(16));
    const way = random(6);
    if (way === 0) body = concat(body.subarray(0, at), body.subarray(end));
    else if (way === 1) body = concat(body.subarray(0, end), body.subarray(at));
    else if (way === 2) {
      const other = others[random(others.length)]!;
      body = concat(body.subarray(0, at), other.subarray(HEADER_LENGTH + random(other.length)));
    } else if (at < body.length) {
      body[at] =
        way === 3
          ? random(256)
          : way === 4
            ? [0, 1, 127, 128, 255][random(5)]!
            : body[at]! ^ (1 << random(8));
    }
  }
  body = body.subarray(0, 4_077);
  const type = random(50) === 0 ? random(256) : message[18]!;
  const length = HEADER_LENGTH + body.length + (random(50) === 0 ? random(9) - 4 : 0);
  return concat(header(type, length), body);
}

/** One to three ways at once, each on something that no other one has touched. */
function breakKnowingly(
  from: RawUpdate,
  ways: readonly (readonly [string, (typeof MUTATIONS)[string]])[],
  random: Pick,
): { readonly update: RawUpdate; readonly names: readonly string[]; readonly is: FaultClass } {
  let update = from;
  let worst = 0;
  const names: string[] = [];
  const isUntouched = (changed: RawUpdate): boolean =>
    from.attributes.filter(one => !changed.attributes.includes(one)).length >=
    from.attributes.filter(one => !update.attributes.includes(one)).length + 1;
  for (let left = 1 + random(3); left > 0; left--) {
    const [name, mutate] = ways[random(ways.length)]!;
    const broken = names.includes(name) ? undefined : mutate(update, random);
    if (!broken) continue;
    const touches = broken.update.attributes !== update.attributes;
    const isAlone = names.length === 0 || !touches || isUntouched(broken.update);
    const isSecond = update.announced !== from.announced;
    if (!isAlone || (isSecond && broken.update.announced !== update.announced)) continue;
    update = broken.update;
    names.push(name);
    worst = Math.max(worst, CLASSES.indexOf(broken.is));
  }
  return { update, names, is: CLASSES[worst]! };
}

/** Whether there is anything to be withdrawn instead (RFC 7606 section 5.2). */
function reaches({ announced, attributes }: RawUpdate): boolean {
  return announced.length > 0 || attributes.some(({ code }) => code === 14);
}

function classOf(body: Uint8Array): FaultClass {
  const result = decodeUpdate(body, INTERNAL);
  if (!result.ok) return "reset";
  const { faults } = result.value;
  if (faults.some(({ action }) => action === "treatAsWithdraw")) return "withdraw";
  return faults.length > 0 ? "discard" : "none";
}

/** Numbers that a run can be repeated with. */
function randomFrom(seed: number): Pick {
  let state = seed >>> 0;
  return below => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return below === 0 ? 0 : (state >>> 0) % below;
  };
}

/** In a run that was asked for, its figures. */
function tell(figures: object): void {
  if (process.env.ANCHO_FUZZ_MESSAGES === undefined) return;
  const { rss, heapUsed } = process.memoryUsage();
  const mib = (bytes: number): number => Math.round(bytes / 2 ** 20);
  console.info(JSON.stringify({ COUNT, ...figures, rssMiB: mib(rss), heapMiB: mib(heapUsed) }));
}
