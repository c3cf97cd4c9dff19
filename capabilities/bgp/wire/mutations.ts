/** For tests: UPDATEs that are wrong in a known way, with what RFC 7606 says of each, written without the decoder. */
import { concat, u16, u8 } from "./bytes";

/** From the least to the strongest (RFC 7606 section 2); `none` is a message that is right. */
export const CLASSES = ["none", "discard", "withdraw", "reset"] as const;
export type FaultClass = (typeof CLASSES)[number];

/** A path attribute as it is on the wire. */
export type RawAttribute = {
  readonly flags: number;
  readonly code: number;
  readonly data: Uint8Array;
};

/** The parts of an UPDATE; `tail` follows the last attribute within Total Path Attribute Length. */
export type RawUpdate = {
  readonly withdrawn: Uint8Array;
  readonly attributes: readonly RawAttribute[];
  readonly tail: Uint8Array;
  readonly announced: Uint8Array;
};

/** A number from 0 to one below `below`. */
export type Pick = (below: number) => number;

/** One way to be wrong: what it makes of a message, and its class; undefined where it does not apply. */
export type Mutation = (
  update: RawUpdate,
  pick: Pick,
) => { readonly update: RawUpdate; readonly is: FaultClass } | undefined;

const MANDATORY = [1, 2, 3];
const MP = [14, 15];

export function encodeRaw({ withdrawn, attributes, tail, announced }: RawUpdate): Uint8Array {
  const all = concat(...attributes.map(frame), tail);
  return concat(u16(withdrawn.length), withdrawn, u16(all.length), all, announced);
}

function frame({ flags, code, data }: RawAttribute): Uint8Array {
  return data.length > 0xff
    ? concat(u8(flags | 0x10), u8(code), u16(data.length), data)
    : concat(u8(flags & 0xef), u8(code), u8(data.length), data);
}

/** Takes an UPDATE apart that is right. */
export function parseRaw(body: Uint8Array): RawUpdate {
  const view = new DataView(body.buffer, body.byteOffset);
  const withdrawnEnd = 2 + view.getUint16(0);
  const end = withdrawnEnd + 2 + view.getUint16(withdrawnEnd);
  const attributes: RawAttribute[] = [];
  for (let at = withdrawnEnd + 2; at < end; ) {
    const flags = view.getUint8(at);
    const isLong = (flags & 0x10) !== 0;
    const from = at + (isLong ? 4 : 3);
    const length = isLong ? view.getUint16(at + 2) : view.getUint8(at + 2);
    attributes.push({ flags, code: view.getUint8(at + 1), data: body.slice(from, from + length) });
    at = from + length;
  }
  const withdrawn = body.slice(2, withdrawnEnd);
  return { withdrawn, attributes, tail: new Uint8Array(), announced: body.slice(end) };
}

/** What one attribute is replaced by. */
function replacing(
  is: FaultClass,
  codes: readonly number[],
  change: (attribute: RawAttribute, pick: Pick) => readonly RawAttribute[],
): Mutation {
  return (update, pick) => {
    const candidates = update.attributes.filter(({ code }) => codes.includes(code));
    const chosen = candidates[pick(candidates.length)];
    if (!chosen) return undefined;
    const attributes = update.attributes.flatMap(one =>
      one === chosen ? change(one, pick) : [one],
    );
    return { update: { ...update, attributes }, is };
  };
}

const withData = (one: RawAttribute, data: Uint8Array): readonly RawAttribute[] => [
  { ...one, data },
];
const cut = (one: RawAttribute, octets: number): readonly RawAttribute[] =>
  withData(one, one.data.subarray(0, Math.max(0, one.data.length - octets)));

/** By the section of RFC 7606 that they are of. */
export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  "3(c) flags of another kind": replacing(
    "withdraw",
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 15, 16, 32, 35],
    (one, pick) => [{ ...one, flags: one.flags ^ ([0x80, 0x40, 0xc0][pick(3)] ?? 0x80) }],
  ),
  "3(d) a mandatory attribute missing": (update, pick) => {
    const hasReach = update.attributes.some(({ code }) => code === 14);
    // NEXT_HOP is wanted for prefixes of the old field only, and nothing where none are announced.
    const wanted = update.announced.length > 0 ? MANDATORY : hasReach ? MANDATORY.slice(0, 2) : [];
    return replacing("withdraw", wanted, () => [])(update, pick);
  },
  "3(g) twice": replacing("discard", [1, 2, 3, 4, 5, 7, 8, 9, 10, 16, 32, 35], one => [one, one]),
  "3(g) prefixes twice": replacing("reset", MP, one => [one, one]),
  "4 half an attribute at the end": (update, pick) => {
    const tail = [[0x40], [0x80, 4], [0x90, 4, 0], [0x80, 4, 9, 1, 2]][pick(4)] ?? [];
    return { update: { ...update, tail: Uint8Array.from(tail) }, is: "withdraw" };
  },
  "5.3 a prefix of more than 32 bits": (update, pick) => ({
    update: {
      ...update,
      announced: concat(update.announced, u8(33 + pick(223)), new Uint8Array(40)),
    },
    is: "reset",
  }),
  "5.3 half a prefix": update => ({
    update: { ...update, announced: concat(update.announced, Uint8Array.of(24, 10)) },
    is: "reset",
  }),
  "7.1 ORIGIN of no kind": replacing("withdraw", [1], (one, pick) =>
    withData(one, u8(3 + pick(253))),
  ),
  "7.2 a segment of no kind": replacing("withdraw", [2], (one, pick) =>
    withData(one, concat(one.data, Uint8Array.of([0, 3, 4, 9][pick(4)] ?? 0, 1, 0, 0, 0, 1))),
  ),
  "7.2 a segment that overruns": replacing("withdraw", [2], one =>
    withData(one, concat(one.data, Uint8Array.of(2, 2, 0, 0, 0, 1))),
  ),
  "7.3 to 7.5, 7.9: a wrong length": replacing("withdraw", [1, 3, 4, 5, 9, 35], (one, pick) =>
    pick(2) === 0 ? cut(one, 1) : withData(one, concat(one.data, u8(0))),
  ),
  "7.6, 7.7: a wrong length": replacing("discard", [6, 7], one =>
    withData(one, concat(one.data, u8(1))),
  ),
  "7.8, 7.10, 7.14: no whole number of communities": replacing(
    "withdraw",
    [8, 10, 16, 32],
    (one, pick) => cut(one, 1 + pick(3)),
  ),
  "7.8, 7.10, 7.14: none at all": replacing("withdraw", [8, 10, 16, 32], one =>
    withData(one, new Uint8Array()),
  ),
  "7.11 a next hop of no length": replacing("reset", [14], (one, pick) =>
    withData(
      one,
      Uint8Array.of(0, 2, 1, [0, 3, 5, 15, 17, 33][pick(6)] ?? 0, ...new Uint8Array(60)),
    ),
  ),
  "7.11, 7.12: too short": replacing("reset", MP, one => withData(one, one.data.slice(0, 2))),
  "RFC 4271 6.3: well-known, and not known": ({ attributes, ...rest }, pick) => {
    const code = 200 + pick(50);
    if (attributes.some(one => one.code === code)) return undefined;
    const unknown = { flags: 0x40, code, data: Uint8Array.of(1) };
    return { update: { ...rest, attributes: [...attributes, unknown] }, is: "reset" };
  },
};
