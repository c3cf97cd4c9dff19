/** Reads big-endian numbers and stretches of bytes; undefined where too few bytes are left. */
export type ByteReader = {
  left(): number;
  u8(): number | undefined;
  u16(): number | undefined;
  u32(): number | undefined;
  /** A copy, so that what was decoded does not keep a receive buffer alive or change with it. */
  take(length: number): Uint8Array | undefined;
};

export function createReader(bytes: Uint8Array): ByteReader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;

  function advance(length: number): number | undefined {
    if (length > bytes.length - offset) {
      return undefined;
    }
    const at = offset;
    offset += length;
    return at;
  }

  function number(length: number, read: (at: number) => number): number | undefined {
    const at = advance(length);
    return at === undefined ? undefined : read(at);
  }

  return {
    left: () => bytes.length - offset,
    u8: () => number(1, at => view.getUint8(at)),
    u16: () => number(2, at => view.getUint16(at)),
    u32: () => number(4, at => view.getUint32(at)),
    take: length => {
      const at = advance(length);
      return at === undefined ? undefined : bytes.slice(at, at + length);
    },
  };
}

export function u8(value: number): Uint8Array {
  return unsigned(value, 1);
}

export function u16(value: number): Uint8Array {
  return unsigned(value, 2);
}

export function u32(value: number): Uint8Array {
  return unsigned(value, 4);
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** A number that does not fit is a fault of the caller, and would go out as another number. */
function unsigned(value: number, length: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * length)) {
    throw new RangeError(`${value} is no unsigned integer of ${8 * length} bits`);
  }
  return Uint8Array.from({ length }, (_, index) => (value / 2 ** (8 * (length - 1 - index))) & 255);
}
