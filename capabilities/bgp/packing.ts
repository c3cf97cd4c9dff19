import type { Rendering } from "./attribute-set";
import type { Family } from "./wire/address";
import { mpAttribute } from "./wire/attribute-encoder";
import { familyHead } from "./wire/attributes/multiprotocol";
import { concat, u16 } from "./wire/bytes";
import { AttributeCode, MessageType } from "./wire/codes";
import { header, HEADER_LENGTH, MAX_LENGTH } from "./wire/message";
import { LONGEST_NLRI, writePrefix } from "./wire/prefix";

/** The two length fields of an UPDATE, and the longest header of an attribute. */
const LENGTHS = 4;
const ATTRIBUTE_HEADER = 4;

/** UPDATEs that announce prefixes, each as full as 4096 octets allow (RFC 4271 section 4.3). */
export function* packAnnouncements(
  { attributes, reach }: Rendering,
  prefixes: Iterable<string>,
): Generator<Uint8Array> {
  if (reach === undefined) {
    yield* pack(prefixes, attributes.length, nlri => update(new Uint8Array(), attributes, nlri));
    return;
  }
  const overhead = ATTRIBUTE_HEADER + reach.length + attributes.length;
  yield* pack(prefixes, overhead, nlri => {
    const mp = mpAttribute(AttributeCode.MpReach, concat(reach, nlri));
    return update(new Uint8Array(), concat(mp, attributes));
  });
}

/** UPDATEs that withdraw prefixes. */
export function* packWithdrawals(
  family: Family,
  isOld: boolean,
  prefixes: Iterable<string>,
): Generator<Uint8Array> {
  if (isOld) {
    yield* pack(prefixes, 0, nlri => update(nlri, new Uint8Array()));
    return;
  }
  const head = familyHead(family);
  yield* pack(prefixes, ATTRIBUTE_HEADER + head.length, nlri =>
    update(new Uint8Array(), mpAttribute(AttributeCode.MpUnreach, concat(head, nlri))),
  );
}

/** Takes prefixes only as they are packed, so that a long list needs no memory of its own. */
function* pack(
  prefixes: Iterable<string>,
  overhead: number,
  wrap: (nlri: Uint8Array) => Uint8Array,
): Generator<Uint8Array> {
  const room = MAX_LENGTH - HEADER_LENGTH - LENGTHS - overhead;
  const nlri = new Uint8Array(Math.max(room, 0) + LONGEST_NLRI);
  let length = 0;
  for (const prefix of prefixes) {
    const end = writePrefix(prefix, nlri, length);
    if (end <= room) {
      length = end;
      continue;
    }
    if (length === 0) {
      throw new RangeError(`the attributes of ${prefix} leave no room for it in an UPDATE`);
    }
    yield wrap(nlri.subarray(0, length));
    nlri.copyWithin(0, length, end);
    length = end - length;
  }
  if (length > 0) {
    yield wrap(nlri.subarray(0, length));
  }
}

function update(
  withdrawn: Uint8Array,
  attributes: Uint8Array,
  nlri = new Uint8Array(),
): Uint8Array {
  const length = HEADER_LENGTH + LENGTHS + withdrawn.length + attributes.length + nlri.length;
  return concat(
    header(MessageType.Update, length),
    u16(withdrawn.length),
    withdrawn,
    u16(attributes.length),
    attributes,
    nlri,
  );
}
